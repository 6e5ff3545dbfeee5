/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service hooks into a domain's life. boot/services.c has the table in setup
 * order; failure and destruction walk it backwards.
 */
#pragma once

#include "domain/domain.h"

struct vcpu;

struct domain_service {
	const char *name;
	/* A new domain, or vCPU: allocate and link. On error nothing is left. */
	int (*init)(struct domain *d, const struct domain_config *config);
	int (*vcpu_init)(struct vcpu *v);
	/*
	 * The domain dies: give up what others can reach. Restartable: 0 done, -ERESTART
	 * after a bounded piece (progress in d->teardown_step). vCPUs are paused for good.
	 */
	int (*teardown)(struct domain *d);
	/* The last reference is gone: free memory. Accepts a half-built domain. */
	void (*vcpu_fini)(struct vcpu *v);
	void (*fini)(struct domain *d);
	void (*dump)(struct domain *d); /* debug key */
};

/* NULL-terminated. */
extern const struct domain_service *const domain_services[];
