/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/host/speculation.h"

#include "hv/compiler.h"

/* CPUID 7.0 edx (SDM 2 CPUID) */
#define MD_CLEAR  BIT(10)
#define IBRS_IBPB BIT(26)
#define L1D_FLUSH BIT(28)
/* CPUID 0x80000008 ebx (APM 3 E.4.7) */
#define AMD_IBPB  BIT(12)
#define AMD_IBRS  BIT(14)
#define AMD_STIBP BIT(15)
#define AMD_SSBD  BIT(24)
/* CPUID 0x80000021 eax and ecx (APM 3 E.4.17; AMD-SB-7029) */
#define VERW_CLEAR BIT(5)
#define AUTO_IBRS  BIT(8)
#define TSA_SQ_NO  BIT(1)
#define TSA_L1_NO  BIT(2)
/* IA32_ARCH_CAPABILITIES (SDM 4, table 2-2) */
#define RDCL_NO	       BIT(0)
#define SKIP_L1D_FLUSH BIT(3)
#define MDS_NO	       BIT(5)
#define FB_CLEAR       BIT(17)

struct speculation speculation RO_AFTER_INIT;

struct verdict {
	bool is_able, is_needed;
};

static struct verdict judge_buffers(const struct speculation_facts *f)
{
	if (f->is_amd) {
		bool is_safe = (f->ext21_c & TSA_SQ_NO) && (f->ext21_c & TSA_L1_NO);

		return (struct verdict){(f->ext21_a & VERW_CLEAR) != 0, !is_safe};
	}
	return (struct verdict){(f->leaf7_d & MD_CLEAR) != 0,
				!(f->capabilities & MDS_NO) || (f->capabilities & FB_CLEAR)};
}

static struct verdict judge(enum speculation_measure measure, const struct speculation_facts *f)
{
	switch (measure) {
	case SPECULATION_IBPB:
		return (struct verdict){
			(f->is_amd ? f->ext8_b & AMD_IBPB : f->leaf7_d & IBRS_IBPB) != 0, true};
	case SPECULATION_RETURN_STACK:
		return (struct verdict){true, true};
	case SPECULATION_VERW:
		return judge_buffers(f);
	case SPECULATION_L1D_FLUSH:
		return (struct verdict){!f->is_amd && (f->leaf7_d & L1D_FLUSH),
					!(f->capabilities & (RDCL_NO | SKIP_L1D_FLUSH))};
	case SPECULATION_AUTO_IBRS:
		return (struct verdict){f->is_amd && (f->ext21_a & AUTO_IBRS), true};
	case SPECULATION_GUEST_CONTROL:
		return (struct verdict){
			f->is_amd && (f->ext8_b & (AMD_IBRS | AMD_STIBP | AMD_SSBD)), true};
	case SPECULATION_COUNT:
		break;
	}
	return (struct verdict){false, false};
}

static enum thunk choose_thunk(const struct speculation *s, enum speculation_thunk wanted)
{
	switch (wanted) {
	case SPECULATION_THUNK_RETPOLINE:
		return THUNK_RETPOLINE;
	case SPECULATION_THUNK_LFENCE:
		return THUNK_LFENCE;
	case SPECULATION_THUNK_JMP:
		return THUNK_JMP;
	case SPECULATION_THUNK_AUTO:
		break;
	}
	/* With it the CPU itself ignores what a guest taught its predictors (APM 2 3.2.9). */
	return s->is_on[SPECULATION_AUTO_IBRS] ? THUNK_JMP : THUNK_RETPOLINE;
}

void speculation_choose(const struct speculation_facts *facts,
			const struct speculation_options *options, struct speculation *out)
{
	unsigned int i;

	for (i = 0; i < SPECULATION_COUNT; i++) {
		struct verdict v = judge((enum speculation_measure)i, facts);
		enum speculation_wish wish = options->wish[i];

		out->is_on[i] = v.is_able &&
				(wish == SPECULATION_AUTO ? v.is_needed : wish == SPECULATION_ON);
	}
	out->thunk = choose_thunk(out, options->thunk);
}

/* VERW is the last: what the others leave in the CPU's buffers goes, too. */
void speculation_switch_domain(void)
{
	if (speculation.is_on[SPECULATION_IBPB]) {
		barrier_branch_predictors();
	}
	if (speculation.is_on[SPECULATION_RETURN_STACK]) {
		barrier_return_stack();
	}
	if (speculation.is_on[SPECULATION_L1D_FLUSH]) {
		barrier_l1_data();
	}
	if (speculation.is_on[SPECULATION_VERW]) {
		barrier_buffers();
	}
}

/* [LFENCE;] JMP *reg, APM 3; INT3 behind it stops what runs straight on. */
unsigned int speculation_thunk_code(enum thunk thunk, unsigned int reg, u8 out[THUNK_CODE_MAX])
{
	unsigned int n = 0;

	if (thunk == THUNK_LFENCE) {
		out[n++] = 0x0f;
		out[n++] = 0xae;
		out[n++] = 0xe8;
	}
	if (reg >= 8) {
		out[n++] = 0x41;
	}
	out[n++] = 0xff;
	out[n++] = (u8)(0xe0 | (reg & 7));
	out[n++] = 0xcc;
	return n;
}
