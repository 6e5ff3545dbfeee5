// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/time.h"

#include "arch/contract/host.h"
#include "arch/contract/machine.h"
#include "arch/x86/host/apic.h"
#include "asm/io.h"
#include "asm/msr.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/softirq.h"

#define FS_PER_NS	  1000000ull
#define CALIBRATION_NS	  4000000ull
#define PM_TIMER_HZ	  3579545ull
#define PIT_HZ		  1193182ull
#define HPET_CAPABILITIES 0x000
#define HPET_CONFIGURATION 0x010
#define HPET_COUNTER	  0x0f0

RO_AFTER_INIT struct clock_scale clock_scale;
RO_AFTER_INIT u64 clock_tsc_start, clock_tsc_khz;
static RO_AFTER_INIT struct clock_scale apic_scale; /* ns to APIC ticks */
static RO_AFTER_INIT struct clock_scale tsc_from_ns;

/* A counter that runs at a known rate; it may wrap once while we measure. */
struct reference {
	const char *name;
	u64 (*read)(void);
	u64 mask;
	u64 hz;
};

static INIT_DATA char *hpet;
static INIT_DATA u16 pm_timer_port;

static u64 read_hpet(void)
{
	return mmio_read32(hpet + HPET_COUNTER);
}

static u64 read_pm_timer(void)
{
	return port_in32(pm_timer_port);
}

/* Channel 2, which nobody waits for; it counts down. */
static u64 read_pit(void)
{
	u32 count;

	port_out8(0x43, 0x80);
	count = port_in8(0x42);
	count |= (u32)port_in8(0x42) << 8;
	return 0xffff - count;
}

static bool open_hpet(const struct machine_description *m, struct reference *out)
{
	u64 period_fs;

	if (!hpa_raw(m->hpet)) {
		return false;
	}
	hpet = arch_mmio_map(m->hpet, PAGE_SIZE);
	if (!hpet) {
		return false;
	}
	period_fs = mmio_read32(hpet + HPET_CAPABILITIES + 4);
	if (!period_fs || period_fs > 100 * FS_PER_NS) { /* IA-PC HPET 2.3.4 */
		return false;
	}
	mmio_write32(hpet + HPET_CONFIGURATION, mmio_read32(hpet + HPET_CONFIGURATION) | 1);
	*out = (struct reference){"HPET", read_hpet, 0xffffffff, 1000000000ull * FS_PER_NS / period_fs};
	return true;
}

static bool open_pm_timer(const struct machine_description *m, struct reference *out)
{
	if (!m->pm_timer_port || m->pm_timer_port > 0xffff) {
		return false;
	}
	pm_timer_port = (u16)m->pm_timer_port;
	*out = (struct reference){"ACPI PM timer", read_pm_timer,
				  m->is_pm_timer_32bit ? 0xffffffff : 0xffffff, PM_TIMER_HZ};
	return read_pm_timer() != 0xffffffff;
}

static void open_pit(struct reference *out)
{
	port_out8(0x61, (u8)((port_in8(0x61) & ~2u) | 1)); /* gate on, speaker off */
	port_out8(0x43, 0xb4);				   /* channel 2, both bytes, rate */
	port_out8(0x42, 0xff);
	port_out8(0x42, 0xff);
	*out = (struct reference){"PIT", read_pit, 0xffff, PIT_HZ};
}

/* Reference and TSC at one moment: of some tries, the one that took least time. */
static void sample(const struct reference *r, u64 *reference, u64 *tsc, u64 *apic)
{
	u64 before, after, value, best = ~0ull;
	unsigned int i;
	u32 apic_now;

	*reference = *tsc = *apic = 0;
	for (i = 0; i < 5; i++) {
		before = tsc_read_ordered();
		value = r->read();
		after = tsc_read_ordered();
		apic_now = apic_timer_count();
		if (after - before < best) {
			best = after - before;
			*reference = value & r->mask;
			*tsc = before + (after - before) / 2;
			*apic = ~apic_now;
		}
	}
}

