/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers by their number in the x2APIC (MSR - 0x800, or page offset / 16), SDM 3 10.12.1.2.
 */
#include "arch/x86/guest/vlapic.h"

#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/trap.h"
#include "asm/msr.h"
#include "core/timer.h"
#include "hv/error.h"
#include "lib/string.h"
#include "mm/heap.h"

#define APIC_PAGE     0xfee00000ull
#define APIC_VERSION  0x00050014u /* six LVT entries */
#define APIC_CYCLE_NS 10	  /* input clock of the timer, 100 MHz */

enum apic_reg {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_APR = 0x09,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT_TIMER = 0x32,
	REG_LVT_LAST = 0x37,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
};
#define LVT_COUNT	 6u
#define LVT_MASKED	 (1u << 16)
#define LVT_TIMER_MODE	 (3u << 17)
#define LVT_TIMER_PERIOD (1u << 17)
#define SVR_ENABLED	 (1u << 8)
#define ESR_SEND_ILLEGAL (1u << 5)
#define ESR_RECV_ILLEGAL (1u << 6)

enum delivery {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_SIPI = 6,
	DELIVER_EXTINT = 7,
};

/* Writable bits of each LVT entry: timer, thermal, performance, LINT0, LINT1, error. */
static const u32 lvt_writable[LVT_COUNT] = {0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

struct vlapic {
	struct vcpu *vcpu;
	u64 base;
	u64 irr[4]; /* atomic: other CPUs set bits */
	u64 tmr[4]; /* atomic */
	u64 isr[4];
	int isr_top; /* highest bit of isr, -1 none */
	u32 tpr, ldr, dfr, svr, esr, esr_pending;
	u64 icr;
	u32 lvt[LVT_COUNT];
	u32 timer_initial, timer_divide;
	ns_t timer_start; /* when the count was timer_initial */
	struct timer timer;
};

u32 vlapic_id(const struct vcpu *v)
{
	return 2u * vcpu_id_raw(v->id);
}

static bool is_x2apic(const struct vlapic *l)
{
	return (l->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
	       (APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

bool vlapic_is_enabled(const struct vcpu *v)
{
	return (v->arch->vlapic->base & APIC_BASE_ENABLE) != 0;
}

static bool takes_interrupts(const struct vlapic *l)
{
	return (l->base & APIC_BASE_ENABLE) && (l->svr & SVR_ENABLED);
}

/* --- priorities --- */

static int highest(const u64 *words)
{
	int i;

	for (i = 3; i >= 0; i--) {
		u64 word = load_relaxed(&words[i]);

		if (word) {
			return i * 64 + 63 - __builtin_clzll(word);
		}
	}
	return -1;
}

static u32 processor_priority(const struct vlapic *l)
{
	u32 in_service = l->isr_top < 0 ? 0 : (u32)l->isr_top & 0xf0;

	return (l->tpr & 0xf0) >= in_service ? l->tpr : in_service;
}

int vlapic_pending(struct vcpu *v)
{
	struct vlapic *l = v->arch->vlapic;
	int vector = highest(l->irr);

	if (likely(vector < 0) || !takes_interrupts(l) ||
	    ((u32)vector & 0xf0) <= (processor_priority(l) & 0xf0)) {
		return -1;
	}
	return vector;
}

bool vlapic_is_held_by_tpr(struct vcpu *v)
{
	struct vlapic *l = v->arch->vlapic;
	int vector = highest(l->irr);

	return vector >= 0 && takes_interrupts(l) && (vector & 0xf0) <= (int)(l->tpr & 0xf0) &&
	       (l->isr_top < 0 || (vector & 0xf0) > (l->isr_top & 0xf0));
}

void vlapic_accept(struct vcpu *v, u8 vector)
{
	struct vlapic *l = v->arch->vlapic;

	(void)bitmap_atomic_test_and_clear(l->irr, vector);
	bitmap_set(l->isr, vector);
	l->isr_top = vector; /* it was above everything in service */
}

u8 vlapic_tpr(const struct vcpu *v)
{
	return (u8)v->arch->vlapic->tpr;
}

void vlapic_tpr_set(struct vcpu *v, u8 tpr)
{
	v->arch->vlapic->tpr = tpr;
}

static void end_of_interrupt(struct vlapic *l)
{
	int vector = l->isr_top;

	if (vector < 0) {
		return;
	}
	bitmap_clear(l->isr, (unsigned long)vector);
	l->isr_top = highest(l->isr);
	if (bitmap_test(l->tmr, (unsigned long)vector)) {
		vioapic_eoi(l->vcpu->domain, (u8)vector);
	}
}

static void error_record(struct vlapic *l, u32 bit)
{
	u32 lvt = l->lvt[LVT_COUNT - 1];

	__atomic_fetch_or(&l->esr_pending, bit, __ATOMIC_RELAXED);
	if (!(lvt & LVT_MASKED) && (lvt & 0xf0)) {
		vlapic_post(l->vcpu, (u8)lvt, false);
	}
}

static void request(struct vlapic *l, u8 vector, bool is_level)
{
	if (is_level) {
		(void)bitmap_atomic_test_and_set(l->tmr, vector);
	} else if (bitmap_test(l->tmr, vector)) {
		(void)bitmap_atomic_test_and_clear(l->tmr, vector);
	}
	if (bitmap_atomic_test_and_set(l->irr, vector)) {
		return; /* waits already: whoever set it woke the vCPU */
	}
	vcpu_wake_event(l->vcpu);
	arch_vcpu_kick(l->vcpu);
}

void vlapic_post(struct vcpu *v, u8 vector, bool is_level)
{
	struct vlapic *l = v->arch->vlapic;

	if (!takes_interrupts(l)) {
		return;
	}
	if (vector < 16) {
		__atomic_fetch_or(&l->esr_pending, ESR_RECV_ILLEGAL, __ATOMIC_RELAXED);
		return;
	}
	request(l, vector, is_level);
}

/* An upcall is told once, when the event becomes pending: it waits for an APIC that is off. */
void vlapic_post_upcall(struct vcpu *v, u8 vector)
{
	request(v->arch->vlapic, vector, false);
}

/* --- messages --- */

static bool is_destination(struct vcpu *v, u32 destination, bool is_logical)
{
	const struct vlapic *l = v->arch->vlapic;
	u32 id = vlapic_id(v);

	if (!(l->base & APIC_BASE_ENABLE)) {
		return false;
	}
	if (destination == ~0u || (destination == 0xff && (!is_x2apic(l) || !is_logical))) {
		return true;
	}
	if (!is_logical) {
		return destination == id;
	}
	if (is_x2apic(l)) {
		return destination >> 16 == id >> 4 && (destination >> (id & 0xf) & 1);
	}
	if (destination > 0xff) {
		return false;
	}
	if (l->dfr >> 28 == 0xf) { /* flat */
		return (l->ldr >> 24 & destination) != 0;
	}
	return l->ldr >> 28 == destination >> 4 && (l->ldr >> 24 & destination & 0xf);
}

static void deliver_one(struct vcpu *v, u8 mode, u8 vector, bool is_level)
{
	switch (mode) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		vlapic_post(v, vector, is_level);
		break;
	case DELIVER_NMI:
		hvm_post_nmi(v);
		break;
	case DELIVER_INIT:
		hvm_send_init(v);
		break;
	case DELIVER_SIPI:
		hvm_send_sipi(v, vector);
		break;
	default:
		break; /* no SMM, no 8259A */
	}
}

static void deliver_lowest(struct domain *d, u32 destination, bool is_logical, u8 vector,
			   bool is_level)
{
	struct vcpu *v, *best = NULL;
	u32 best_priority = 0;

	for_each_vcpu(v, d) {
		u32 priority;

		if (!is_destination(v, destination, is_logical) ||
		    !takes_interrupts(v->arch->vlapic)) {
			continue;
		}
		priority = processor_priority(v->arch->vlapic);
		if (!best || priority < best_priority) {
			best = v;
			best_priority = priority;
		}
	}
	if (best) {
		vlapic_post(best, vector, is_level);
	}
}

void vlapic_deliver(struct domain *d, u32 destination, bool is_logical, u8 delivery_mode, u8 vector,
		    bool is_level)
{
	struct vcpu *v;

	if (delivery_mode == DELIVER_LOWEST) {
		deliver_lowest(d, destination, is_logical, vector, is_level);
		return;
	}
	for_each_vcpu(v, d) {
		if (is_destination(v, destination, is_logical)) {
			deliver_one(v, delivery_mode, vector, is_level);
		}
	}
}

static void send_ipi(struct vlapic *l, u64 icr)
{
	struct vcpu *self = l->vcpu, *v;
	u8 vector = (u8)icr, mode = (u8)(icr >> 8 & 7);
	unsigned int shorthand = (unsigned int)(icr >> 18 & 3);
	bool is_deassert = (icr & (1u << 15)) && !(icr & (1u << 14));

	if (mode == DELIVER_INIT && is_deassert) {
		return; /* synchronises arbitration ids of CPUs long gone */
	}
	if (mode <= DELIVER_LOWEST && vector < 16) {
		error_record(l, ESR_SEND_ILLEGAL);
		return;
	}
	if (shorthand == 1) {
		if (mode == DELIVER_FIXED) {
			vlapic_post(self, vector, false);
		}
		return;
	}
	if (shorthand == 0 && mode == DELIVER_LOWEST) {
		deliver_lowest(self->domain, (u32)(icr >> 32), (icr & (1u << 11)) != 0, vector,
			       false);
		return;
	}
	for_each_vcpu(v, self->domain) {
		if (shorthand == 0 &&
		    !is_destination(v, (u32)(icr >> 32), (icr & (1u << 11)) != 0)) {
			continue;
		}
		if (shorthand == 3 && v == self) {
			continue;
		}
		if (v == self && (mode == DELIVER_INIT || mode == DELIVER_SIPI)) {
			continue; /* not allowed to itself, SDM 3 table 10-3 */
		}
		deliver_one(v, mode, vector, false);
	}
}

/* --- timer --- */

static ns_t timer_tick(const struct vlapic *l)
{
	unsigned int code = (l->timer_divide & 3) | (l->timer_divide >> 1 & 4);

	return (ns_t)APIC_CYCLE_NS * (code == 7 ? 1 : 2 << code);
}

static bool timer_is_periodic(const struct vlapic *l)
{
	return (l->lvt[0] & LVT_TIMER_MODE) == LVT_TIMER_PERIOD;
}

static u32 timer_current(const struct vlapic *l)
{
	ns_t elapsed;
	u64 ticks;

	if (l->timer_initial == 0) {
		return 0;
	}
	elapsed = clock_now() - l->timer_start;
	ticks = (u64)elapsed / (u64)timer_tick(l);
	if (ticks < l->timer_initial) {
		return l->timer_initial - (u32)ticks;
	}
	return timer_is_periodic(l) ? l->timer_initial - (u32)(ticks % l->timer_initial) : 0;
}

static void timer_arm(struct vlapic *l, u32 count)
{
	if (l->timer_initial == 0) {
		timer_stop(&l->timer);
		return;
	}
	timer_set(&l->timer, clock_now() + (ns_t)count * timer_tick(l));
}

static void timer_expired(void *data)
{
	struct vlapic *l = data;

	if (!(l->lvt[0] & LVT_MASKED)) {
		vlapic_post(l->vcpu, (u8)l->lvt[0], false);
	}
	if (timer_is_periodic(l) && l->timer_initial) {
		ns_t now = clock_now(), period = (ns_t)l->timer_initial * timer_tick(l);
		ns_t next = l->timer_start + ((now - l->timer_start) / period + 1) * period;

		/* A guest that asks for more than 20,000 a second gets that. */
		if (next - now < 50 * NS_PER_US) {
			next = now + 50 * NS_PER_US;
		}
		timer_set(&l->timer, next);
	}
}

static void timer_start(struct vlapic *l, u32 initial)
{
	l->timer_initial = initial;
	l->timer_start = clock_now();
	timer_arm(l, initial);
}

static void timer_divide_set(struct vlapic *l, u32 divide)
{
	u32 left = timer_current(l);

	l->timer_divide = divide & 0xb;
	if (l->timer_initial) {
		l->timer_start = clock_now() - (ns_t)(l->timer_initial - left) * timer_tick(l);
		if (left) {
			timer_arm(l, left);
		}
	}
}

void vlapic_timer_migrate(struct vcpu *v, cpu_t cpu)
{
	struct timer *t = &v->arch->vlapic->timer;

	if (unlikely(t->cpu != cpu)) {
		timer_migrate(t, cpu);
	}
}

/* --- registers --- */

static u32 vector_word(const u64 *words, unsigned int index)
{
	index = (unsigned int)index_clamp(index, 8);
	return (u32)(load_relaxed(&words[index / 2]) >> (index % 2 * 32));
}

static u32 logical_id(const struct vlapic *l)
{
	u32 id = vlapic_id(l->vcpu);

	return is_x2apic(l) ? (id >> 4) << 16 | 1u << (id & 0xf) : l->ldr;
}

/* False: no such register. */
static bool reg_read(struct vlapic *l, unsigned int reg, u64 *value)
{
	switch (reg) {
	case REG_ID:
		*value = is_x2apic(l) ? vlapic_id(l->vcpu) : vlapic_id(l->vcpu) << 24;
		return true;
	case REG_VERSION:
		*value = APIC_VERSION;
		return true;
	case REG_TPR:
		*value = l->tpr;
		return true;
	case REG_PPR:
		*value = processor_priority(l);
		return true;
	case REG_LDR:
		*value = logical_id(l);
		return true;
	case REG_SVR:
		*value = l->svr;
		return true;
	case REG_ESR:
		*value = l->esr;
		return true;
	case REG_ICR:
		*value = is_x2apic(l) ? l->icr : (u32)l->icr;
		return true;
	case REG_TIMER_INITIAL:
		*value = l->timer_initial;
		return true;
	case REG_TIMER_CURRENT:
		*value = timer_current(l);
		return true;
	case REG_TIMER_DIVIDE:
		*value = l->timer_divide;
		return true;
	default:
		break;
	}
	if (reg >= REG_ISR && reg < REG_ISR + 8) {
		*value = vector_word(l->isr, reg - REG_ISR);
	} else if (reg >= REG_TMR && reg < REG_TMR + 8) {
		*value = vector_word(l->tmr, reg - REG_TMR);
	} else if (reg >= REG_IRR && reg < REG_IRR + 8) {
		*value = vector_word(l->irr, reg - REG_IRR);
	} else if (reg >= REG_LVT_TIMER && reg <= REG_LVT_LAST) {
		*value = l->lvt[index_clamp(reg - REG_LVT_TIMER, LVT_COUNT)];
	} else {
		return false;
	}
	return true;
}

static void svr_write(struct vlapic *l, u32 value)
{
	unsigned int i;

	l->svr = value & 0x1ff;
	if (!(value & SVR_ENABLED)) {
		for (i = 0; i < LVT_COUNT; i++) {
			l->lvt[i] |= LVT_MASKED; /* SDM 3 10.4.7.2 */
		}
	}
}

static void lvt_write(struct vlapic *l, unsigned int index, u32 value)
{
	index = (unsigned int)index_clamp(index, LVT_COUNT);
	value &= lvt_writable[index];
	if (!(l->svr & SVR_ENABLED)) {
		value |= LVT_MASKED;
	}
	if (index == 0 && (l->lvt[0] ^ value) & LVT_TIMER_MODE) {
		l->lvt[0] = value;
		timer_start(l, 0); /* SDM 3 10.5.4.1: a change of mode disarms */
		return;
	}
	l->lvt[index] = value;
}

static bool reg_write(struct vlapic *l, unsigned int reg, u64 value)
{
	switch (reg) {
	case REG_TPR:
		l->tpr = (u32)value & 0xff;
		return true;
	case REG_EOI:
		end_of_interrupt(l);
		return true;
	case REG_SVR:
		svr_write(l, (u32)value);
		return true;
	case REG_ESR:
		l->esr = __atomic_exchange_n(&l->esr_pending, 0, __ATOMIC_RELAXED);
		return true;
	case REG_ICR:
		if (is_x2apic(l)) {
			l->icr = value & ~(1ull << 12);
			send_ipi(l, l->icr);
		} else {
			l->icr = (l->icr & ~0xffffffffull) | ((u32)value & ~(1u << 12));
			send_ipi(l, (u32)l->icr | (l->icr >> 56) << 32);
		}
		return true;
	case REG_TIMER_INITIAL:
		timer_start(l, (u32)value);
		return true;
	case REG_TIMER_DIVIDE:
		timer_divide_set(l, (u32)value);
		return true;
	default:
		break;
	}
	if (reg >= REG_LVT_TIMER && reg <= REG_LVT_LAST) {
		lvt_write(l, reg - REG_LVT_TIMER, (u32)value);
		return true;
	}
	return false;
}

/* Bits that an x2APIC register has; others raise #GP (SDM 3 10.12.1.3). */
static u64 x2apic_writable(unsigned int reg)
{
	switch (reg) {
	case REG_TPR:
		return 0xff;
	case REG_EOI:
	case REG_ESR:
		return 0;
	case REG_SVR:
		return 0x11ff;
	case REG_ICR:
		return 0xffffffff000ccfffull | 1u << 12;
	case REG_TIMER_INITIAL:
		return 0xffffffffull;
	case REG_TIMER_DIVIDE:
		return 0xb;
	case REG_SELF_IPI:
		return 0xff;
	default:
		if (reg >= REG_LVT_TIMER && reg <= REG_LVT_LAST) {
			return lvt_writable[index_clamp(reg - REG_LVT_TIMER, LVT_COUNT)] | 0x7000;
		}
		return ~0ull;
	}
}

int vlapic_msr_read(struct vcpu *v, u32 index, u64 *value)
{
	struct vlapic *l = v->arch->vlapic;
	unsigned int reg = index - MSR_X2APIC_FIRST;

	if (!is_x2apic(l) || reg == REG_ICR_HIGH || !reg_read(l, reg, value)) {
		return -EFAULT;
	}
	return 0;
}

int vlapic_msr_write(struct vcpu *v, u32 index, u64 value)
{
	struct vlapic *l = v->arch->vlapic;
	unsigned int reg = index - MSR_X2APIC_FIRST;

	if (!is_x2apic(l) || (value & ~x2apic_writable(reg))) {
		return -EFAULT;
	}
	if (reg == REG_SELF_IPI) {
		send_ipi(l, (value & 0xff) | 1u << 18);
		return 0;
	}
	return reg_write(l, reg, value) ? 0 : -EFAULT;
}

/* --- the page --- */

static int page_read(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 *value)
{
	struct vlapic *l = v->arch->vlapic;
	unsigned int offset = page_offset(address);
	u64 word;

	if (!(l->base & APIC_BASE_ENABLE) || is_x2apic(l)) {
		return -EAGAIN;
	}
	switch (offset >> 4) {
	case REG_DFR:
		word = l->dfr;
		break;
	case REG_ICR_HIGH:
		word = l->icr >> 32;
		break;
	default:
		if (!reg_read(l, offset >> 4, &word)) {
			word = 0;
		}
		break;
	}
	/* Registers are dwords at multiples of 16; parts of one may be read. */
	*value = (offset & 0xc) ? 0 : (u32)word >> (offset & 3) * 8;
	return 0;
}

static int page_write(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 value)
{
	struct vlapic *l = v->arch->vlapic;
	unsigned int offset = page_offset(address);

	if (!(l->base & APIC_BASE_ENABLE) || is_x2apic(l)) {
		return -EAGAIN;
	}
	if ((offset & 0xf) || size_bytes < 4) {
		return 0; /* undefined by the manual; nothing happens */
	}
	switch (offset >> 4) {
	case REG_LDR:
		l->ldr = (u32)value & 0xff000000u;
		break;
	case REG_DFR:
		l->dfr = (u32)value | 0x0fffffffu;
		break;
	case REG_ICR_HIGH:
		l->icr = (u32)l->icr | (value & 0xff000000u) << 32;
		break;
	default:
		(void)reg_write(l, offset >> 4, (u32)value);
		break;
	}
	return 0;
}

static const struct trap_ops page_ops = {.read = page_read, .write = page_write};

int vlapic_mmio_setup(struct domain *d)
{
	return trap_memory(d, gpa_of(APIC_PAGE), PAGE_SIZE, &page_ops, NULL);
}

/* --- life --- */

u64 vlapic_base(const struct vcpu *v)
{
	return v->arch->vlapic->base;
}

int vlapic_base_set(struct vcpu *v, u64 value)
{
	struct vlapic *l = v->arch->vlapic;
	u64 mode = value & (APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	u64 old_mode = l->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	/* The page does not move, because only one place of it is trapped. */
	if ((value & ~(APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE)) != APIC_PAGE) {
		return -EFAULT;
	}
	/* SDM 3 10.12.5: x2APIC only from xAPIC, and back only through off. */
	if (mode == APIC_BASE_X2APIC ||
	    (mode == APIC_BASE_ENABLE && old_mode == (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ||
	    (mode == (APIC_BASE_ENABLE | APIC_BASE_X2APIC) && old_mode == 0)) {
		return -EFAULT;
	}
	if (!mode && old_mode) {
		vlapic_reset(v);
	}
	l->base = (value & ~APIC_BASE_BSP) | (l->base & APIC_BASE_BSP);
	return 0;
}

void vlapic_reset(struct vcpu *v)
{
	struct vlapic *l = v->arch->vlapic;
	unsigned int i;

	timer_stop(&l->timer);
	for (i = 0; i < 4; i++) {
		__atomic_store_n(&l->irr[i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&l->tmr[i], 0, __ATOMIC_RELAXED);
		l->isr[i] = 0;
	}
	l->isr_top = -1;
	l->tpr = l->ldr = l->esr = l->esr_pending = 0;
	l->icr = 0;
	l->dfr = ~0u;
	l->svr = 0xff;
	l->timer_initial = l->timer_divide = 0;
	for (i = 0; i < LVT_COUNT; i++) {
		l->lvt[i] = LVT_MASKED;
	}
}

int vlapic_create(struct vcpu *v)
{
	struct vlapic *l = heap_alloc(sizeof(*l));

	if (!l) {
		return -ENOMEM;
	}
	l->vcpu = v;
	v->arch->vlapic = l;
	timer_init(&l->timer, timer_expired, l, v->cpu);
	l->base = APIC_PAGE | APIC_BASE_ENABLE | (vcpu_id_raw(v->id) == 0 ? APIC_BASE_BSP : 0);
	vlapic_reset(v);
	return 0;
}

void vlapic_destroy(struct vcpu *v)
{
	if (v->arch->vlapic) {
		timer_stop(&v->arch->vlapic->timer);
		heap_free(v->arch->vlapic);
		v->arch->vlapic = NULL;
	}
}
