/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: life, references, death in phases.
 *
 * A domain is found by id under RCU and kept by a reference. It dies in named phases
 * (service.h), each restartable; the last reference frees it after a grace period.
 * domain_create() leaves nothing behind when it fails.
 */
#pragma once

#include "core/rcu.h"
#include "core/spinlock.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "hv/types.h"
#include "lib/refcount.h"

struct vcpu;
struct arch_domain;
struct p2m;
struct evtchn_table;
struct grant_table;
struct ioreq_domain;
struct sched_domain;
struct iommu_domain;
struct vpci_domain;
struct hwirq_domain;
struct memory_domain;
struct shared_info;
struct domain_watchdog;

#define DOMAIN_ID_MAX 0x7fefu /* below DOMID_FIRST_RESERVED */
#define VCPU_MAX 128u	      /* for each domain */

#define SHUTDOWN_CODE_NONE 0xffu

enum domain_dying { DOMAIN_ALIVE, DOMAIN_DYING, DOMAIN_DEAD };

struct domain {
	domain_id_t id;
	refcount_t references;
	struct domain *next;	     /* all domains by id; written under LOCK_DOMCTL, read under RCU */
	struct domain *hash_next;    /* the same */
	struct rcu_head rcu;
	struct spinlock lock;	     /* LOCK_DOMAIN */

	bool is_control;	     /* dom0: may ask for anything */
	bool is_hardware;	     /* dom0: owns the machine's devices */
	bool is_created;	     /* fully built: visible to domctl */
	bool is_xenstore;
	u8 dying;		     /* enum domain_dying */
	unsigned int teardown_phase; /* index into the service table */
	unsigned int teardown_step;  /* private to the current phase; 0 when it begins */
	bool is_teardown_busy;	     /* somebody runs a piece of it now, atomic */
	bool is_shutting_down, is_shut_down;
	u8 shutdown_code;	     /* SHUTDOWN_* of <xen/sched.h>, SHUTDOWN_CODE_NONE until one is known */
	u32 pause_count;	     /* everybody's, atomic; vCPUs hold it too */
	u32 control_pauses;	     /* of them the tools', atomic */
	u32 create_flags;	     /* XEN_DOMCTL_CDF_* */
	u8 handle[16];
	domain_id_t target;	     /* a device model's domain, or DOMID_INVALID */
	u32 ssidref;		     /* kept for the tools; no rule reads it */
	u32 emulation_flags;	     /* XEN_X86_EMU_* */
	u16 sched_weight, sched_cap; /* as credit2: 256, and per cent of a CPU, 0 none */
	u64 mempool_pages;	     /* set_paging_mempool_size, kept for the tools */
	u64 node_affinity;	     /* bitmap of NUMA nodes, kept for the tools */

	unsigned int vcpu_count;     /* slots; set once by max_vcpus */
	struct vcpu **vcpus;	     /* vcpu_count of them; entries may be NULL */
	u64 poll_mask[2];	     /* vCPUs in SCHEDOP_poll, atomic */

	u64 frame_count;	     /* frames that it owns, atomic */
	u64 frame_limit;	     /* max_mem */
	u64 frames_claimed;	     /* outstanding claim */
	u64 heap_pages;		     /* the hypervisor's pages spent on it, atomic */
	u64 heap_limit;
	u64 shared_frames_mapped;    /* foreign + grant, for getdomaininfo */
	u64 vm_assist;

	struct shared_info *shared_info; /* heap page, FRAME_SHARED */
	port_t suspend_port;	     /* told instead of VIRQ_DOM_EXC on suspend; 0: none */
	struct domain_watchdog *watchdogs; /* SCHEDOP_watchdog, allocated at first use */
	s64 time_offset_seconds;     /* added to the wallclock that it sees */

