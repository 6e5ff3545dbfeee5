/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which MSRs a guest has: those of its virtual CPU, a few that operating systems touch
 * without asking, and no others (#GP). No machine MSR is ever read or
 * written from here, but for the barrier that a guest may order.
 */
#include "arch/x86/guest/hvm_arch.h"

#include "arch/x86/guest/cpuid_host.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "hv/error.h"
#include "lib/string.h"
#include "memory/guest_access.h"

#define EFER_GUEST	 (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)
#define MTRR_CAP	 (1ull << 10 | 1ull << 8 | MTRR_VARIABLE_COUNT) /* WC, fixed ranges */
#define MTRR_DEF_ENABLED 0xc06ull /* on, fixed on, write-back */

/* Memory is what the machine says it is; these only answer what the guest once wrote. */
void mtrr_reset(struct mtrr_state *mtrr)
{
	unsigned int i;

	memset(mtrr, 0, sizeof(*mtrr));
	mtrr->def_type = MTRR_DEF_ENABLED;
	for (i = 0; i < ARRAY_SIZE(mtrr->fixed); i++) {
		mtrr->fixed[i] = 0x0606060606060606ull;
	}
	mtrr->fixed[2] = 0; /* 0xa0000-0xbffff: uncached */
}

static u64 *mtrr_of(struct vcpu *v, u32 index)
{
	struct mtrr_state *mtrr = &v->arch->mtrr;

	if (index >= MSR_MTRR_PHYS_BASE(0) && index <= MSR_MTRR_PHYS_MASK(7)) {
		return &mtrr->variable[index_clamp(index - MSR_MTRR_PHYS_BASE(0),
						   2 * MTRR_VARIABLE_COUNT)];
	}
	if (index >= MSR_MTRR_FIX_4K_C0000 && index <= MSR_MTRR_FIX_4K_F8000) {
		return &mtrr->fixed[3 + index_clamp(index - MSR_MTRR_FIX_4K_C0000, 8)];
	}
	switch (index) {
	case MSR_MTRR_FIX_64K_00000:
		return &mtrr->fixed[0];
	case MSR_MTRR_FIX_16K_80000:
		return &mtrr->fixed[1];
	case MSR_MTRR_FIX_16K_A0000:
		return &mtrr->fixed[2];
	case MSR_MTRR_DEF_TYPE:
		return &mtrr->def_type;
	default:
		return NULL;
	}
}

static bool is_memory_type(u8 type, bool is_pat)
{
	return type <= 6 && type != 2 && type != 3 ? true : is_pat && type == 7;
}

static bool are_memory_types(u64 value, bool is_pat)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (!is_memory_type((u8)(value >> 8 * i), is_pat)) {
			return false;
		}
	}
	return true;
}

static bool is_default_type(u64 value)
{
	return !(value & ~0xcffull) && is_memory_type((u8)value, false);
}

bool mtrr_is_good(const struct mtrr_state *mtrr)
{
	bool is_good = is_default_type(mtrr->def_type);

	for (unsigned int i = 0; i < ARRAY_SIZE(mtrr->fixed); i++) {
		is_good &= are_memory_types(mtrr->fixed[i], false);
	}
	return is_good;
}

bool pat_is_good(u64 pat)
{
	return are_memory_types(pat, true);
}

static int mtrr_write(struct vcpu *v, u32 index, u64 value)
{
	u64 *mtrr = mtrr_of(v, index);

	if (index == MSR_MTRR_DEF_TYPE) {
		if (!is_default_type(value)) {
			return -EFAULT;
		}
	} else if (index <= MSR_MTRR_PHYS_MASK(7)) {
		if ((index & 1) ? (value & 0x7ff) != 0
				: (value & 0xf00) || !is_memory_type((u8)value, false)) {
			return -EFAULT;
		}
	} else if (!are_memory_types(value, false)) {
		return -EFAULT;
	}
	*mtrr = value;
	return 0;
}

/* AMD's configuration registers that kernels read to look for errata: all clear, not kept. */
static bool is_quiet_msr(u32 index)
{
	switch (index) {
	case MSR_BIOS_SIGN_ID:
	case MSR_PLATFORM_ID:
	case MSR_MCG_CAP:
	case MSR_MCG_STATUS:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_HWCR:
	case MSR_AMD_TOP_MEM:
	case MSR_AMD_TOP_MEM2:
	case MSR_AMD_VM_CR:
	case MSR_AMD_LS_CFG:
	case MSR_DEBUGCTL:
	case 0xc001001fu: /* NB_CFG */
	case 0xc0010055u: /* INT_PENDING */
	case 0xc0010058u: /* MMIO_CONF_BASE */
	case 0xc0010061u: /* P-state limit */
	case 0xc0011022u: /* DC_CFG */
	case 0xc001102au: /* BU_CFG2 */
		return true;
	default:
		return false;
	}
}

/* The bits of SPEC_CTRL that go with what CPUID offers (APM 2 3.2.9); 0: the guest has none. */
static u64 spec_ctrl_bits(struct vcpu *v)
{
	struct cpuid_regs r;

	cpuid_guest(v, 0x80000008u, 0, &r);
	return (r.b & 1u << 14 ? SPEC_CTRL_IBRS : 0) | (r.b & 1u << 15 ? SPEC_CTRL_STIBP : 0) |
	       (r.b & 1u << 24 ? SPEC_CTRL_SSBD : 0) | (r.b & 1u << 28 ? SPEC_CTRL_PSFD : 0);
}

