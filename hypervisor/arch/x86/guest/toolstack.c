/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 half of domctl and sysctl: CPU policy, saved state, TSC.
 */
#include "arch/contract/guest.h"

#include <stdint.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

#include "arch/x86/guest/cpu_policy.h"
#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/hvm_save.h"
#include "arch/x86/host/layout.h"
#include "arch/x86/host/time.h"
#include "drivers/iommu/iommu.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "mm/heap.h"

#define TSC_MODE_DEFAULT       0u
#define TSC_MODE_NEVER_EMULATE 2u
#define CONTEXT_BYTES_MAX (256u << 10)

int arch_domain_config_check(u32 emulation_flags, u32 misc_flags)
{
	if (misc_flags & ~XEN_X86_MISC_FLAGS_MAX) {
		return -EINVAL;
	}
	/* PVH. The full set of HVM needs a device model, which needs I/O request servers. */
	return emulation_flags == XEN_X86_EMU_LAPIC ? 0 : -EOPNOTSUPP;
}

u8 arch_guest_address_bits(void)
{
	struct cpuid_regs r;

	r = cpuid_host(0x80000008u, 0);
	return (u8)MIN(r.a & 0xff, 48u);
}

void arch_fill_physinfo(struct xen_sysctl_physinfo *info)
{
	struct cpuid_regs r;

	info->cpu_khz = (u32)clock_tsc_khz;
	if (iommu_is_on()) {
		info->capabilities |= XEN_SYSCTL_PHYSCAP_directio;
	}
	r = cpuid_host(1, 0);
	info->hw_cap[0] = r.d;
	info->hw_cap[1] = r.c;
	r = cpuid_host(0x80000001u, 0);
	info->hw_cap[2] = r.d;
	info->hw_cap[3] = r.c;
	r = cpuid_host(7, 0);
	info->hw_cap[5] = r.b;
	info->hw_cap[6] = r.c;
	r = cpuid_host(0x80000007u, 0);
	info->hw_cap[7] = r.d;
}

/* SDM 2 CPUID figure 3-6; APM 3 the same. */
void arch_cpu_version(char vendor[12], u32 *family, u32 *model, u32 *stepping)
{
	struct cpuid_regs r;

	r = cpuid_host(0, 0);
	memcpy(vendor, &r.b, 4);
	memcpy(vendor + 4, &r.d, 4);
	memcpy(vendor + 8, &r.c, 4);
	r = cpuid_host(1, 0);
	*family = r.a >> 8 & 0xf;
	*model = r.a >> 4 & 0xf;
	if (*family == 0xf) {
		*family += r.a >> 20 & 0xff;
	}
	if (*family >= 6) {
		*model |= r.a >> 12 & 0xf0;
	}
	*stepping = r.a & 0xf;
}

/* FNV-1a over the code that stays, with another start for each eight bytes that are wanted. */
void arch_image_id(u8 *to, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i += 8) {
		u64 hash = 0xcbf29ce484222325ull + i;

		for (const char *p = start_text_end; p < text_end; p++) {
			hash = (hash ^ (u8)*p) * 0x100000001b3ull;
		}
		memcpy(to + i, &hash, MIN(size_bytes - i, 8ul));
	}
}

/* --- CPU policy --- */

typedef int (*leaf_source)(struct domain *d, unsigned int i, xen_cpuid_leaf_t *out);

static int default_leaf(struct domain *d, unsigned int i, xen_cpuid_leaf_t *out)
{
	return cpu_policy_default_leaf(i, false, out);
}
static int host_leaf(struct domain *d, unsigned int i, xen_cpuid_leaf_t *out)
{
	return cpu_policy_default_leaf(i, true, out);
}

/* No list: how long it may be. -ENOBUFS: it does not fit. */
static int put_leaves(struct domain *d, leaf_source source, guest_ptr_t to, u32 *count)
{
	xen_cpuid_leaf_t leaf;
	u32 i;

	if (!guest_ptr_raw(to)) {
		*count = CPU_POLICY_LEAF_MAX;
		return 0;
	}
	for (i = 0; source(d, i, &leaf) == 0; i++) {
		if (i >= *count) {
			return -ENOBUFS;
		}
		if (guest_write_element(to, i, &leaf, sizeof(leaf))) {
			return -EFAULT;
		}
	}
	*count = i;
	return 0;
}

/* MSR_INTEL_PLATFORM_INFO and MSR_ARCH_CAPABILITIES: no guest has anything of them. */
static const u32 policy_msrs[CPU_POLICY_MSR_MAX] = {0xce, 0x10a};

static int put_msrs(guest_ptr_t to, u32 *count)
{
	if (!guest_ptr_raw(to)) {
		*count = CPU_POLICY_MSR_MAX;
		return 0;
	}
	if (*count < CPU_POLICY_MSR_MAX) {
		return -ENOBUFS;
	}
	for (u32 i = 0; i < CPU_POLICY_MSR_MAX; i++) {
		xen_msr_entry_t entry = {.idx = policy_msrs[i]};

		if (guest_write_element(to, i, &entry, sizeof(entry))) {
			return -EFAULT;
		}
	}
	*count = CPU_POLICY_MSR_MAX;
	return 0;
}

