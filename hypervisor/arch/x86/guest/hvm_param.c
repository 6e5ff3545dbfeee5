/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HVM parameters: numbers that toolstack, guest and hypervisor leave for each other
 * (<xen/hvm/params.h>). Who may set which is policy's; what a value does is here.
 */
#include "arch/x86/guest/hvm_arch.h"

#include "hv/error.h"

static int callback_set(struct domain *d, u64 value)
{
	struct arch_domain *a = d->arch;
	unsigned int type = (unsigned int)(value >> 56);
	struct vcpu *v;

	switch (type) {
	case HVM_PARAM_CALLBACK_TYPE_GSI:
		a->has_callback_vector = false;
		a->callback_gsi = (u32)value;
		break;
	case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
		/* device x pin to line, as on the emulated PC: SDM-independent, <xen/hvm/params.h>
		 */
		a->has_callback_vector = false;
		a->callback_gsi = 16 + (((u32)(value >> 11 & 31) * 4 + (u32)(value & 3)) & 31);
		break;
	case HVM_PARAM_CALLBACK_TYPE_VECTOR:
		a->callback_gsi = 0;
		store_relaxed(&a->callback_vector, (u8)value);
		store_release(&a->has_callback_vector, (u8)value >= 16);
		break;
	default:
		a->has_callback_vector = false;
		a->callback_gsi = 0;
		break;
	}
	/* What became pending before is delivered the new way. */
	for_each_vcpu (v, d) {
		__atomic_store_n(&v->arch->event_pending, 1, __ATOMIC_SEQ_CST);
		arch_vcpu_kick(v);
	}
	return 0;
}

int hvm_param_get(struct domain *d, u32 index, u64 *value)
{
	if (index >= HVM_NR_PARAMS) {
		return -EINVAL;
	}
	*value = d->arch->params[index_clamp(index, HVM_NR_PARAMS)];
	return 0;
}

int hvm_param_set(struct domain *d, u32 index, u64 value)
{
	if (index >= HVM_NR_PARAMS) {
		return -EINVAL;
	}
	index = (u32)index_clamp(index, HVM_NR_PARAMS);
	if (index == HVM_PARAM_CALLBACK_IRQ) {
		int rc = callback_set(d, value);

		if (rc) {
			return rc;
		}
	}
	d->arch->params[index] = value;
	return 0;
}

/*
 * A callback by line needs the line's device: only the emulated I/O APIC of an HVM guest has
 * it. Until such guests are built, an upcall of theirs is seen when the guest looks itself.
 */
void hvm_callback_gsi_update(struct vcpu *v)
{
}
