/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 2-level format: a bit for each port in shared_info, a word selector in vcpu_info.
 * shared_info is the hypervisor's own page, so no window is needed for it.
 */
#include "evtchn/table.h"

#include "lib/bitmap.h"

static u64 *pending_bits(const struct domain *d)
{
	return (u64 *)d->shared_info->evtchn_pending;
}
static u64 *mask_bits(const struct domain *d)
{
	return (u64 *)d->shared_info->evtchn_mask;
}

static u32 port_count(const struct domain *d)
{
	return EVTCHN_2L_NR_CHANNELS;
}

static bool is_told(const struct evtchn *ch)
{
	return ch->port.v < EVTCHN_2L_NR_CHANNELS;
}

static void select_word(struct vcpu *v, port_t port)
{
	struct vcpu_info *info = vcpu_info_map(v);
	bool was_set = !info || bitmap_atomic_test_and_set((u64 *)&info->evtchn_pending_sel, port.v / 64);

	vcpu_info_unmap(v, info);
	if (!was_set) {
		evtchn_mark_events_pending(v);
	}
}

static void set_pending(struct vcpu *v, struct evtchn *ch)
{
	struct domain *d = v->domain;

	if (!is_told(ch) || bitmap_atomic_test_and_set(pending_bits(d), ch->port.v)) {
		return;
	}
	if (!bitmap_test(mask_bits(d), ch->port.v)) {
		select_word(v, ch->port);
	}
	evtchn_check_pollers(d, ch->port);
}

static void clear_pending(struct domain *d, struct evtchn *ch)
{
	if (is_told(ch)) {
		(void)bitmap_atomic_test_and_clear(pending_bits(d), ch->port.v);
	}
}

/* The order matters: a sender between the first two steps sees the mask gone and selects. */
static void unmask(struct domain *d, struct evtchn *ch)
{
	struct vcpu *v = d->vcpus[ch->vcpu];

	if (is_told(ch) && v && bitmap_atomic_test_and_clear(mask_bits(d), ch->port.v) &&
	    bitmap_test(pending_bits(d), ch->port.v)) {
		select_word(v, ch->port);
	}
}

static bool is_pending(struct domain *d, const struct evtchn *ch)
{
	return is_told(ch) && bitmap_test(pending_bits(d), ch->port.v);
}

static bool is_busy(struct domain *d, const struct evtchn *ch)
{
	return false;
}

static int set_priority(struct domain *d, struct evtchn *ch, u32 priority)
{
	return -ENOSYS; /* as the header says: FIFO only */
}

const struct evtchn_format evtchn_2l = {
	.port_count = port_count,
	.set_pending = set_pending,
	.clear_pending = clear_pending,
	.unmask = unmask,
	.is_pending = is_pending,
	.is_busy = is_busy,
	.set_priority = set_priority,
};
