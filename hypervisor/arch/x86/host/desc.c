// SPDX-License-Identifier: GPL-2.0-or-later
#include "asm/desc.h"

#include "arch/x86/host/cpu.h"
#include "asm/cpu.h"
#include "asm/msr.h"
#include "core/percpu.h"
#include "lib/string.h"

struct cpu_desc {
	u64 gdt[GDT_SIZE / 8];
	struct tss tss;
};
DEFINE_PER_CPU(struct cpu_desc, desc);

/* One table for all CPUs, written once by the first. */
static RO_AFTER_INIT struct idt_gate idt[256];
extern const char trap_stubs[];
#define STUB_SIZE 16

static void set_gate(unsigned int vector, u8 ist)
{
	u64 offset = (u64)trap_stubs + vector * STUB_SIZE;

	idt[vector] = (struct idt_gate){
		.offset_low = (u16)offset,
		.selector = SEL_CODE,
		.ist = ist,
		.type = 0x8e,
		.offset_middle = (u16)(offset >> 16),
		.offset_high = (u32)(offset >> 32),
	};
}

static void fill_idt(void)
{
	unsigned int vector;

	for (vector = 0; vector < 256; vector++) {
		set_gate(vector, IST_NONE);
	}
	set_gate(2, IST_NMI);
	set_gate(8, IST_DF);
	set_gate(18, IST_MC);
}

static void fill_gdt(struct cpu_desc *d)
{
	u64 base = (u64)&d->tss;

	d->gdt[0] = 0;
	d->gdt[SEL_CODE / 8] = 0x00af9b000000ffff;
	d->gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	/* available 64-bit TSS, SDM 3 7.2.3 */
	d->gdt[SEL_TSS / 8] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
			      (base >> 24 & 0xff) << 56;
	d->gdt[SEL_TSS / 8 + 1] = base >> 32;
}

void desc_load_this_cpu(void)
{
	struct cpu_desc *d = this_cpu_ptr(desc);
	struct descriptor_pointer gdtr = {sizeof(d->gdt) - 1, (u64)d->gdt};
	struct descriptor_pointer idtr = {sizeof(idt) - 1, (u64)idt};

	d->gdt[SEL_TSS / 8] &= ~(2ull << 40); /* LTR wants it "available" */
	__asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2" : : "m"(gdtr), "m"(idtr), "r"(SEL_TSS));
	__asm__ volatile("lldt %w0" : : "r"(0));
}

void desc_setup_this_cpu(void)
{
	struct cpu_desc *d = this_cpu_ptr(desc);
	unsigned long slot = (unsigned long)cpu_info() & ~(STACK_SLOT_SIZE - 1ul);

	if (!idt[0].type) {
		fill_idt();
	}
	fill_gdt(d);
	d->tss.ist[IST_DF - 1] = slot + STACK_DF_TOP;
	d->tss.ist[IST_NMI - 1] = slot + STACK_NMI_TOP;
	d->tss.ist[IST_MC - 1] = slot + STACK_MC_TOP;
	d->tss.io_map_base = sizeof(struct tss);
	desc_load_this_cpu();
	__asm__ volatile("push %0\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:"
			 :
			 : "i"(SEL_CODE)
			 : "rax", "memory");
}
