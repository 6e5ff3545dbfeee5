/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of domctl and sysctl. Each gets the operation as it was copied in, and changes its
 * output fields; the caller copies it back.
 */
#pragma once

#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/bitmap.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

/* domctl_info.c */
void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info);
long domctl_vcpu_info(struct domain *d, struct xen_domctl_getvcpuinfo *a);

/* domctl_sched.c */
long domctl_set_affinity(struct domain *d, struct xen_domctl_vcpuaffinity *a);
long domctl_get_affinity(struct domain *d, struct xen_domctl_vcpuaffinity *a);
long domctl_scheduler(struct domain *d, struct xen_domctl_scheduler_op *a);
long sysctl_cpupool(struct domain *caller, struct xen_sysctl_cpupool_op *a);
long sysctl_scheduler(struct xen_sysctl_scheduler_op *a);

/* domctl_memory.c */
long domctl_page_info(struct hypercall *call, struct domain *d, struct xen_domctl_getpageframeinfo3 *a);

/* Bitmaps of the tools. -EFAULT. Bits past what one side has are dropped or 0. */
int domctl_read_bitmap(const struct xenctl_bitmap *from, u64 *to, unsigned int bits) MUST_CHECK;
int domctl_write_bitmap(const struct xenctl_bitmap *to, const u64 *from, unsigned int bits) MUST_CHECK;
