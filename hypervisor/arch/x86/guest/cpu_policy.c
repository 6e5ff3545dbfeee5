/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/cpu_policy.h"

#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/hvm_arch.h"
#include "lib/string.h"
#include "mm/heap.h"

#define CPUID_1_C_XSAVE (1u << 26)

struct cpu_policy {
	unsigned int count;
	xen_cpuid_leaf_t leaves[];
};

/* The leaves of a policy, in the order in which they are told. */
static const struct {
	u32 leaf, first_subleaf, count; /* count 0: it has no subleaves */
} shape[] = {
	{0, 0, 0},	    {1, 0, 0},		{2, 0, 0},	    {4, 0, 4},		{5, 0, 0},
	{6, 0, 0},	    {7, 0, 2},		{0xa, 0, 0},	    {0xb, 0, 2},	{0xd, 0, 10},
	{0x80000000u, 0, 0}, {0x80000001u, 0, 0}, {0x80000002u, 0, 0}, {0x80000003u, 0, 0},
	{0x80000004u, 0, 0}, {0x80000005u, 0, 0}, {0x80000006u, 0, 0}, {0x80000007u, 0, 0},
	{0x80000008u, 0, 0}, {0x8000000au, 0, 0}, {0x80000019u, 0, 0}, {0x8000001au, 0, 0},
	{0x8000001bu, 0, 0}, {0x8000001cu, 0, 0},
};

/* What a leaf says about the moment or the vCPU, not about the policy. */
static void make_static(xen_cpuid_leaf_t *l)
{
	switch (l->leaf) {
	case 1:
		l->b &= 0x0000ff00u;	      /* APIC id and count */
		l->c &= ~(1u << 27);	      /* OSXSAVE */
		l->d |= 1u << 9;	      /* APIC */
		break;
	case 7:
		if (l->subleaf == 0) {
			l->c &= ~(1u << 4); /* OSPKE */
		}
		break;
	case 0xb:
		l->d = 0;
		break;
	case 0xd:
		if (l->subleaf == 0) {
			l->b = l->c;
		}
		break;
	default:
		break;
	}
}

int cpu_policy_default_leaf(unsigned int i, bool is_host, xen_cpuid_leaf_t *out)
{
	struct cpuid_regs r;
	unsigned int row;

	for (row = 0; row < ARRAY_SIZE(shape); row++) {
		unsigned int n = MAX(shape[row].count, 1u);

		if (i < n) {
			break;
		}
		i -= n;
	}
	if (row == ARRAY_SIZE(shape)) {
		return -ENOENT;
	}
	if (is_host) {
		r = cpuid_host(shape[row].leaf, i);
	} else {
		cpuid_guest_default(shape[row].leaf, i, &r);
	}
	*out = (xen_cpuid_leaf_t){
		.leaf = shape[row].leaf,
		.subleaf = shape[row].count ? shape[row].first_subleaf + i : XEN_CPUID_NO_SUBLEAF,
		.a = r.a,
		.b = r.b,
		.c = r.c,
		.d = r.d,
	};
	make_static(out);
	return 0;
}

static const xen_cpuid_leaf_t *find(const struct cpu_policy *p, u32 leaf, u32 subleaf)
{
	for (unsigned int i = 0; i < p->count; i++) {
		if (p->leaves[i].leaf == leaf &&
		    (p->leaves[i].subleaf == subleaf || p->leaves[i].subleaf == XEN_CPUID_NO_SUBLEAF)) {
			return &p->leaves[i];
		}
	}
	return NULL;
}

int cpu_policy_domain_leaf(struct domain *d, unsigned int i, xen_cpuid_leaf_t *out)
{
	const struct cpu_policy *p = load_acquire(&d->arch->policy);
	const xen_cpuid_leaf_t *own;
	int rc = cpu_policy_default_leaf(i, false, out);

	if (rc || !p) {
		return rc;
	}
	own = find(p, out->leaf, out->subleaf);
	if (own) {
		*out = *own;
	}
	return 0;
}

static bool is_known(u32 leaf)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shape); i++) {
		if (shape[i].leaf == leaf) {
			return true;
		}
	}
	/* Told by other tools' lists; nothing of them is taken. */
	return leaf < 0x20 || (leaf >= 0x40000000u && leaf < 0x40010000u) ||
	       (leaf >= 0x80000000u && leaf < 0x80000030u);
}

int cpu_policy_set(struct domain *d, const xen_cpuid_leaf_t *leaves, unsigned int count, u32 *error_leaf,
		   u32 *error_subleaf)
{
	struct cpu_policy *p, *old;

	for (unsigned int i = 0; i < count; i++) {
		if (!is_known(leaves[i].leaf)) {
			*error_leaf = leaves[i].leaf;
			*error_subleaf = leaves[i].subleaf;
			return -ERANGE;
		}
	}
	p = heap_alloc(sizeof(*p) + count * sizeof(p->leaves[0]));
	if (!p) {
		return -ENOMEM;
	}
	old = load_relaxed(&d->arch->policy);
	p->count = count;
	memcpy(p->leaves, leaves, count * sizeof(p->leaves[0]));
	/* The domain is paused or not started: nobody reads the old one. */
	store_release(&d->arch->policy, p);
	heap_free(old);
	return 0;
}

/* Registers of a leaf that are sets of features; the others say what the machine is. */
static u8 feature_registers(u32 leaf, u32 subleaf)
{
	enum { A = 1, B = 2, C = 4, D = 8 };

	switch (leaf) {
	case 1:
		return C | D;
	case 7:
		return subleaf == 0 ? B | C | D : A | B | C | D;
	case 0xd:
		return subleaf == 1 ? A : 0;
	case 0x80000001u:
		return C | D;
	case 0x80000007u:
		return D;
	case 0x80000008u:
		return B;
	default:
		return 0;
	}
}

void cpu_policy_filter(const struct domain *d, u32 leaf, u32 subleaf, struct cpuid_regs *r)
{
	const struct cpu_policy *p = load_acquire(&d->arch->policy);
	u8 registers = p ? feature_registers(leaf, subleaf) : 0;
	const xen_cpuid_leaf_t *own;
	u32 dynamic = 0;

	if (likely(!registers)) {
		return;
	}
	own = find(p, leaf, subleaf);
	if (!own) {
		return;
	}
	if (leaf == 1 && (own->c & CPUID_1_C_XSAVE)) {
		dynamic = 1u << 27; /* OSXSAVE follows CR4 */
	} else if (leaf == 7 && (own->c & 1u << 3)) {
		dynamic = 1u << 4;
	}
	r->a &= registers & 1 ? own->a : ~0u;
	r->b &= registers & 2 ? own->b : ~0u;
	r->c &= registers & 4 ? own->c | dynamic | (leaf == 1 ? 1u << 31 : 0) : ~0u;
	r->d &= registers & 8 ? own->d : ~0u;
}

u64 cpu_policy_xcr0(const struct domain *d)
{
	const struct cpu_policy *p = load_acquire(&d->arch->policy);
	const xen_cpuid_leaf_t *basic = p ? find(p, 1, 0) : NULL, *sizes = p ? find(p, 0xd, 0) : NULL;

	if (basic && !(basic->c & CPUID_1_C_XSAVE)) {
		return 0;
	}
	return sizes ? sizes->a | (u64)sizes->d << 32 : ~0ull;
}

void cpu_policy_free(struct domain *d)
{
	heap_free(d->arch->policy);
	d->arch->policy = NULL;
}