	struct arch_domain *arch;
	struct p2m *p2m;
	struct memory_domain *memory;
	struct evtchn_table *evtchn;
	struct grant_table *grant;
	struct ioreq_domain *ioreq;
	struct sched_domain *sched;
	struct iommu_domain *iommu;
	struct vpci_domain *vpci;
	struct hwirq_domain *hwirq;
};

/* What createdomain decides once. Limits that are 0 mean the default. */
struct domain_config {
	u32 create_flags; /* XEN_DOMCTL_CDF_* */
	u32 vcpu_count;
	u32 evtchn_limit;
	u32 grant_frame_limit, maptrack_frame_limit;
	u8 grant_version_limit; /* 1 or 2 */
	u32 emulation_flags;	/* XEN_X86_EMU_* */
	u8 handle[16];
	bool is_control, is_hardware;
};

/*
 * Builds an empty, paused (pause_count 1) domain. id DOMID_INVALID: the next free one.
 * -EEXIST id taken, -EINVAL configuration, -ENOMEM. *out holds a reference for the caller.
 */
int domain_create(domain_id_t id, const struct domain_config *config, struct domain **out) MUST_CHECK;
/* NULL: no such domain. The caller puts it. Any context. */
struct domain *domain_get(domain_id_t id);
/* No reference is taken, a half-built one is found, too: only under RCU, by who knows that it lives. */
struct domain *domain_find(domain_id_t id);
void domain_get_more(struct domain *d);
void domain_put(struct domain *d); /* NULL does nothing */
/* DOMID_SELF is the caller's; a dying one is found, too. */
struct domain *domain_get_or_self(struct domain *caller, u16 raw_id);
/* The first domain with an id >= id (for listing), with a reference; NULL at the end. */
struct domain *domain_get_from(u16 id);
/* All domains in the order of their ids, without references: only between rcu_read_lock() and _unlock(). */
#define for_each_domain(d) for ((d) = rcu_load(&domain_list); (d); (d) = rcu_load(&(d)->next))
extern struct domain *domain_list;
/* max_vcpus: makes the slots (once) and the vCPUs. -EINVAL, -ENOMEM; what was made stays until death. */
int domain_set_vcpu_count(struct domain *d, unsigned int count) MUST_CHECK;

/* Starts or continues the death of d. 0 done, -ERESTART call again, -EINVAL for dom0. */
int domain_kill(struct domain *d) MUST_CHECK;
/* The guest did something impossible: stop it, tell dom0. why is for the log. Any context. */
void domain_crash(struct domain *d, const char *why);
/* SCHEDOP_shutdown and remote shutdown; suspends all vCPUs, raises VIRQ_DOM_EXC. */
void domain_shutdown(struct domain *d, u8 code);
void domain_resume(struct domain *d); /* takes the shutdown back */
void domain_pause(struct domain *d);   /* by count; returns when no vCPU runs; not from its own vCPU */
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);

static inline bool domain_is_dying(const struct domain *d)
{
	return __atomic_load_n(&d->dying, __ATOMIC_ACQUIRE) != DOMAIN_ALIVE;
}
extern struct domain *dom0;
/* Told when a domain shuts down or dies: raises VIRQ_DOM_EXC or the suspend port. Filled by evtchn. */
extern void (*domain_shutdown_notify)(struct domain *d);

/* Frames' and system's pseudo owners have ids from DOMID_IO, DOMID_XEN. */
#define for_each_vcpu(v, d)                                                                        \
	for (unsigned int vcpu_i_ = 0; vcpu_i_ < (d)->vcpu_count; vcpu_i_++)                       \
		if (((v) = load_acquire(&(d)->vcpus[vcpu_i_])) != NULL)

/* dom0 went down with this code: power off, reboot, or wait after a crash (option noreboot). */
void domain_host_shutdown(u8 code);
/* RCU callback: frees the struct of a domain that never was visible. */
void domain_free_memory(struct rcu_head *head);

#ifndef ERESTART
#define ERESTART 85 /* internal: the call made progress and wants to be issued again */
#endif
