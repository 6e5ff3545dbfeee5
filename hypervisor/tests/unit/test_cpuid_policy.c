/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPUID shows on a machine that has every bit set: only what is listed, and consistently. */
#include <xen/arch-x86/cpuid.h>

#include "arch/unit/unit.h"
#include "arch/x86/guest/cpu_policy.h"
#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/vlapic.h"
#include "asm/regs.h"
#include "base/test.h"
#include "domain/vcpu.h"
#include "hv/error.h"

#define XCR0_ALL 0x2e7ull

static struct domain d;
static struct vcpu v;
static struct arch_domain arch_domain;
static struct arch_vcpu arch;
static u64 cr4;
static bool is_apic_on, has_spec_ctrl;
u64 hvm_xcr0_mask;

/* --- the machine --- */

/* Components as in the manual's example, each behind the one before; everything else is all ones.
 */
struct cpuid_regs cpuid_host(u32 leaf, u32 subleaf)
{
	if (leaf == 0xd && subleaf == 0) {
		return (struct cpuid_regs){~0u, 0x111, 0x2000, ~0u};
	}
	if (leaf == 0xd && subleaf > 1) {
		return (struct cpuid_regs){64, 576 + 64 * (subleaf - 2), 0, 0};
	}
	return (struct cpuid_regs){~0u, ~0u, ~0u, ~0u};
}
bool cpuid_host_has_spec_ctrl(void)
{
	return has_spec_ctrl;
}
void cpuid_host_time(struct vcpu *who, u32 subleaf, struct cpuid_regs *out)
{
	out->c = 1000;
}
u32 vlapic_id(const struct vcpu *who)
{
	return 6;
}
bool vlapic_is_enabled(const struct vcpu *who)
{
	return is_apic_on;
}
static u64 get_control(struct vcpu *who, enum hvm_control which)
{
	return which == HVM_CR4 ? cr4 : 0;
}
static const struct hvm_backend backend = {.get_control = get_control};
const struct hvm_backend *hvm = &backend;

static void start(void)
{
	unit_reset(1);
	cpu_policy_free(&(struct domain){.arch = &arch_domain});
	memset(&d, 0, sizeof(d));
	memset(&arch_domain, 0, sizeof(arch_domain));
	d.arch = &arch_domain;
	d.id = domain_id_of(5);
	d.vcpu_count = 4;
	v.domain = &d;
	v.arch = &arch;
	v.id = vcpu_id_of(3);
	cr4 = 0;
	is_apic_on = true;
	has_spec_ctrl = false;
	hvm_xcr0_mask = XCR0_ALL;
}

static struct cpuid_regs guest(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	cpuid_guest(&v, leaf, subleaf, &r);
	return r;
}

static bool is_zero(struct cpuid_regs r)
{
	return !(r.a | r.b | r.c | r.d);
}

/* One leaf, taken from the default and changed. */
static void set_policy(u32 leaf, u32 subleaf, struct cpuid_regs r)
{
	xen_cpuid_leaf_t l = {leaf, subleaf, r.a, r.b, r.c, r.d};
	u32 bad_leaf, bad_subleaf;

	EXPECT_EQ(cpu_policy_set(&d, &l, 1, &bad_leaf, &bad_subleaf), 0);
}

/* --- cases --- */

TEST(cpuid_policy, dangerous_features_are_hidden)
{
	struct cpuid_regs r;

	start();
	r = guest(1, 0);
	EXPECT_EQ(r.c & (1u << 2 | 1u << 3 | 1u << 5 | 1u << 6),
		  0);		     /* debug store, MONITOR, VMX, SMX */
	EXPECT_EQ(r.c >> 24 & 1, 0); /* TSC deadline */
	EXPECT_EQ(r.c >> 31 & 1, 1); /* a hypervisor is here */
	EXPECT_EQ(r.c >> 21 & 1, 1); /* x2APIC, emulated */
	r = guest(0x80000001u, 0);
	EXPECT_EQ(r.c & (1u << 2 | 1u << 3 | 1u << 9 | 1u << 12),
		  0); /* SVM, EXTAPIC, OSVW, SKINIT */
	r = guest(7, 0);
	EXPECT_EQ(r.b & (1u << 4 | 1u << 11 | 1u << 14), 0);  /* HLE, RTM, MPX */
	EXPECT_EQ(r.c >> 16 & 1, 0);			      /* five-level paging */
	EXPECT_EQ(r.d & (1u << 26 | 1u << 27 | 1u << 29), 0); /* whose MSRs are not there */
	EXPECT(is_zero(guest(7, 1)));
	EXPECT_EQ(guest(0xd, 1).a & ~7u, 0); /* XSAVES */
}

