/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocking is a flag and a barrier on each side, not a lock: the vCPU sets is_blocked and
 * then looks for events; a sender makes the event visible and then clears is_blocked.
 * At least one of the two sees the other.
 */
#include "domain/vcpu.h"

#include <xen/sched.h>

#include "arch/contract/guest.h"
#include "core/smp.h"
#include "domain/domain.h"
#include "domain/service.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/frame.h"
#include "mm/window.h"
#include "sched/sched.h"

static void handle_poll_timeout(void *data)
{
	struct vcpu *v = data;

	if (vcpu_poll_end(v)) {
		vcpu_wake_event(v);
	}
}

static void fini_services(struct vcpu *v, unsigned int count)
{
	while (count-- > 0) {
		if (domain_services[count]->vcpu_fini) {
			domain_services[count]->vcpu_fini(v);
		}
	}
}

int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out)
{
	struct vcpu *v;
	int rc;

	if (id >= d->vcpu_count) {
		return -EINVAL;
	}
	if (d->vcpus[id]) {
		return -EEXIST;
	}
	v = heap_alloc(sizeof(*v));
	if (!v) {
		return -ENOMEM;
	}
	v->domain = d;
	v->id = vcpu_id_of((u16)id);
	v->cpu = id % smp_cpu_count();
	v->runstate = RUNSTATE_offline;
	v->runstate_since = clock_now();
	v->is_time_stale = true;
	memset(&v->hard_affinity, 0xff, sizeof(v->hard_affinity));
	memset(&v->soft_affinity, 0xff, sizeof(v->soft_affinity));
	spinlock_init(&v->lock, LOCK_VCPU);
	timer_init(&v->poll_timer, handle_poll_timeout, v, v->cpu);

	for (unsigned int i = 0; domain_services[i]; i++) {
		rc = domain_services[i]->vcpu_init ? domain_services[i]->vcpu_init(v) : 0;
		if (rc) {
			fini_services(v, i);
			heap_free(v);
			return rc;
		}
	}
	store_release(&d->vcpus[id], v); /* pairs with for_each_vcpu() */
	*out = v;
	return 0;
}

static void put_info_frame(struct rcu_head *head)
{
	struct vcpu *v = container_of(head, struct vcpu, rcu);
	struct domain *d = v->domain;

	frame_put(v->info_dying);
	v->info_dying = NULL;
	domain_put(d);
}

void vcpu_teardown(struct vcpu *v)
{
	timer_stop(&v->poll_timer);
	timer_stop(&v->singleshot);
	timer_stop(&v->periodic);
	guest_area_release(&v->runstate_area);
	guest_area_release(&v->time_area);
	/* Senders of events read info_area under RCU. Not kept until the end, as it would be the end's hindrance. */
	if (guest_area_is_set(&v->info_area)) {
		v->info_dying = v->info_area.frames[0];
		store_release(&v->info_area.frames[0], NULL);
		domain_get_more(v->domain);
		rcu_call(&v->rcu, put_info_frame);
	}
}

void vcpu_destroy(struct vcpu *v)
{
	unsigned int count = 0;

	while (domain_services[count]) {
		count++;
	}
	guest_area_release(&v->info_area);
	fini_services(v, count);
	heap_free(v);
}

/* --- may it run --- */

bool vcpu_is_runnable(const struct vcpu *v)
{
	const struct domain *d = v->domain;

	return load_relaxed(&v->is_up) && !load_relaxed(&v->is_blocked) &&
	       !load_relaxed(&v->pause_count) && !load_relaxed(&v->is_waiting_io) &&
	       !load_relaxed(&d->pause_count) && !load_relaxed(&d->is_shutting_down);
}

void vcpu_pause_nosync(struct vcpu *v)
{
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	sched_sleep(v);
}

void vcpu_pause(struct vcpu *v)
{
	ASSERT(v != vcpu_current());
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	sched_sleep_sync(v);
}

void vcpu_unpause(struct vcpu *v)
{
	CHECK(load_relaxed(&v->pause_count) > 0);
	if (__atomic_sub_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST) == 0) {
		sched_wake(v);
	}
}

void vcpu_up(struct vcpu *v)
{
	if (!__atomic_exchange_n(&v->is_up, true, __ATOMIC_SEQ_CST)) {
		sched_wake(v);
	}
}

void vcpu_down(struct vcpu *v)
{
	if (__atomic_exchange_n(&v->is_up, false, __ATOMIC_SEQ_CST)) {
		sched_sleep(v);
	}
}

/*
 * Linux as a PVH domain without a power-off method of its own halts its CPUs instead. Two that
 * halt at once both find the other one down or are seen by it: the exchange comes before the scan.
 */
void vcpu_halt(struct vcpu *v)
{
	struct vcpu *other;

	vcpu_down(v);
	for_each_vcpu(other, v->domain) {
		if (load_relaxed(&other->is_up)) {
			return;
		}
	}
	domain_shutdown(v->domain, SHUTDOWN_poweroff);
}

/* --- waiting --- */

void vcpu_block(struct vcpu *v)
{
	__atomic_store_n(&v->is_blocked, true, __ATOMIC_SEQ_CST);
	/* pairs with the exchange in vcpu_wake_event() */
	if (arch_vcpu_has_interrupt(v) || vcpu_has_event(v)) {
		__atomic_store_n(&v->is_blocked, false, __ATOMIC_SEQ_CST);
		return;
	}
	sched_sleep(v);
}

