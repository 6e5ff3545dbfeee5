/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu_op, set_timer_op and vm_assist. A guest gives addresses of areas that the hypervisor
 * writes; they are looked up here, once, and kept as frames (domain/guest_area.h).
 */
#include <stdint.h>
#include <xen/vcpu.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/xen.h>

#include "arch/contract/guest.h"
#include "core/smp.h"
#include "evtchn/vtimer.h"
#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"

#define PERIOD_MIN_NS	 NS_PER_MS
#define TIMER_FAR_NS	 (1ll << 50) /* some 13 days */

static struct frame *get_ram(struct domain *d, gfn_t gfn)
{
	enum p2m_type type;
	struct frame *frame = p2m_get_frame(d, gfn, true, &type);

	if (frame && type != P2M_RAM) {
		frame_put(frame);
		return NULL;
	}
	return frame;
}

/* From a linear address of the caller. -EFAULT: not mapped, not writable, or not its own RAM. */
static int area_find(struct vcpu *caller, u64 linear, size_t size_bytes, struct guest_area *out)
{
	struct guest_area area = {.frames = {NULL, NULL}, .offset = (u16)page_offset(linear), .size_bytes = (u16)size_bytes};
	unsigned int pages = page_offset(linear) + size_bytes > PAGE_SIZE ? 2 : 1;
	gpa_t gpa;

	for (unsigned int i = 0; i < pages; i++) {
		if (!arch_guest_translate(caller, (linear & PAGE_MASK) + i * PAGE_SIZE, GUEST_WRITE, &gpa)) {
			area.frames[i] = get_ram(caller->domain, gpa_to_gfn(gpa));
		}
		if (!area.frames[i]) {
			guest_area_release(&area);
			return -EFAULT;
		}
	}
	*out = area;
	return 0;
}

/* Exchanges an area of v, which is the caller or must stand still for it. */
static void area_exchange(struct vcpu *caller, struct vcpu *v, struct guest_area *slot, struct guest_area *new)
{
	struct guest_area old;

	if (v != caller) {
		vcpu_pause(v);
	}
	spin_lock(&v->domain->lock);
	old = *slot;
	*slot = *new;
	spin_unlock(&v->domain->lock);
	v->is_time_stale = true;
	if (v != caller) {
		vcpu_unpause(v);
	}
	guest_area_release(&old);
}

static long do_register_info(struct vcpu *caller, struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_register_vcpu_info a;
	struct guest_area area = {.frames = {NULL, NULL}};
	int rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.offset > PAGE_SIZE - sizeof(struct vcpu_info)) {
		return -EINVAL;
	}
	if (v != caller && load_relaxed(&v->is_up)) {
		return -EINVAL;
	}
	area.frames[0] = get_ram(v->domain, gfn_of(a.mfn));
	if (!area.frames[0]) {
		return -EINVAL;
	}
	area.offset = (u16)a.offset;
	area.size_bytes = sizeof(struct vcpu_info);
	spin_lock(&v->domain->lock);
	rc = domain_is_dying(v->domain) ? -EINVAL : vcpu_info_move(v, &area);
	spin_unlock(&v->domain->lock);
	if (rc) {
		guest_area_release(&area);
		return rc;
	}
	arch_vcpu_update_time(v);
	return 0;
}

static long do_register_runstate(struct vcpu *caller, struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_register_runstate_memory_area a;
	struct guest_area area = {.frames = {NULL, NULL}};

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.addr.p && area_find(caller, a.addr.p, sizeof(struct vcpu_runstate_info), &area)) {
		return -EFAULT;
	}
	area_exchange(caller, v, &v->runstate_area, &area);
	vcpu_runstate_publish(v, clock_now());
	return 0;
}

static long do_register_time(struct vcpu *caller, struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_register_time_memory_area a;
	struct guest_area area = {.frames = {NULL, NULL}};

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.addr.p && area_find(caller, a.addr.p, sizeof(struct vcpu_time_info), &area)) {
		return -EFAULT;
	}
	area_exchange(caller, v, &v->time_area, &area);
	arch_vcpu_update_time(v);
	return 0;
}

static long do_set_singleshot(struct vcpu *caller, struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_set_singleshot_timer a;

	if (v != caller) {
		return -EINVAL;
	}
	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	/* VCPU_SSHOTTMR_future may be ignored, and 4.17 does: a deadline that is over fires at once. */
	vtimer_set_singleshot(v, MIN(a.timeout_abs_ns, (u64)NS_NEVER - 1));
	return 0;
}

