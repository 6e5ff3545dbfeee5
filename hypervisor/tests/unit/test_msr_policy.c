/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSRs of a guest: what it wrote it reads, reserved bits and unknown numbers are refused. */
#include "arch/unit/unit.h"
#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/hvm_arch.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "base/test.h"
#include "domain/vcpu.h"
#include "hv/error.h"
#include "memory/guest_access.h"

static struct domain d;
static struct vcpu v;
static struct arch_vcpu arch;
static u64 controls[16], tsc, tsc_aux, tsc_offset, page_at;
static u8 page[2 * PAGE_SIZE];
static unsigned int time_updates, barriers;
static u32 ext8_b;

void cpuid_host_ibpb(void)
{
	barriers++;
}
void cpuid_guest(struct vcpu *who, u32 leaf, u32 subleaf, struct cpuid_regs *out)
{
	*out = (struct cpuid_regs){.b = leaf == 0x80000008u ? ext8_b : 0};
}
u64 cpuid_host_tsc(void)
{
	return tsc;
}
void cpuid_host_tsc_aux(u64 value)
{
	tsc_aux = value;
}
void arch_vcpu_update_time(struct vcpu *who)
{
	time_updates++;
}
int vlapic_msr_read(struct vcpu *who, u32 index, u64 *value)
{
	*value = index;
	return index == 0x8ff ? -EFAULT : 0;
}
int vlapic_msr_write(struct vcpu *who, u32 index, u64 value)
{
	return -EFAULT;
}
u64 vlapic_base(const struct vcpu *who)
{
	return 0xfee00900;
}
int vlapic_base_set(struct vcpu *who, u64 value)
{
	return value == 0xfee00d00 ? 0 : -EFAULT;
}
int guest_phys_write(struct domain *who, gpa_t to, const void *from, size_t size_bytes)
{
	if (gpa_raw(to) < page_at || gpa_raw(to) + size_bytes > page_at + sizeof(page)) {
		return -EFAULT;
	}
	memcpy(page + (gpa_raw(to) - page_at), from, size_bytes);
	return 0;
}
static u64 get_control(struct vcpu *who, enum hvm_control which)
{
	return controls[which];
}
static void set_control(struct vcpu *who, enum hvm_control which, u64 value)
{
	controls[which] = value;
}
static void tsc_offset_set(struct vcpu *who, u64 offset)
{
	tsc_offset = offset;
	who->arch->tsc_offset = offset;
}
static const struct hvm_backend backend = {
	.get_control = get_control, .set_control = set_control, .tsc_offset_set = tsc_offset_set};
const struct hvm_backend *hvm = &backend;

static void start(void)
{
	unit_reset(1);
	memset(&arch, 0, sizeof(arch));
	memset(controls, 0, sizeof(controls));
	v.domain = &d;
	v.arch = &arch;
	mtrr_reset(&arch.mtrr);
	time_updates = barriers = 0;
	ext8_b = 0;
	page_at = 0x5000;
}

static int keeps(u32 index, u64 value)
{
	u64 got = ~value;

	if (msr_guest_write(&v, index, value) != 0) {
		return -EFAULT;
	}
	EXPECT_EQ(msr_guest_read(&v, index, &got), 0);
	EXPECT_EQ(got, value);
	return 0;
}

TEST(msr_policy, efer)
{
	start();
	EXPECT_EQ(keeps(MSR_EFER, EFER_SCE | EFER_LME | EFER_NXE), 0);
	EXPECT_EQ(keeps(MSR_EFER, EFER_SVME), -EFAULT);
	EXPECT_EQ(keeps(MSR_EFER, 1ull << 63), -EFAULT);
	EXPECT_EQ(controls[HVM_EFER], EFER_SCE | EFER_LME | EFER_NXE);
	/* LMA is the CPU's, and LME stays while paging is on */
	controls[HVM_EFER] = EFER_LME | EFER_LMA;
	controls[HVM_CR0] = CR0_PG;
	EXPECT_EQ(msr_guest_write(&v, MSR_EFER, EFER_LME), 0);
	EXPECT_EQ(controls[HVM_EFER], EFER_LME | EFER_LMA);
	EXPECT_EQ(msr_guest_write(&v, MSR_EFER, EFER_LMA), -EFAULT);
}