void vcpu_wake_event(struct vcpu *v)
{
	if (__atomic_exchange_n(&v->is_blocked, false, __ATOMIC_SEQ_CST)) {
		(void)vcpu_poll_end(v);
		sched_wake(v);
	}
}

bool vcpu_poll_end(struct vcpu *v)
{
	return bitmap_atomic_test_and_clear(v->domain->poll_mask, v->id.v);
}

/* --- run state --- */

static void runstate_read(const struct vcpu *v, struct vcpu_runstate_info *out)
{
	u32 version;

	do {
		version = load_acquire(&v->runstate_version);
		out->state = load_relaxed(&v->runstate);
		out->state_entry_time = (u64)load_relaxed(&v->runstate_since);
		for (unsigned int i = 0; i < 4; i++) {
			out->time[i] = load_relaxed(&v->runstate_time[i]);
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* pairs with the release in _change() */
	} while ((version & 1) || version != load_relaxed(&v->runstate_version));
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
	ns_t now = clock_now();

	runstate_read(v, out);
	if (now > (ns_t)out->state_entry_time) {
		out->time[out->state] += (u64)now - out->state_entry_time;
	}
}

void vcpu_runstate_publish(struct vcpu *v, ns_t now)
{
	struct vcpu_runstate_info info;
	const unsigned int at = __builtin_offsetof(struct vcpu_runstate_info, state_entry_time);
	bool has_flag = v->domain->vm_assist & BIT(VMASST_TYPE_runstate_update_flag);

	if (!guest_area_is_set(&v->runstate_area)) {
		return;
	}
	(void)now;
	runstate_read(v, &info);
	if (has_flag) {
		/* The guest reads, checks this flag, and reads again. */
		info.state_entry_time |= XEN_RUNSTATE_UPDATE;
		guest_area_write(&v->runstate_area, at, &info.state_entry_time, sizeof(u64));
		__atomic_thread_fence(__ATOMIC_RELEASE);
	}
	guest_area_write(&v->runstate_area, 0, &info, sizeof(info));
	if (has_flag) {
		__atomic_thread_fence(__ATOMIC_RELEASE);
		info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
		guest_area_write(&v->runstate_area, at, &info.state_entry_time, sizeof(u64));
	}
}

void vcpu_runstate_change(struct vcpu *v, int runstate, ns_t now)
{
	int old = v->runstate;

	if (old == runstate) {
		return;
	}
	store_release(&v->runstate_version, v->runstate_version + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (now > v->runstate_since) {
		store_relaxed(&v->runstate_time[old],
			      v->runstate_time[old] + (u64)(now - v->runstate_since));
		store_relaxed(&v->runstate_since, now);
	}
	store_relaxed(&v->runstate, runstate);
	store_release(&v->runstate_version, v->runstate_version + 1);
}

/* --- vcpu_info --- */

struct vcpu_info *vcpu_info_map(struct vcpu *v)
{
	struct domain *d = v->domain;

	if (guest_area_is_set(&v->info_area)) {
		u8 *page = window_map(frame_mfn(v->info_area.frames[0]));

		return (struct vcpu_info *)(page + v->info_area.offset);
	}
	if (v->id.v >= XEN_LEGACY_MAX_VCPUS || !d->shared_info) {
		return NULL;
	}
	return &d->shared_info->vcpu_info[v->id.v];
}

void vcpu_info_unmap(struct vcpu *v, struct vcpu_info *info)
{
	/* Decided by the address, because the area may have been registered meanwhile. */
	struct vcpu_info *first = v->domain->shared_info ? v->domain->shared_info->vcpu_info : NULL;

	if (info && !(info >= first && info < first + XEN_LEGACY_MAX_VCPUS)) {
		window_unmap(info);
	}
}

bool vcpu_has_event(struct vcpu *v)
{
	struct vcpu_info *info = vcpu_info_map(v);
	bool is_pending = info && load_relaxed(&info->evtchn_upcall_pending);

	vcpu_info_unmap(v, info);
	return is_pending;
}

int vcpu_info_move(struct vcpu *v, const struct guest_area *area)
{
	struct vcpu_info *old, *new;
	struct frame *frame = area->frames[0];

	if (guest_area_is_set(&v->info_area)) {
		return -EINVAL;
	}
	old = vcpu_info_map(v);
	new = (struct vcpu_info *)((u8 *)window_map(frame_mfn(frame)) + area->offset);
	if (old) {
		memcpy(new, old, sizeof(*new));
	} else {
		memset(new, 0, sizeof(*new));
	}
	/*
	 * A sender that still uses the old place is seen as well: everything is marked pending,
	 * and the guest looks at each channel once in vain.
	 */
	store_relaxed(&new->evtchn_pending_sel, ~0ul);
	store_relaxed(&new->evtchn_upcall_pending, (u8)1);
	window_unmap(new);

	v->info_area.offset = area->offset;
	v->info_area.size_bytes = area->size_bytes;
	store_release(&v->info_area.frames[0], frame); /* pairs with guest_area_is_set() */
	v->is_time_stale = true;
	arch_vcpu_notify_event(v); /* of what was just marked: senders do so only for a change from 0 */
	return 0;
}