static int spec_ctrl_write(struct vcpu *v, u64 value)
{
	u64 bits = spec_ctrl_bits(v);

	if (!bits || (value & ~bits)) {
		return -EFAULT;
	}
	v->arch->spec_ctrl = value;
	return 0;
}

static int pred_cmd_write(struct vcpu *v, u64 value)
{
	struct cpuid_regs r;

	cpuid_guest(v, 0x80000008u, 0, &r);
	if (!(r.b & 1u << 12) || (value & ~(u64)PRED_CMD_IBPB)) {
		return -EFAULT;
	}
	if (value) {
		cpuid_host_ibpb();
	}
	return 0;
}

int msr_guest_read(struct vcpu *v, u32 index, u64 *value)
{
	struct arch_vcpu *a = v->arch;
	u64 *mtrr;

	if (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST) {
		return vlapic_msr_read(v, index, value);
	}
	switch (index) {
	case MSR_TSC:
		*value = cpuid_host_tsc() + a->tsc_offset;
		return 0;
	case MSR_APIC_BASE:
		*value = vlapic_base(v);
		return 0;
	case MSR_EFER:
		*value = hvm->get_control(v, HVM_EFER);
		return 0;
	case MSR_PAT:
		*value = hvm->get_control(v, HVM_PAT);
		return 0;
	case MSR_FS_BASE:
		*value = hvm->get_control(v, HVM_FS_BASE);
		return 0;
	case MSR_GS_BASE:
		*value = hvm->get_control(v, HVM_GS_BASE);
		return 0;
	case MSR_SYSENTER_CS:
		*value = hvm->get_control(v, HVM_SYSENTER_CS);
		return 0;
	case MSR_TSC_AUX:
		*value = a->tsc_aux;
		return 0;
	case MSR_SPEC_CTRL:
		if (!spec_ctrl_bits(v)) {
			return -EFAULT;
		}
		*value = a->spec_ctrl;
		return 0;
	case MSR_MTRRCAP:
		*value = MTRR_CAP;
		return 0;
	case MSR_AMD_DE_CFG:
		*value = 2; /* LFENCE serialises */
		return 0;
	case MSR_XEN_HYPERCALL:
		*value = 0;
		return 0;
	default:
		break;
	}
	mtrr = mtrr_of(v, index);
	if (mtrr) {
		*value = *mtrr;
		return 0;
	}
	if (is_quiet_msr(index)) {
		*value = 0;
		return 0;
	}
	return -EFAULT;
}

static int efer_write(struct vcpu *v, u64 value)
{
	u64 old = hvm->get_control(v, HVM_EFER);
	bool is_paging = (hvm->get_control(v, HVM_CR0) & CR0_PG) != 0;

	if ((value & ~EFER_GUEST) || (is_paging && ((value ^ old) & EFER_LME))) {
		return -EFAULT;
	}
	/* LMA is the CPU's own: it follows LME and paging. */
	value = (value & ~EFER_LMA) | (old & EFER_LMA);
	hvm->set_control(v, HVM_EFER, value);
	return 0;
}

/*
 * Fills the page that the guest names with one entry of 32 bytes for each hypercall: mov
 * number, %eax; vmmcall; ret. The low 12 bits are the page's index, of which there is one.
 */
static int hypercall_page_write(struct vcpu *v, u64 value)
{
	u8 entry[32];
	u32 i;

	if (value & (PAGE_SIZE - 1)) {
		return -EFAULT;
	}
	memset(entry, 0xcc, sizeof(entry));
	entry[0] = 0xb8;
	entry[5] = 0x0f;
	entry[6] = 0x01;
	entry[7] = 0xd9;
	entry[8] = 0xc3;
	for (i = 0; i < PAGE_SIZE / sizeof(entry); i++) {
		memcpy(&entry[1], &i, sizeof(i));
		if (guest_phys_write(v->domain, gpa_of(value + i * sizeof(entry)), entry,
				     sizeof(entry)) != 0) {
			return -EFAULT;
		}
	}
	return 0;
}

int msr_guest_write(struct vcpu *v, u32 index, u64 value)
{
	struct arch_vcpu *a = v->arch;

	if (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST) {
		return vlapic_msr_write(v, index, value);
	}
	switch (index) {
	case MSR_TSC:
		hvm->tsc_offset_set(v, value - cpuid_host_tsc());
		arch_vcpu_update_time(v);
		return 0;
	case MSR_APIC_BASE:
		return vlapic_base_set(v, value);
	case MSR_EFER:
		return efer_write(v, value);
	case MSR_PAT:
		if (!pat_is_good(value)) {
			return -EFAULT;
		}
		hvm->set_control(v, HVM_PAT, value);
		return 0;
	case MSR_SYSENTER_CS:
		hvm->set_control(v, HVM_SYSENTER_CS, value);
		return 0;
	case MSR_TSC_AUX:
		if (value >> 32) {
			return -EFAULT;
		}
		a->tsc_aux = value;
		cpuid_host_tsc_aux(value);
		return 0;
	case MSR_SPEC_CTRL:
		return spec_ctrl_write(v, value);
	case MSR_PRED_CMD:
		return pred_cmd_write(v, value);
	case MSR_XEN_HYPERCALL:
		return hypercall_page_write(v, value);
	case MSR_MTRRCAP:
	case MSR_MCG_CAP:
		return -EFAULT;
	case MSR_AMD_DE_CFG:
		return 0;
	default:
		break;
	}
	if (mtrr_of(v, index)) {
		return mtrr_write(v, index, value);
	}
	return is_quiet_msr(index) ? 0 : -EFAULT;
}
