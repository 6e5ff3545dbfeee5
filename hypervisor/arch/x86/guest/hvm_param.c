/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HVM parameters: numbers that toolstack, guest and hypervisor leave for each other
 * (<xen/hvm/params.h>). Who may set which is policy's; what a value does is here.
 */
#include "arch/x86/guest/hvm_arch.h"

#include "hv/error.h"

/*
 * Only a vector calls: lines (by GSI, or by a PCI function's INTx) need an interrupt controller of
 * a PC, which guests without emulated devices have not. As in Xen, asking one of those for a line
 * changes nothing, and neither does asking for no callback at all.
 */
static void callback_set(struct domain *d, u64 value)
{
	struct vcpu *v;

	if (value >> 56 != HVM_PARAM_CALLBACK_TYPE_VECTOR) {
		return;
	}
	store_release(&d->arch->callback_vector, (u8)((u8)value < 16 ? 0 : value));
	/* What became pending before is delivered the new way. */
	for_each_vcpu (v, d) {
		__atomic_store_n(&v->arch->event_pending, 1, __ATOMIC_SEQ_CST);
		arch_vcpu_kick(v);
	}
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
		callback_set(d, value);
	}
	d->arch->params[index] = value;
	return 0;
}
