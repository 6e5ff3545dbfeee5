/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as a guest reads it: it multiplies its own TSC by the numbers in vcpu_time_info
 * (<xen/xen.h>), without an exit. The hypervisor's clock is made of the same TSC with the same
 * two numbers, so the page is written once and holds for ever; again only when the guest's TSC
 * offset changes.
 */
#include "arch/contract/guest.h"

#include <stdint.h>
#include <xen/xen.h>

#include "arch/x86/guest/hvm.h"
#include "arch/x86/host/apic.h"
#include "arch/x86/host/time.h"
#include "asm/io.h"
#include "core/rcu.h"
#include "core/timer.h"
#include "domain/vcpu.h"
#include "drivers/acpi/acpi.h"

#define RTC_INDEX 0x70
#define RTC_DATA  0x71

/* --- vcpu_time_info --- */

static void time_info_fill(const struct vcpu *v, struct vcpu_time_info *t)
{
	*t = (struct vcpu_time_info){
		.tsc_timestamp = clock_tsc_start + hvm_tsc_offset(v),
		.system_time = 0,
		.tsc_to_system_mul = clock_scale.multiplier,
		.tsc_shift = clock_scale.shift,
		/* One clock for all CPUs: time never goes back from one vCPU to another. */
		.flags = XEN_PVCLOCK_TSC_STABLE_BIT,
	};
}

/* The versions around it are odd while it changes; the reader tries again. */
static void publish(struct vcpu_time_info *to, const struct vcpu_time_info *t, u32 version)
{
	store_relaxed(&to->version, version - 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to->tsc_timestamp = t->tsc_timestamp;
	to->system_time = t->system_time;
	to->tsc_to_system_mul = t->tsc_to_system_mul;
	to->tsc_shift = t->tsc_shift;
	to->flags = t->flags;
	store_release(&to->version, version);
}

void arch_vcpu_update_time(struct vcpu *v)
{
	struct vcpu_time_info t;
	struct vcpu_info *info;
	u32 version;

	if (!load_relaxed(&v->is_time_stale)) {
		return;
	}
	store_relaxed(&v->is_time_stale, false);
	time_info_fill(v, &t);
	v->time_version += 2;
	version = v->time_version;

	info = vcpu_info_map(v);
	if (info) {
		publish(&info->time, &t, version);
	}
	vcpu_info_unmap(v, info);

	if (guest_area_is_set(&v->time_area)) {
		t.version = version - 1;
		guest_area_write(&v->time_area, 0, &t.version, sizeof(t.version));
		__atomic_thread_fence(__ATOMIC_RELEASE);
		guest_area_write(&v->time_area, 0, &t, sizeof(t));
		__atomic_thread_fence(__ATOMIC_RELEASE);
		t.version = version;
		guest_area_write(&v->time_area, 0, &t.version, sizeof(t.version));
	}
}

/* --- wallclock --- */

static struct spinlock wallclock_lock = SPINLOCK_INIT(LOCK_WALLCLOCK);
static u64 wallclock_at_start_ns; /* wallclock_lock: since 1970, at system time 0 */

static void publish_wallclock_locked(struct domain *d)
{
	struct shared_info *s = d->shared_info;
	u64 ns = wallclock_at_start_ns, seconds;
	u32 version;

	if (!s) {
		return;
	}
	seconds = ns / NS_PER_SEC + (u64)load_relaxed(&d->time_offset_seconds);
	version = load_relaxed(&s->wc_version) | 1;
	store_relaxed(&s->wc_version, version);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	s->wc_sec = (u32)seconds;
	s->wc_sec_hi = (u32)(seconds >> 32);
	s->wc_nsec = (u32)(ns % NS_PER_SEC);
	store_release(&s->wc_version, version + 1);
}

void arch_domain_update_wallclock(struct domain *d)
{
	spin_lock(&wallclock_lock);
	publish_wallclock_locked(d);
	spin_unlock(&wallclock_lock);
}

void arch_wallclock_set(u64 seconds, u32 ns, u64 at)
{
	struct domain *d;

	spin_lock(&wallclock_lock);
	wallclock_at_start_ns = seconds * NS_PER_SEC + ns - at;
	rcu_read_lock();
	for_each_domain(d) {
		if (load_acquire(&d->is_created)) {
			publish_wallclock_locked(d);
		}
	}
	rcu_read_unlock();
	spin_unlock(&wallclock_lock);
}

static u8 rtc_read(u8 index)
{
	port_out8(RTC_INDEX, index);
	return port_in8(RTC_DATA);
}

/* MC146818: 0 s, 2 min, 4 h, 7 day, 8 month, 9 year; A bit 7 update in progress; B bit 2 binary, bit 1 24 h. */
static const u8 rtc_fields[6] = {0, 2, 4, 7, 8, 9};

static void rtc_read_all(u8 out[6])
{
	for (unsigned int tries = 0; tries < 100000 && (rtc_read(0x0a) & 0x80); tries++) {
	}
	for (unsigned int i = 0; i < 6; i++) {
		out[i] = rtc_read(rtc_fields[i]);
	}
}

/* Days since 1970 of a date of the proleptic Gregorian calendar, years counted from March. */
static u64 days_of_date(u64 year, unsigned int month, unsigned int day)
{
	u64 y = month <= 2 ? year - 1 : year;
	unsigned int m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void arch_wallclock_setup(void)
{
	u8 a[6], b[6], mode = rtc_read(0x0b);
	u64 seconds;

	/* Read twice the same: no update came between. */
	for (unsigned int tries = 0; tries < 10; tries++) {
		rtc_read_all(a);
		rtc_read_all(b);
		if (__builtin_memcmp(a, b, sizeof(a)) == 0) {
			break;
		}
	}
	for (unsigned int i = 0; i < 6; i++) {
		u8 pm = i == 2 && !(mode & 2) && (a[i] & 0x80) ? 12 : 0;
		u8 x = i == 2 && !(mode & 2) ? a[i] & 0x7f : a[i];

		if (!(mode & 4)) {
			x = (u8)((x >> 4) * 10 + (x & 0xf));
		}
		if (i == 2 && !(mode & 2)) {
			x = (u8)(x % 12 + pm);
		}
		a[i] = x;
	}
	seconds = days_of_date(2000u + a[5], a[4], a[3]) * 86400 + a[2] * 3600u + a[1] * 60u + a[0];
	arch_wallclock_set(seconds, 0, (u64)clock_now());
}

/* --- machine --- */

void arch_cpu_firmware_ids(cpu_t cpu, u32 *apic_id, u32 *acpi_id)
{
	const struct acpi_info *acpi = &acpi_info;

	*apic_id = apic_id_of(cpu);
	*acpi_id = *apic_id;
	for (unsigned int i = 0; i < acpi->cpu_count; i++) {
		if (acpi->cpus[i].apic_id == *apic_id) {
			*acpi_id = acpi->cpus[i].acpi_id;
		}
	}
}