static long do_get_policy(struct domain *d, struct xen_domctl_cpu_policy *a)
{
	int rc = put_leaves(d, cpu_policy_domain_leaf, handle_ptr(a->leaves), &a->nr_leaves);

	return rc ? rc : put_msrs(handle_ptr(a->msrs), &a->nr_msrs);
}

static int check_msrs(struct xen_domctl_cpu_policy *a)
{
	xen_msr_entry_t entry;

	if (a->nr_msrs > CPU_POLICY_MSR_MAX) {
		return -E2BIG;
	}
	for (u32 i = 0; i < a->nr_msrs; i++) {
		if (guest_read_element(&entry, handle_ptr(a->msrs), i, sizeof(entry))) {
			return -EFAULT;
		}
		a->err_msr = entry.idx;
		if (entry.flags) {
			return -EINVAL;
		}
		if (entry.idx != policy_msrs[0] && entry.idx != policy_msrs[1]) {
			return -ERANGE;
		}
		if (entry.val) {
			return -EINVAL; /* more than a guest may have */
		}
	}
	a->err_msr = ~0u;
	return 0;
}

static long do_set_policy(struct domain *d, struct xen_domctl_cpu_policy *a)
{
	xen_cpuid_leaf_t *leaves;
	int rc;

	a->err_leaf = a->err_subleaf = a->err_msr = ~0u;
	if (a->nr_leaves > 2 * CPU_POLICY_LEAF_MAX) {
		return -E2BIG;
	}
	rc = check_msrs(a);
	if (rc) {
		return rc;
	}
	leaves = heap_alloc_array(MAX(a->nr_leaves, 1u), sizeof(*leaves));
	if (!leaves) {
		return -ENOMEM;
	}
	rc = -EFAULT;
	if (!guest_read(leaves, handle_ptr(a->leaves), a->nr_leaves * sizeof(*leaves))) {
		rc = cpu_policy_set(d, leaves, a->nr_leaves, &a->err_leaf, &a->err_subleaf);
	}
	heap_free(leaves);
	return rc;
}