static void calibrate(const struct reference *r, u64 *tsc_hz, u64 *apic_hz)
{
	u64 from, tsc_from, apic_from, to, tsc_to, apic_to, want, passed;
	u64 spins = 0;

	want = r->hz * CALIBRATION_NS / 1000000000ull;
	apic_timer_mask(true);
	apic_timer_start(0xffffffff);
	sample(r, &from, &tsc_from, &apic_from);
	do {
		passed = (r->read() - from) & r->mask;
		spins++;
		if (spins > 100000000ull) {
			boot_refuse("The %s does not count. The machine has no usable clock.", r->name);
		}
	} while (passed < want);
	sample(r, &to, &tsc_to, &apic_to);
	apic_timer_start(0);
	apic_timer_mask(false);
	passed = (to - from) & r->mask;
	*tsc_hz = (tsc_to - tsc_from) * r->hz / passed;
	*apic_hz = (apic_to - apic_from) * r->hz / passed;
}

void clock_scale_set(struct clock_scale *scale, u64 ticks_per_second)
{
	u64 ticks = ticks_per_second;
	s8 shift = 0;

	/* Bring the rate between 1 and 2 GHz, so that the 32-bit fraction keeps its precision. */
	while (ticks > 2000000000ull) {
		ticks >>= 1;
		shift--;
	}
	while (ticks <= 1000000000ull) {
		ticks <<= 1;
		shift++;
	}
	scale->shift = shift;
	scale->multiplier = (u32)((1000000000ull << 32) / ticks);
}

/* From nanoseconds to ticks of that rate: the same form, the other way round. */
static void set_inverse(struct clock_scale *scale, u64 ticks_per_second)
{
	u64 ns = 1000000000ull, ticks = ticks_per_second;
	s8 shift = 0;

	while (ticks >= ns) {
		ticks >>= 1;
		shift++;
	}
	while (ticks < ns / 2) {
		ticks <<= 1;
		shift--;
	}
	scale->shift = shift;
	scale->multiplier = (u32)((ticks << 32) / ns);
}

u64 clock_scale_ticks(const struct clock_scale *scale, u64 ticks)
{
	ticks = scale->shift >= 0 ? ticks << scale->shift : ticks >> -scale->shift;
	return (u64)(((unsigned __int128)ticks * scale->multiplier) >> 32);
}

void time_setup(const struct machine_description *m)
{
	struct reference r;
	u64 tsc_hz, apic_hz;

	if (!open_hpet(m, &r) && !open_pm_timer(m, &r)) {
		open_pit(&r);
	}
	calibrate(&r, &tsc_hz, &apic_hz);
	if (tsc_hz < 1000000 || apic_hz < 10000) {
		boot_refuse("The TSC or the local APIC timer does not run (measured with the %s).", r.name);
	}
	clock_tsc_khz = tsc_hz / 1000;
	clock_scale_set(&clock_scale, tsc_hz);
	set_inverse(&tsc_from_ns, tsc_hz);
	set_inverse(&apic_scale, apic_hz);
	clock_tsc_start = tsc_read();
	log_info("clock: TSC %lu kHz, APIC timer %lu kHz, measured with the %s\n", clock_tsc_khz,
		 apic_hz / 1000, r.name);
}

ns_t arch_clock_read(void)
{
	return (ns_t)clock_scale_ticks(&clock_scale, tsc_read() - clock_tsc_start);
}

void time_delay_us(unsigned int us)
{
	ns_t end = arch_clock_read() + us * NS_PER_US;

	while (arch_clock_read() < end) {
		arch_cpu_relax();
	}
}

/*
 * The earliest is 1 us away, so that a deadline in the past still gives an interrupt; far ones come early
 * and the timer queue arms again.
 */
void arch_timer_arm(ns_t deadline)
{
	ns_t delta;
	u64 ticks;

	if (deadline == NS_NEVER) {
		if (apic_timer_is_deadline()) {
			msr_write(MSR_TSC_DEADLINE, 0);
		} else {
			apic_timer_start(0);
		}
		return;
	}
	delta = deadline - arch_clock_read();
	delta = MIN(MAX(delta, NS_PER_US), 3600 * NS_PER_SEC);
	if (apic_timer_is_deadline()) {
		msr_write(MSR_TSC_DEADLINE, tsc_read() + clock_scale_ticks(&tsc_from_ns, (u64)delta));
		return;
	}
	ticks = clock_scale_ticks(&apic_scale, (u64)delta);
	apic_timer_start((u32)MIN(MAX(ticks, 1ull), 0xffffffffull));
}
