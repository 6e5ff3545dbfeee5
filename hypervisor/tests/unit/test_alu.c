/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The software ALU against the one that the test runs on. */
#include "arch/x86/guest/alu.h"

#include "asm/regs.h"
#include "base/test.h"
#include "hv/compiler.h"

static const u64 samples[] = {0,
			      1,
			      2,
			      0x7f,
			      0x80,
			      0x81,
			      0xff,
			      0x100,
			      0x7fff,
			      0x8000,
			      0xffff,
			      0x7fffffff,
			      0x80000000,
			      0xffffffff,
			      0x100000000,
			      0x7fffffffffffffff,
			      0x8000000000000000,
			      0xffffffffffffffff,
			      0x123456789abcdef0};

#if defined(__x86_64__)
#define MACHINE(name, bits, reg)                                              \
	static u64 machine_##name##bits(u64 a, u64 b, bool carry, u64 *flags) \
	{                                                                     \
		u##bits x = (u##bits)a, y = (u##bits)b;                       \
		u64 f = carry;                                                \
		__asm__("bt $0, %1; " #name " %2, %0; pushf; pop %1"          \
			: "+" reg(x), "+r"(f)                                 \
			: reg(y)                                              \
			: "cc", "memory");                                    \
		*flags = f;                                                   \
		return x;                                                     \
	}
#define MACHINE_ALL(name)      \
	MACHINE(name, 8, "q")  \
	MACHINE(name, 16, "r") \
	MACHINE(name, 32, "r") \
	MACHINE(name, 64, "r")
MACHINE_ALL(add)
MACHINE_ALL(or)
MACHINE_ALL(adc)
MACHINE_ALL(sbb)
MACHINE_ALL(and)
MACHINE_ALL(sub)
MACHINE_ALL(xor)
MACHINE_ALL(cmp)
MACHINE_ALL(test)

typedef u64 (*machine_t)(u64 a, u64 b, bool carry, u64 *flags);
#define ROW(name)                                                                             \
	{                                                                                     \
		machine_##name##8, machine_##name##16, machine_##name##32, machine_##name##64 \
	}
static const machine_t machine[9][4] = {ROW(add), ROW(or),  ROW(adc), ROW(sbb), ROW(and),
					ROW(sub), ROW(xor), ROW(cmp), ROW(test)};

TEST(alu, results_and_flags_are_the_cpus)
{
	unsigned int op, size, i, k, carry;

	for (op = 0; op < 9; op++) {
		/* the CPU leaves AF of logic operations undefined */
		bool is_logic = op == ALU_OR || op == ALU_AND || op == ALU_XOR || op == ALU_TEST;
		u64 compared = RFLAGS_ARITHMETIC & ~(is_logic ? RFLAGS_AF : 0);

		for (size = 0; size < 4; size++) {
			for (i = 0; i < ARRAY_SIZE(samples); i++) {
				for (k = 0; k < ARRAY_SIZE(samples); k++) {
					for (carry = 0; carry < 2; carry++) {
						u64 ours = carry, theirs, r, m;

						r = alu_compute((enum alu_op)op, samples[i],
								samples[k], 1u << size, &ours);
						m = machine[op][size](samples[i], samples[k], carry,
								      &theirs);
						if (op != ALU_CMP && op != ALU_TEST) {
							EXPECT_EQ(r, m);
						}
						EXPECT_EQ(ours & compared, theirs & compared);
					}
				}
			}
		}
	}
}
#endif

TEST(alu, conditions_follow_the_flags)
{
	EXPECT(alu_condition(RFLAGS_ZF, 4));  /* e */
	EXPECT(!alu_condition(RFLAGS_ZF, 5)); /* ne */
	EXPECT(alu_condition(RFLAGS_CF, 2));  /* b */
	EXPECT(alu_condition(RFLAGS_CF, 6));  /* be */
	EXPECT(alu_condition(0, 7));		  /* a */
	EXPECT(alu_condition(RFLAGS_SF, 12)); /* l */
	EXPECT(!alu_condition(RFLAGS_SF | RFLAGS_OF, 12));
	EXPECT(alu_condition(RFLAGS_SF | RFLAGS_OF, 13)); /* ge */
	EXPECT(alu_condition(RFLAGS_ZF, 14));		  /* le */
	EXPECT(alu_condition(0, 15));				  /* g */
	EXPECT(alu_condition(RFLAGS_OF, 0));
	EXPECT(alu_condition(RFLAGS_PF, 10));
	EXPECT(alu_condition(RFLAGS_SF, 8));
}

TEST(alu, sign_extension_and_truncation)
{
	EXPECT_EQ(alu_sign_extend(0x80, 1), ~0x7full);
	EXPECT_EQ(alu_sign_extend(0x7f, 1), 0x7f);
	EXPECT_EQ(alu_sign_extend(0x80000000, 4), 0xffffffff80000000ull);
	EXPECT_EQ(alu_sign_extend(5, 8), 5);
	EXPECT_EQ(alu_truncate(~0ull, 2), 0xffff);
	EXPECT_EQ(alu_truncate(~0ull, 8), ~0ull);
}

TEST_MAIN()
