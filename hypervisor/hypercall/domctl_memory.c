/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hypercall/domctl.h"

#include "memory/guest_access.h"
#include "memory/p2m.h"

#define BATCH_MAX 1024u

/* What kind of page each frame number is, for save: in the top bits of what was given. */
long domctl_page_info(struct hypercall *call, struct domain *d, struct xen_domctl_getpageframeinfo3 *a)
{
	guest_ptr_t list = handle_ptr(a->array);
	xen_pfn_t gfn;

	if (a->num > BATCH_MAX) {
		return -E2BIG;
	}
	for (u64 i = 0; i < a->num; i++) {
		if (guest_read_element(&gfn, list, i, sizeof(gfn))) {
			return -EFAULT;
		}
		switch (p2m_lookup(d, gfn_of(gfn)).type) {
		case P2M_RAM:
		case P2M_RAM_RO:
		case P2M_POD:
			gfn = XEN_DOMCTL_PFINFO_NOTAB;
			break;
		default:
			gfn = XEN_DOMCTL_PFINFO_XTAB;
		}
		if (guest_write_element(list, i, &gfn, sizeof(gfn))) {
			return -EFAULT;
		}
	}
	return 0;
}
