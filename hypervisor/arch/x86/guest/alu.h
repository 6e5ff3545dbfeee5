/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer results and flags as the CPU gives them: APM 1 3.1.4, APM 3. Pure.
 */
#pragma once

#include "asm/regs.h"
#include "hv/types.h"

/* In the order of the opcodes 00-3f and of group 1. */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };

static inline u64 alu_truncate(u64 value, unsigned int bytes)
{
	return bytes >= 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static inline u64 alu_sign_extend(u64 value, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (u64)((s64)(value << shift) >> shift);
}

/* The result; *flags gets the arithmetic flags. a and b are truncated to bytes. */
static inline u64 alu_compute(enum alu_op op, u64 a, u64 b, unsigned int bytes, u64 *flags)
{
	u64 carry_in = *flags & RFLAGS_CF, sign = 1ull << (8 * bytes - 1), r, f = 0;

	a = alu_truncate(a, bytes);
	b = alu_truncate(b, bytes);
	switch (op) {
	case ALU_ADD:
	case ALU_ADC:
		carry_in = op == ALU_ADC ? carry_in : 0;
		r = alu_truncate(a + b + carry_in, bytes);
		f |= r < a || (carry_in && r == a) ? RFLAGS_CF : 0;
		f |= ((a ^ r) & (b ^ r) & sign) ? RFLAGS_OF : 0;
		f |= ((a ^ b ^ r) & 0x10) ? RFLAGS_AF : 0;
		break;
	case ALU_SUB:
	case ALU_SBB:
	case ALU_CMP:
		carry_in = op == ALU_SBB ? carry_in : 0;
		r = alu_truncate(a - b - carry_in, bytes);
		f |= a < b || (carry_in && a == b) ? RFLAGS_CF : 0;
		f |= ((a ^ b) & (a ^ r) & sign) ? RFLAGS_OF : 0;
		f |= ((a ^ b ^ r) & 0x10) ? RFLAGS_AF : 0;
		break;
	case ALU_OR:
		r = a | b;
		break;
	case ALU_XOR:
		r = a ^ b;
		break;
	default: /* AND, TEST */
		r = a & b;
		break;
	}
	f |= r == 0 ? RFLAGS_ZF : 0;
	f |= (r & sign) ? RFLAGS_SF : 0;
	f |= (0x9669u >> ((r ^ r >> 4) & 0xf) & 1) ? RFLAGS_PF : 0; /* even parity of 4 bits */
	*flags = (*flags & ~RFLAGS_ARITHMETIC) | f;
	return r;
}

/* Condition codes of Jcc, SETcc, CMOVcc (the low four bits of the opcode). */
static inline bool alu_condition(u64 flags, unsigned int code)
{
	bool cf = flags & RFLAGS_CF, zf = flags & RFLAGS_ZF, sf = flags & RFLAGS_SF;
	bool of = flags & RFLAGS_OF, pf = flags & RFLAGS_PF, is_true;

	switch (code >> 1 & 7) {
	case 0:
		is_true = of;
		break;
	case 1:
		is_true = cf;
		break;
	case 2:
		is_true = zf;
		break;
	case 3:
		is_true = cf || zf;
		break;
	case 4:
		is_true = sf;
		break;
	case 5:
		is_true = pf;
		break;
	case 6:
		is_true = sf != of;
		break;
	default:
		is_true = zf || sf != of;
		break;
	}
	return is_true != (code & 1);
}
