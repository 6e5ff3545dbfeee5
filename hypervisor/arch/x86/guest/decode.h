/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to instruction: length, operands, immediate. Pure: no guest, no machine, so it is
 * fuzzed and unit-tested as it is. Knows every legacy-encoded instruction's length; VEX, EVEX
 * and XOP forms give -EOPNOTSUPP, because nothing that exits is encoded so.
 * APM 3 chapter 1 and appendix A; SDM 2 chapter 2.
 */
#pragma once

#include "arch/x86/guest/hvm.h"
#include "hv/compiler.h"
#include "hv/types.h"

#define DECODE_BYTES_MAX 15u

struct decoded {
	u8 length;
	u8 map; /* 0 one byte, 1 0f, 2 0f38, 3 0f3a */
	u8 opcode;
	bool has_modrm;
	u8 modrm; /* raw */
	u8 reg;	  /* of ModRM, with REX.R */
	u8 rm;	  /* of ModRM when it is a register, with REX.B; else of the opcode's low bits */
	bool is_memory; /* ModRM names memory */
	bool is_rip_relative;
	bool has_base, has_index;
	u8 base, index, scale_shift;
	s64 displacement; /* also the address of moffs forms (a0-a3) */
	u8 segment;	  /* enum hvm_segment_index after overrides and defaults */
	u8 operand_bytes; /* 2, 4, 8; byte forms are known by their opcode */
	u8 address_bytes; /* 2, 4, 8 */
	bool has_rex, has_lock, has_rep, has_repne;
	u8 rex;
	u8 immediate_bytes;
	u64 immediate; /* sign-extended to 64 bits */
};

/* mode_bytes: 2, 4 or 8, the code segment's. -EINVAL more than count bytes needed or too long. */
int decode_instruction(const u8 *bytes, unsigned int count, unsigned int mode_bytes,
		       struct decoded *out) MUST_CHECK;

/* The instruction at the current vCPU's rip. -EFAULT: it cannot be read; and as above. */
int decode_current(struct vcpu *v, struct decoded *out) MUST_CHECK;
