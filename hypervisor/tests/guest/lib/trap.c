/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
} __attribute__((packed));

extern uint8_t trap_stubs[];
extern uint8_t probe_return[];

static struct gate idt[256] __attribute__((aligned(16)));
static trap_handler_fn handlers[256];
static bool is_failed;

void trap_dispatch(struct trap_frame *frame);

void trap_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* Every stub has 16 bytes: two pushes and a jump fit. */
void trap_init(void)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t target = (uint64_t)trap_stubs + vector * 16;

		idt[vector] = (struct gate){.offset_low = (uint16_t)target,
					    .selector = SEL_CODE64,
					    .type = 0x8e,
					    .offset_middle = (uint16_t)(target >> 16)};
	}
	trap_load();
}

void trap_set_handler(unsigned vector, trap_handler_fn handler)
{
	handlers[vector] = handler;
}

void trap_dispatch(struct trap_frame *frame)
{
	struct probe *p = this_cpu()->probe;
	uint64_t cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	if (frame->vector < 32 && p) {
		p->vector = (int)frame->vector;
		p->error = frame->error;
		p->cr2 = cr2;
		p->rip = frame->rip;
		this_cpu()->probe = NULL;
		frame->rip = (uint64_t)probe_return;
		frame->rsp = p->rsp;
		return;
	}
	if (handlers[frame->vector]) {
		handlers[frame->vector](frame);
		return;
	}
	/* The first one says what happened; a second one would be about saying it. */
	if (__atomic_exchange_n(&is_failed, true, __ATOMIC_SEQ_CST)) {
		for (;;) {
			__asm__ volatile("cli; hlt");
		}
	}
	print("vector %lu error %#lx rip %#lx rsp %#lx cr2 %#lx rax %#lx rcx %#lx cpu %u\n",
	      frame->vector, frame->error, frame->rip, frame->rsp, cr2, frame->rax, frame->rcx,
	      this_cpu()->index);
	finish("FAIL", "unexpected interrupt or exception");
}

struct probe probe(void (*fn)(void *), void *arg)
{
	struct probe p = {.vector = -1};

	this_cpu()->probe = &p;
	probe_call(fn, arg, &p);
	this_cpu()->probe = NULL;
	return p;
}

struct msr_access {
	uint32_t index;
	uint64_t value;
};

static void do_rdmsr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->index);
}

static void do_wrmsr(void *arg)
{
	struct msr_access *a = arg;

	wrmsr(a->index, a->value);
}

int rdmsr_safe(uint32_t index, uint64_t *value)
{
	struct msr_access a = {index, 0};
	struct probe p = probe(do_rdmsr, &a);

	*value = a.value;
	return p.vector;
}

int wrmsr_safe(uint32_t index, uint64_t value)
{
	struct msr_access a = {index, value};

	return probe(do_wrmsr, &a).vector;
}
