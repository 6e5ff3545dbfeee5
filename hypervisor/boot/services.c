// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domain services in setup order. Failure and destruction walk the table backwards.
 */
#include "arch/contract/guest.h"
#include "domain/service.h"
#include "drivers/iommu/iommu.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "memory/p2m.h"
#include "memory/physmap.h"
#include "sched/sched.h"
#include "vpci/vpci.h"

const struct domain_service *const domain_services[] = {
	&p2m_service,	      /* guest memory: everything below puts something there */
	&physmap_service,     /* what that memory is made of */
	&iommu_service,	      /* the devices' view of it */
	&arch_domain_service, /* virtual CPUs and interrupt controllers */
	&arch_device_service, /* traps registered with the former */
	&evtchn_service,
	&grant_service, /* its mappings go before the memory that they are in */
	&vpci_service,
	&sched_service, /* last: a vCPU that is known to it is complete */
	NULL,
};