static long do_sysctl_policy(struct xen_sysctl_cpu_policy *a)
{
	leaf_source source;
	int rc;

	if (a->_rsvd) {
		return -EINVAL;
	}
	switch (a->index) {
	case XEN_SYSCTL_cpu_policy_raw:
	case XEN_SYSCTL_cpu_policy_host:
		source = host_leaf;
		break;
	case XEN_SYSCTL_cpu_policy_hvm_max:
	case XEN_SYSCTL_cpu_policy_hvm_default:
		source = default_leaf;
		break;
	case XEN_SYSCTL_cpu_policy_pv_max:
	case XEN_SYSCTL_cpu_policy_pv_default:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
	rc = put_leaves(NULL, source, handle_ptr(a->leaves), &a->nr_leaves);
	return rc ? rc : put_msrs(handle_ptr(a->msrs), &a->nr_msrs);
}

/* The words of a feature set, <xen/arch-x86/cpufeatureset.h>. */
static const struct {
	u32 leaf, subleaf;
	u8 reg; /* 0 a, 1 b, 2 c, 3 d */
} feature_words[] = {
	{1, 0, 3},	     {1, 0, 2},		  {0x80000001u, 0, 3}, {0x80000001u, 0, 2}, {0xd, 1, 0},
	{7, 0, 1},	     {7, 0, 2},		  {0x80000007u, 0, 3}, {0x80000008u, 0, 1}, {7, 0, 3},
	{7, 1, 0},	     {0x80000021u, 0, 0}, {7, 1, 1},
};

static u32 feature_word(unsigned int i, bool is_host)
{
	struct cpuid_regs r;

	if (is_host) {
		r = cpuid_host(feature_words[i].leaf, feature_words[i].subleaf);
	} else {
		cpuid_guest_default(feature_words[i].leaf, feature_words[i].subleaf, &r);
	}
	return (const u32[]){r.a, r.b, r.c, r.d}[feature_words[i].reg];
}

static long do_featureset(struct xen_sysctl_cpu_featureset *a)
{
	bool is_host = a->index == XEN_SYSCTL_cpu_featureset_raw || a->index == XEN_SYSCTL_cpu_featureset_host;
	u32 n = ARRAY_SIZE(feature_words);

	if (a->index > XEN_SYSCTL_cpu_featureset_hvm_max) {
		return -EINVAL;
	}
	if (a->index == XEN_SYSCTL_cpu_featureset_pv || a->index == XEN_SYSCTL_cpu_featureset_pv_max) {
		return -EOPNOTSUPP;
	}
	if (!guest_ptr_raw(handle_ptr(a->features))) {
		a->nr_features = n;
		return 0;
	}
	for (u32 i = 0; i < MIN(n, a->nr_features); i++) {
		u32 word = feature_word(i, is_host);

		if (guest_write_element(handle_ptr(a->features), i, &word, sizeof(word))) {
			return -EFAULT;
		}
	}
	if (a->nr_features < n) {
		return -ENOBUFS;
	}
	a->nr_features = n;
	return 0;
}

/* --- saved state --- */

static long do_get_context(struct domain *d, struct xen_domctl_hvmcontext *a)
{
	u32 size_bytes = hvm_save_size(d), written = 0;
	u8 *buffer;
	int rc;

	if (!guest_ptr_raw(handle_ptr(a->buffer))) {
		a->size = size_bytes;
		return 0;
	}
	if (a->size < size_bytes) {
		return -ENOSPC;
	}
	buffer = heap_alloc(size_bytes);
	if (!buffer) {
		return -ENOMEM;
	}
	domain_pause(d);
	rc = hvm_save(d, buffer, size_bytes, &written);
	domain_unpause(d);
	if (!rc && guest_write(handle_ptr(a->buffer), buffer, written)) {
		rc = -EFAULT;
	}
	a->size = written;
	heap_free(buffer);
	return rc;
}

static long do_set_context(struct domain *d, const struct xen_domctl_hvmcontext *a)
{
	u8 *buffer;
	int rc;

	if (a->size > CONTEXT_BYTES_MAX) {
		return -EINVAL;
	}
	buffer = heap_alloc(MAX(a->size, 1u));
	if (!buffer) {
		return -ENOMEM;
	}
	rc = -EFAULT;
	if (!guest_read(buffer, handle_ptr(a->buffer), a->size)) {
		domain_pause(d);
		rc = hvm_load(d, buffer, a->size);
		domain_unpause(d);
	}
	heap_free(buffer);
	return rc;
}

/* --- TSC --- */

static long do_get_tsc(struct domain *d, struct xen_domctl_tsc_info *a)
{
	a->tsc_mode = TSC_MODE_DEFAULT;
	a->gtsc_khz = (u32)clock_tsc_khz;
	a->incarnation = 0;
	a->elapsed_nsec = (u64)clock_now();
	return 0;
}

/* Guests read the CPU's own counter; a mode that emulates it has no taker here. */
static long do_set_tsc(struct domain *d, const struct xen_domctl_tsc_info *a)
{
	switch (a->tsc_mode) {
	case TSC_MODE_DEFAULT:
	case TSC_MODE_NEVER_EMULATE:
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- triggers --- */

/*
 * A PVH domain has no ACPI buttons, so that pressing one is accepted and changes nothing. INIT and RESET
 * nobody ever needed: Xen has no answer to them either.
 */
static long do_trigger(struct domain *d, const struct xen_domctl_sendtrigger *a)
{
	struct vcpu *v;

	if (a->vcpu >= d->vcpu_count) {
		return -ESRCH;
	}
	v = load_acquire(&d->vcpus[index_clamp(a->vcpu, d->vcpu_count)]);
	if (!v) {
		return -ESRCH;
	}
	switch (a->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		hvm_post_nmi(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return 0;
	default:
		return -ENOSYS;
	}
}

/* --- dispatch --- */

long arch_domctl(struct domain *d, struct xen_domctl *op)
{
	bool is_self = d == vcpu_current()->domain;

	switch (op->cmd) {
	case XEN_DOMCTL_get_cpu_policy:
		return do_get_policy(d, &op->u.cpu_policy);
	case XEN_DOMCTL_set_cpu_policy:
		return is_self ? -EINVAL : do_set_policy(d, &op->u.cpu_policy);
	case XEN_DOMCTL_gethvmcontext:
		return is_self ? -EINVAL : do_get_context(d, &op->u.hvmcontext);
	case XEN_DOMCTL_sethvmcontext:
		return is_self ? -EINVAL : do_set_context(d, &op->u.hvmcontext);
	case XEN_DOMCTL_gettscinfo:
		return is_self ? -EINVAL : do_get_tsc(d, &op->u.tsc_info);
	case XEN_DOMCTL_settscinfo:
		return is_self ? -EINVAL : do_set_tsc(d, &op->u.tsc_info);
	case XEN_DOMCTL_sendtrigger:
		return do_trigger(d, &op->u.sendtrigger);
	case XEN_DOMCTL_get_address_size:
		op->u.address_size.size = 64;
		return 0;
	default:
		return -ENOSYS;
	}
}

long arch_sysctl(struct xen_sysctl *op)
{
	switch (op->cmd) {
	case XEN_SYSCTL_get_cpu_policy:
		return do_sysctl_policy(&op->u.cpu_policy);
	case XEN_SYSCTL_get_cpu_featureset:
		return do_featureset(&op->u.cpu_featureset);
	case XEN_SYSCTL_get_cpu_levelling_caps:
		op->u.cpu_levelling_caps.caps = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}