static long do_set_periodic(struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_set_periodic_timer a;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.period_ns < (u64)PERIOD_MIN_NS || a.period_ns > (u64)TIMER_FAR_NS) {
		return -EINVAL;
	}
	vtimer_set_periodic(v, (ns_t)a.period_ns);
	return 0;
}

static long do_get_runstate(struct vcpu *v, guest_ptr_t to)
{
	struct vcpu_runstate_info info;

	vcpu_runstate_get(v, &info);
	return guest_write(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long do_initialise(struct vcpu *v, guest_ptr_t at)
{
	struct vcpu_hvm_context context;
	int rc;

	if (guest_read(&context, at, sizeof(context))) {
		return -EFAULT;
	}
	spin_lock(&v->domain->lock);
	rc = v->is_initialised ? -EEXIST : arch_vcpu_initialise(v, &context);
	if (!rc) {
		store_release(&v->is_initialised, true);
	}
	spin_unlock(&v->domain->lock);
	return rc;
}

/* arg: command, vCPU, pointer. */
long op_vcpu(struct hypercall *call)
{
	struct vcpu *caller = call->caller, *v;
	struct domain *d = caller->domain;
	u64 id = (u32)call->arg[1];
	guest_ptr_t at = call_ptr(call, 2);

	v = id < d->vcpu_count ? load_acquire(&d->vcpus[index_clamp(id, d->vcpu_count)]) : NULL;
	if (!v) {
		return -ENOENT;
	}
	switch ((u32)call->arg[0]) {
	case VCPUOP_initialise:
		return do_initialise(v, at);
	case VCPUOP_up:
		if (!v->is_initialised) {
			return -EINVAL;
		}
		vcpu_up(v);
		return 0;
	case VCPUOP_down:
		vcpu_halt(v);
		return 0;
	case VCPUOP_is_up:
		return load_relaxed(&v->is_up);
	case VCPUOP_get_runstate_info:
		return do_get_runstate(v, at);
	case VCPUOP_register_runstate_memory_area:
		return do_register_runstate(caller, v, at);
	case VCPUOP_set_periodic_timer:
		return do_set_periodic(v, at);
	case VCPUOP_stop_periodic_timer:
		vtimer_set_periodic(v, 0);
		return 0;
	case VCPUOP_set_singleshot_timer:
		return do_set_singleshot(caller, v, at);
	case VCPUOP_stop_singleshot_timer:
		if (v != caller) {
			return -EINVAL;
		}
		vtimer_set_singleshot(v, NS_NEVER);
		return 0;
	case VCPUOP_register_vcpu_info:
		return do_register_info(caller, v, at);
	case VCPUOP_register_vcpu_time_memory_area:
		return do_register_time(caller, v, at);
	default:
		return -ENOSYS; /* VCPUOP_send_nmi and _get_physid are for classic PV */
	}
}

/* arg: deadline in system time, 0 stops. */
long op_set_timer(struct hypercall *call)
{
	struct vcpu *v = call->caller;
	s64 deadline = (s64)call->arg[0];
	ns_t now = clock_now();

	if (deadline == 0) {
		vtimer_set_singleshot(v, NS_NEVER);
	} else if (deadline < 0 || deadline - now > TIMER_FAR_NS) {
		/*
		 * Guests whose tick arithmetic wraps mean "now"; others mean "never" by it. A look
		 * in a tenth of a second is good for both.
		 */
		vtimer_set_singleshot(v, now + 100 * NS_PER_MS);
	} else {
		vtimer_set_singleshot(v, deadline);
	}
	return 0;
}

/* arg: command, type. */
long op_vm_assist(struct hypercall *call)
{
	/* The others are about page tables and segments of classic PV. */
	const u64 allowed = BIT(VMASST_TYPE_runstate_update_flag);
	struct domain *d = call->caller->domain;
	u64 cmd = (u32)call->arg[0], type = (u32)call->arg[1];

	if (type >= 64 || !(allowed & BIT(type))) {
		return -EINVAL;
	}
	switch (cmd) {
	case VMASST_CMD_enable:
		__atomic_fetch_or(&d->vm_assist, BIT(type), __ATOMIC_RELAXED);
		return 0;
	case VMASST_CMD_disable:
		__atomic_fetch_and(&d->vm_assist, ~BIT(type), __ATOMIC_RELAXED);
		return 0;
	default:
		return -ENOSYS;
	}
}