TEST(msr_policy, memory_types)
{
	start();
	EXPECT_EQ(keeps(MSR_PAT, 0x0007040600070406ull), 0);
	EXPECT_EQ(keeps(MSR_PAT, 0x0505050505050501ull), 0);
	EXPECT_EQ(keeps(MSR_PAT, 2), -EFAULT);
	EXPECT_EQ(keeps(MSR_PAT, 0x0800000000000000ull), -EFAULT);
	EXPECT_EQ(keeps(MSR_MTRR_DEF_TYPE, 0xc06), 0);
	EXPECT_EQ(keeps(MSR_MTRR_DEF_TYPE, 0xc07), -EFAULT); /* UC- is PAT's alone */
	EXPECT_EQ(keeps(MSR_MTRR_DEF_TYPE, 0x1006), -EFAULT);
	EXPECT_EQ(keeps(MSR_MTRR_FIX_64K_00000, 0x0606060606060600ull), 0);
	EXPECT_EQ(keeps(MSR_MTRR_FIX_4K_F8000, 3), -EFAULT);
	for (u32 i = 0; i < MTRR_VARIABLE_COUNT; i++) {
		EXPECT_EQ(keeps(MSR_MTRR_PHYS_BASE(i), (0x1000000ull * i) | 6), 0);
		EXPECT_EQ(keeps(MSR_MTRR_PHYS_MASK(i), 0xfff000800ull), 0);
	}
	EXPECT_EQ(arch.mtrr.variable[15], 0xfff000800ull);
	EXPECT_EQ(keeps(MSR_MTRR_PHYS_BASE(0), 0x102), -EFAULT);
	EXPECT_EQ(keeps(MSR_MTRR_PHYS_MASK(0), 0x400), -EFAULT);
	EXPECT_EQ(keeps(MSR_MTRR_PHYS_BASE(8), 6), -EFAULT);
	EXPECT_EQ(keeps(MSR_MTRRCAP, 0), -EFAULT);
}

TEST(msr_policy, clocks)
{
	u64 value;

	start();
	tsc = 5000;
	arch.tsc_offset = 70;
	EXPECT_EQ(msr_guest_read(&v, MSR_TSC, &value), 0);
	EXPECT_EQ(value, 5070);
	EXPECT_EQ(msr_guest_write(&v, MSR_TSC, 100), 0);
	EXPECT_EQ(tsc_offset, (u64)-4900);
	EXPECT_EQ(time_updates, 1); /* the guest's clock page follows */
	EXPECT_EQ(keeps(MSR_TSC_AUX, 0xffffffff), 0);
	EXPECT_EQ(tsc_aux, 0xffffffff);
	EXPECT_EQ(keeps(MSR_TSC_AUX, 1ull << 32), -EFAULT);
	EXPECT_EQ(arch.tsc_aux, 0xffffffff);
}

TEST(msr_policy, the_hypercall_page)
{
	start();
	EXPECT_EQ(msr_guest_write(&v, MSR_XEN_HYPERCALL, 0x5000), 0);
	for (u32 i = 0; i < PAGE_SIZE / 32; i++) {
		EXPECT_EQ(page[32 * i], 0xb8);
		EXPECT_EQ(page[32 * i + 1], i & 0xff);
		EXPECT(memcmp(&page[32 * i + 5], "\x0f\x01\xd9\xc3", 4) == 0);
	}
	EXPECT_EQ(msr_guest_write(&v, MSR_XEN_HYPERCALL, 0x5001), -EFAULT); /* a second page */
	EXPECT_EQ(msr_guest_write(&v, MSR_XEN_HYPERCALL, 0x9000), -EFAULT); /* no memory */
	EXPECT_EQ(msr_guest_write(&v, MSR_XEN_HYPERCALL, ~0xfffull), -EFAULT);
}