TEST(cpuid_policy, leaves_that_are_not_listed_are_zero)
{
	static const u32 shown[] = {0, 1, 2, 4, 6, 7, 0xb, 0xd};

	start();
	for (u32 leaf = 0; leaf < 0x40; leaf++) {
		bool is_shown = false;

		for (unsigned int i = 0; i < ARRAY_SIZE(shown); i++) {
			is_shown |= shown[i] == leaf;
		}
		EXPECT_EQ(!is_zero(guest(leaf, 0)), is_shown);
	}
	EXPECT_EQ(guest(0, 0).a, 0xd);
	EXPECT_EQ(guest(0x80000000u, 0).a, 0x8000001cu);
	EXPECT(is_zero(guest(0x8000000au, 0))); /* SVM's own */
	EXPECT(is_zero(guest(0x8000001fu, 0))); /* SEV */
	EXPECT(is_zero(guest(0x8fffffffu, 0)));
}

TEST(cpuid_policy, what_follows_the_vcpu)
{
	start();
	EXPECT_EQ(guest(1, 0).b >> 24, 6);
	EXPECT_EQ(guest(1, 0).b >> 16 & 0xff, 8);
	EXPECT_EQ(guest(0xb, 0).d, 6);
	EXPECT_EQ(guest(0xb, 1).b, 4);
	EXPECT_EQ(guest(0xb, 1).a, 3);
	EXPECT_EQ(guest(1, 0).c >> 27 & 1, 0);
	EXPECT_EQ(guest(7, 0).c >> 4 & 1, 0);
	cr4 = CR4_OSXSAVE | CR4_PKE;
	EXPECT_EQ(guest(1, 0).c >> 27 & 1, 1);
	EXPECT_EQ(guest(7, 0).c >> 4 & 1, 1);
	is_apic_on = false;
	EXPECT_EQ(guest(1, 0).d >> 9 & 1, 0);
	EXPECT_EQ(guest(0x80000001u, 0).d >> 9 & 1, 0);
}

TEST(cpuid_policy, xsave_sizes_are_those_of_what_is_offered)
{
	struct cpuid_regs r;

	start();
	r = guest(0xd, 0);
	EXPECT_EQ(r.a | (u64)r.d << 32, XCR0_ALL);
	EXPECT_EQ(r.b, 0x111);	      /* the CPU's answer for the XCR0 that is loaded */
	EXPECT_EQ(r.c, 576 + 64 * 8); /* PKRU ends last */
	for (u32 i = 2; i < 70; i++) {
		EXPECT_EQ(!is_zero(guest(0xd, i)), i < 64 && (XCR0_ALL >> i & 1));
	}
	set_policy(0xd, 0, (struct cpuid_regs){.a = 7});
	r = guest(0xd, 0);
	EXPECT_EQ(r.a | (u64)r.d << 32, 7);
	EXPECT_EQ(r.c, 576 + 64);
	EXPECT(is_zero(guest(0xd, 9)));
	EXPECT_EQ(cpuid_guest_xcr0(&d), 7);
	set_policy(1, XEN_CPUID_NO_SUBLEAF, (struct cpuid_regs){.c = ~(1u << 26)});
	EXPECT_EQ(cpuid_guest_xcr0(&d), 0);
	EXPECT(is_zero(guest(0xd, 0)) && is_zero(guest(0xd, 1)) && is_zero(guest(0xd, 2)));
	hvm_xcr0_mask = 0;
	start();
	hvm_xcr0_mask = 0;
	EXPECT(is_zero(guest(0xd, 0)));
}

