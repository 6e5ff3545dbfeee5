/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What generic code needs of a guest's virtual machine. Used by domain and above.
 * d->arch and v->arch are the architecture's own.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/error.h"
#include "hv/types.h"

struct domain;
struct domain_config;
struct domain_service;
struct vcpu;

/* --- the architecture as a domain service --- */
extern const struct domain_service arch_domain_service;
extern const struct domain_service arch_device_service; /* interrupts of devices that it owns */

/* --- running --- */
/*
 * Enters the guest on this CPU and handles one exit; returns with interrupts on. v is
 * current, runnable, and its state is loaded (arch_vcpu_load).
 */
void arch_vcpu_run(struct vcpu *v);
void arch_vcpu_load(struct vcpu *v); /* on a switch to v: lazy FPU, MSRs, barriers between domains */
void arch_vcpu_save(struct vcpu *v); /* on a switch away from it */
/* Makes a running vCPU leave the guest soon (IPI); nothing if it does not run. Any context. */
void arch_vcpu_kick(struct vcpu *v);

/* --- events --- */
/* evtchn_upcall_pending became 1: have the guest interrupted (callback vector or GSI). */
void arch_vcpu_notify_event(struct vcpu *v);
/* An interrupt that would be delivered now is pending (ends HLT, refuses to block). */
bool arch_vcpu_has_interrupt(struct vcpu *v);

/* --- time --- */
/* Writes vcpu_time_info of v with a new version; called at load and when it is registered. */
void arch_vcpu_update_time(struct vcpu *v);

/* Writes the wallclock of shared_info. */
void arch_domain_update_wallclock(struct domain *d);

void arch_wallclock_setup(void); /* start: reads the real-time clock */
/* It was seconds.ns after 1970 when system time was at; every domain is told. */
void arch_wallclock_set(u64 seconds, u32 ns, u64 at);
/* What the firmware calls a CPU (for dom0). */
/* Vendor (12 characters, not terminated) and version of the CPUs. */
void arch_cpu_version(char vendor[12], u32 *family, u32 *model, u32 *stepping);
/* Some bytes that are others for each other image. */
void arch_image_id(u8 *to, size_t size_bytes);
void arch_cpu_firmware_ids(cpu_t cpu, u32 *apic_id, u32 *acpi_id);

/* --- the caller's memory: linear address to guest physical, as the CPU would translate it --- */
/* v is the current vCPU. */
enum guest_access_kind { GUEST_READ, GUEST_WRITE };
int arch_guest_translate(struct vcpu *v, u64 linear, enum guest_access_kind kind, gpa_t *out) MUST_CHECK;
/*
 * Copies from inside one page that was translated before and still is where it was. False: that is
 * not so, nothing is promised about *to, and arch_guest_translate() finds out the rest.
 */
bool arch_guest_read_again(struct vcpu *v, u64 linear, void *to, size_t size_bytes) MUST_CHECK;

/* --- nested page tables: memory/p2m.c walks, <asm/p2m.h> has the format of an entry --- */
/* No CPU uses an older translation of d when this returns. Interrupts on. */
void arch_p2m_flush(struct domain *d);

/* --- state as VCPUOP_initialise and domctl see it --- */
int arch_vcpu_initialise(struct vcpu *v, const void *context) MUST_CHECK; /* struct vcpu_guest_context or vcpu_hvm_context already copied in */
void arch_vcpu_reset(struct vcpu *v);

/* --- hypercall argument registers, for calls that restart --- */
unsigned long arch_hypercall_arg(const struct vcpu *v, unsigned int index);
void arch_hypercall_set_arg(struct vcpu *v, unsigned int index, unsigned long value);

/* --- devices that a guest owns --- */
struct arch_msi;
/*
 * A message-signalled interrupt of a device: the guest's address and data in, what the device
 * must be programmed with out. *msi NULL makes a binding, else it is changed. -EPERM the domain
 * owns no devices, -ENOSPC no vector or remapping entry, -ENOMEM. LOCK_HWIRQ; not in an interrupt.
 */
int arch_msi_bind(struct domain *d, u16 segment, u8 bus, u8 devfn, u64 guest_address, u32 guest_data,
		  struct arch_msi **msi, u64 *address, u32 *data) MUST_CHECK;
/* The device no longer sends it. NULL does nothing. */
void arch_msi_unbind(struct domain *d, struct arch_msi *msi);
/* Accesses to this range of guest memory go to vpci_memory_read() and _write(). */
int arch_vpci_trap(struct domain *d, gpa_t first, u64 size_bytes) MUST_CHECK;
void arch_vpci_untrap(struct domain *d, gpa_t first);

/* --- the tools' view --- */
struct xen_domctl;
struct xen_sysctl;
struct xen_sysctl_physinfo;
int arch_domain_config_check(u32 emulation_flags, u32 misc_flags) MUST_CHECK; /* -EINVAL, -EOPNOTSUPP: devices that are not emulated */
u8 arch_guest_address_bits(void);
void arch_fill_physinfo(struct xen_sysctl_physinfo *info); /* CPU clock, features, what is there */
/* Operations about the architecture's state: CPU policy, saved state, TSC. -ENOSYS: none such. */
long arch_domctl(struct domain *d, struct xen_domctl *op);
long arch_sysctl(struct xen_sysctl *op);