TEST(msr_policy, the_local_apic_answers_for_itself)
{
	u64 value;

	start();
	EXPECT_EQ(msr_guest_read(&v, MSR_APIC_BASE, &value), 0);
	EXPECT_EQ(value, 0xfee00900);
	EXPECT_EQ(msr_guest_write(&v, MSR_APIC_BASE, 0xfee00d00), 0);
	EXPECT_EQ(msr_guest_write(&v, MSR_APIC_BASE, 0xfed00d00), -EFAULT);
	EXPECT_EQ(msr_guest_read(&v, 0x802, &value), 0);
	EXPECT_EQ(value, 0x802);
	EXPECT_EQ(msr_guest_read(&v, 0x8ff, &value), -EFAULT);
	EXPECT_EQ(msr_guest_write(&v, 0x802, 0), -EFAULT);
}

/* What CPUID 0x80000008 offers is there, to the bit; the machine's own register is not touched. */
TEST(msr_policy, control_of_speculation)
{
	static const struct {
		u32 feature;
		u64 bit;
	} rows[] = {{1u << 14, 1}, {1u << 15, 2}, {1u << 24, 4}, {1u << 28, 0x80}};
	u64 value;

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		ext8_b = rows[i].feature;
		EXPECT_EQ(keeps(MSR_SPEC_CTRL, rows[i].bit), 0);
		EXPECT_EQ(arch.spec_ctrl, rows[i].bit);
		EXPECT_EQ(keeps(MSR_SPEC_CTRL, ~rows[i].bit & 0x87), -EFAULT);
		EXPECT_EQ(keeps(MSR_SPEC_CTRL, 0x400), -EFAULT);
		EXPECT_EQ(arch.spec_ctrl, rows[i].bit);
	}
	EXPECT_EQ(msr_guest_write(&v, MSR_PRED_CMD, 1), -EFAULT);
	ext8_b = 1u << 12;
	EXPECT_EQ(msr_guest_read(&v, MSR_SPEC_CTRL, &value), -EFAULT);
	EXPECT_EQ(msr_guest_write(&v, MSR_SPEC_CTRL, 0), -EFAULT);
	EXPECT_EQ(msr_guest_write(&v, MSR_PRED_CMD, 2), -EFAULT);
	EXPECT_EQ(msr_guest_write(&v, MSR_PRED_CMD, 0), 0);
	EXPECT_EQ(barriers, 0);
	EXPECT_EQ(msr_guest_write(&v, MSR_PRED_CMD, 1), 0);
	EXPECT_EQ(barriers, 1);
	EXPECT_EQ(msr_guest_read(&v, MSR_PRED_CMD, &value), -EFAULT);
}

/* All numbers of the three ranges that CPUs use: few exist, and what is only quiet keeps nothing.
 */
TEST(msr_policy, everything_else_is_refused)
{
	static const u32 starts[] = {0, 0xc0000000u, 0xc0010000u, 0x40000000u};
	unsigned int readable = 0;
	u64 value;

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++) {
		for (u32 n = 0; n < 0x2000; n++) {
			u32 index = starts[i] + n;

			if (index >= 0x800 && index <= 0x8ff) {
				continue;
			}
			readable += msr_guest_read(&v, index, &value) == 0;
		}
	}
	EXPECT(readable > 20 && readable < 70);
	EXPECT_EQ(msr_guest_write(&v, MSR_AMD_HWCR, ~0ull), 0);
	EXPECT_EQ(msr_guest_read(&v, MSR_AMD_HWCR, &value), 0);
	EXPECT_EQ(value, 0);
	EXPECT_EQ(msr_guest_read(&v, 0x48, &value),
		  -EFAULT); /* SPEC_CTRL, which CPUID does not offer */
	EXPECT_EQ(msr_guest_write(&v, 0x49, 1), -EFAULT);
	EXPECT_EQ(msr_guest_write(&v, MSR_AMD_VM_HSAVE_PA, 0x1000), -EFAULT);
	EXPECT_EQ(msr_guest_read(&v, 0x3a, &value), -EFAULT);
	EXPECT_EQ(msr_guest_read(&v, 0xffffffff, &value), -EFAULT);
}

TEST_MAIN()