TEST(cpuid_policy, a_policy_takes_away_and_never_adds)
{
	struct cpuid_regs r;

	start();
	set_policy(7, 0, (struct cpuid_regs){.b = 1u << 5 | 1u << 4, .c = ~0u});
	r = guest(7, 0);
	EXPECT_EQ(r.b, 1u << 5); /* AVX2; not HLE, which no guest gets */
	EXPECT_EQ(r.d, 0);
	EXPECT_EQ(r.c >> 16 & 1, 0);
	set_policy(1, XEN_CPUID_NO_SUBLEAF, (struct cpuid_regs){.c = 1u << 26});
	cr4 = CR4_OSXSAVE;
	r = guest(1, 0);
	EXPECT_EQ(r.c, 1u << 26 | 1u << 27 | 1u << 31); /* what is dynamic stays right */
	EXPECT_EQ(r.d, 0);
	EXPECT_EQ(r.b >> 24, 6); /* not a set of features */
}

TEST(cpuid_policy, strange_policies_are_refused)
{
	xen_cpuid_leaf_t l = {.leaf = 0x12345};
	u32 leaf = 0, subleaf;

	start();
	EXPECT_EQ(cpu_policy_set(&d, &l, 1, &leaf, &subleaf), -ERANGE);
	EXPECT_EQ(leaf, 0x12345);
	EXPECT(d.arch->policy == NULL);
	unit_fail_allocation(1);
	l.leaf = 1;
	EXPECT_EQ(cpu_policy_set(&d, &l, 1, &leaf, &subleaf), -ENOMEM);
	EXPECT(d.arch->policy == NULL);
}

TEST(cpuid_policy, the_default_says_nothing_of_a_vcpu)
{
	xen_cpuid_leaf_t l;
	unsigned int i;

	start();
	for (i = 0; cpu_policy_default_leaf(i, false, &l) == 0; i++) {
		EXPECT(i < CPU_POLICY_LEAF_MAX);
		if (l.leaf == 1) {
			EXPECT_EQ(l.b & ~0xff00u, 0);
			EXPECT_EQ(l.c >> 27 & 1, 0);
		} else if (l.leaf == 0xd && l.subleaf == 0) {
			EXPECT_EQ(l.b, l.c);
		} else if (l.leaf == 0xb) {
			EXPECT_EQ(l.d, 0);
		}
	}
	EXPECT(i > 20);
	/* what a domain has is its default with its policy laid over */
	set_policy(7, 0, (struct cpuid_regs){.b = 0x20});
	for (i = 0; cpu_policy_domain_leaf(&d, i, &l) == 0; i++) {
		if (l.leaf == 7 && l.subleaf == 0) {
			EXPECT_EQ(l.b, 0x20);
		}
	}
	cpu_policy_free(&d);
}

TEST(cpuid_policy, control_of_speculation_is_offered_when_it_is_switched)
{
	start();
	EXPECT_EQ(guest(0x80000008u, 0).b & (1u << 14 | 1u << 15 | 1u << 24 | 1u << 28), 0);
	EXPECT_EQ(guest(0x80000008u, 0).b >> 12 & 1, 1); /* IBPB is an order, nothing to switch */
	has_spec_ctrl = true;
	EXPECT_EQ(guest(0x80000008u, 0).b, 0x750fd005u);
	EXPECT_EQ(guest(0x80000008u, 0).b & (1u << 23 | 1u << 25), 0); /* PPIN, VIRT_SSBD: no such MSRs */
}

TEST(cpuid_policy, leaves_of_the_hypervisor)
{
	start();
	EXPECT_EQ(guest(XEN_CPUID_FIRST_LEAF, 0).b, XEN_CPUID_SIGNATURE_EBX);
	EXPECT_EQ(guest(XEN_CPUID_FIRST_LEAF + 1, 0).a, 4u << 16 | 17);
	EXPECT_EQ(guest(XEN_CPUID_FIRST_LEAF + 4, 0).b, 3);
	EXPECT_EQ(guest(XEN_CPUID_FIRST_LEAF + 4, 0).c, 5);
	EXPECT(guest(XEN_CPUID_FIRST_LEAF + 4, 0).a & XEN_HVM_CPUID_IOMMU_MAPPINGS);
	EXPECT(is_zero(guest(XEN_CPUID_FIRST_LEAF + 0x50, 0)));
	EXPECT(is_zero(guest(XEN_CPUID_FIRST_LEAF + 0x100, 0)));
}

TEST_MAIN()
