/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hypercall/domctl.h"

#include "arch/contract/guest.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "sched/pool.h"

static u64 cpu_time_of(const struct vcpu *v)
{
	struct vcpu_runstate_info info;

	vcpu_runstate_get(v, &info);
	return info.time[RUNSTATE_running];
}

/* What its vCPUs are doing: blocked when all that are up are, running when one is. */
static void fill_vcpus(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	struct vcpu *v;

	info->flags |= XEN_DOMINF_blocked;
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(v, d) {
		info->cpu_time += cpu_time_of(v);
		info->max_vcpu_id = v->id.v;
		if (!load_relaxed(&v->is_up)) {
			continue;
		}
		info->nr_online_vcpus++;
		if (!load_relaxed(&v->is_blocked)) {
			info->flags &= ~XEN_DOMINF_blocked;
		}
		if (load_relaxed(&v->is_running)) {
			info->flags |= XEN_DOMINF_running;
		}
	}
}

void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	u8 code = load_relaxed(&d->shutdown_code);

	memset(info, 0, sizeof(*info));
	info->domain = d->id.v;
	info->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
	fill_vcpus(d, info);
	if (load_relaxed(&d->dying) == DOMAIN_DEAD) {
		info->flags |= XEN_DOMINF_dying;
	}
	if (load_relaxed(&d->is_shut_down)) {
		info->flags |= XEN_DOMINF_shutdown;
	}
	if (load_relaxed(&d->control_pauses) && load_relaxed(&d->pause_count)) {
		info->flags |= XEN_DOMINF_paused;
	}
	if (d->is_xenstore) {
		info->flags |= XEN_DOMINF_xs_domain;
	}
	info->flags |= (u32)(code == SHUTDOWN_CODE_NONE ? 0 : code) << XEN_DOMINF_shutdownshift;
	info->tot_pages = load_relaxed(&d->frame_count);
	info->max_pages = load_relaxed(&d->frame_limit);
	info->outstanding_pages =
		d->frames_claimed > info->tot_pages ? d->frames_claimed - info->tot_pages : 0;
	info->shared_info_frame = ~0ull; /* a translated guest says itself where it is */
	info->ssidref = d->ssidref;
	memcpy(info->handle, d->handle, sizeof(info->handle));
	info->cpupool = sched_pool_of(d);
	info->gpaddr_bits = arch_guest_address_bits();
	info->arch_config.emulation_flags = d->emulation_flags;
}

long domctl_vcpu_info(struct domain *d, struct xen_domctl_getvcpuinfo *a)
{
	struct vcpu *v;

	if (a->vcpu >= d->vcpu_count) {
		return -EINVAL;
	}
	v = load_acquire(&d->vcpus[index_clamp(a->vcpu, d->vcpu_count)]);
	if (!v) {
		return -ESRCH;
	}
	a->online = load_relaxed(&v->is_up);
	a->blocked = load_relaxed(&v->is_blocked);
	a->running = load_relaxed(&v->is_running);
	a->cpu_time = cpu_time_of(v);
	a->cpu = load_relaxed(&v->cpu);
	return 0;
}

/* --- bitmaps of the tools --- */

int domctl_read_bitmap(const struct xenctl_bitmap *from, u64 *to, unsigned int bits)
{
	size_t wanted = BITMAP_WORDS(bits) * 8, given = ((size_t)from->nr_bits + 7) / 8;
	size_t n = MIN(wanted, given);

	memset(to, 0, wanted);
	if (guest_read(to, handle_ptr(from->bitmap), n)) {
		return -EFAULT;
	}
	if (from->nr_bits < bits) {
		bitmap_clear_range(to, from->nr_bits, BITMAP_WORDS(bits) * 64 - from->nr_bits);
	} else if (bits % 64) {
		bitmap_clear_range(to, bits, BITMAP_WORDS(bits) * 64 - bits);
	}
	return 0;
}

int domctl_write_bitmap(const struct xenctl_bitmap *to, const u64 *from, unsigned int bits)
{
	size_t has = ((size_t)bits + 7) / 8, room = ((size_t)to->nr_bits + 7) / 8;
	size_t n = MIN(has, room);

	if (guest_write(handle_ptr(to->bitmap), from, n) ||
	    guest_clear(guest_ptr_add(handle_ptr(to->bitmap), n), MIN(room - n, 4096ul))) {
		return -EFAULT;
	}
	return 0;
}
