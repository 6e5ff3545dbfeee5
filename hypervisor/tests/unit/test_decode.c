/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/decode.h"

#include "base/test.h"
#include "hv/error.h"
#include "lib/string.h"

struct row {
	const char *bytes;
	unsigned int size_bytes, mode, length;
};
#define ROW(mode, bytes, length)                       \
	{                                              \
		bytes, sizeof(bytes) - 1, mode, length \
	}

/* Bytes behind the instruction are there, as they are in memory. */
static int decode_padded(const char *bytes, unsigned int size_bytes, unsigned int mode,
			 struct decoded *d)
{
	u8 padded[DECODE_BYTES_MAX];

	memset(padded, 0x90, sizeof(padded));
	memcpy(padded, bytes, MIN(size_bytes, sizeof(padded)));
	return decode_instruction(padded, sizeof(padded), mode, d);
}
#define DECODE(bytes, mode, d) decode_padded(bytes, sizeof(bytes) - 1, mode, d)

TEST(decode, lengths_are_those_of_the_manual)
{
	static const struct row rows[] = {
		ROW(8, "\x0f\xa2", 2),		/* cpuid */
		ROW(8, "\x66\x2e\x0f\xa2", 4),	/* the same with prefixes */
		ROW(8, "\x0f\x01\xd9", 3),	/* vmmcall */
		ROW(8, "\x0f\x01\xd1", 3),	/* xsetbv */
		ROW(8, "\xf4", 1),		/* hlt */
		ROW(8, "\x48\xb8", 10),		/* mov imm64, rax */
		ROW(4, "\xb8", 5),		/* mov imm32, eax */
		ROW(2, "\xb8", 3),		/* mov imm16, ax */
		ROW(8, "\x66\xc7\x05", 9),	/* movw imm16, disp32(rip) */
		ROW(8, "\x48\xc7\x84\x24", 12), /* movq imm32, disp32(rsp) */
		ROW(8, "\xa1", 9),		/* movabs moffs64, eax */
		ROW(8, "\x67\xa1", 6),		/* with 32-bit addresses */
		ROW(4, "\xa1", 5),		/* mov moffs32, eax */
		ROW(2, "\xa1", 3),		/* mov moffs16, ax */
		ROW(8, "\xf7\x00", 6),		/* test imm32, (rax) */
		ROW(8, "\xf7\x10", 2),		/* not (rax) */
		ROW(4, "\xea", 7),		/* ljmp ptr16:32 */
		ROW(2, "\xea", 5),		/* ljmp ptr16:16 */
		ROW(2, "\x8b\x86", 4),		/* mov disp16(bp), ax */
		ROW(2, "\x67\x8b\x84\x24", 8),	/* mov disp32(esp), ax */
		ROW(8, "\x0f\x22\xc0", 3),	/* mov rax, cr0 */
		ROW(8, "\x44\x0f\x22\x00", 4),	/* mov rax, cr8, mod ignored */
		ROW(8, "\x0f\x3a\x0f\xc1", 5),	/* palignr */
		ROW(8, "\xc8", 4),		/* enter */
		ROW(8, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 15),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decoded d;

		EXPECT_EQ(decode_padded(rows[i].bytes, rows[i].size_bytes, rows[i].mode, &d), 0);
		EXPECT_EQ(d.length, rows[i].length);
	}
}

TEST(decode, more_than_fifteen_bytes_is_refused)
{
	static const u8 bytes[] =
		"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90";
	struct decoded d;

	EXPECT_EQ(decode_instruction(bytes, 16, 8, &d), -EINVAL);
	/* thirteen prefixes leave no room for opcode, ModRM and displacement */
	EXPECT_EQ(decode_instruction((const u8 *)"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"
						 "\x8b\x05\0\0\0\0",
				     17, 8, &d),
		  -EINVAL);
}

TEST(decode, missing_bytes_are_refused)
{
	static const u8 bytes[] = {0x48, 0xc7, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 7, 8};
	struct decoded d;
	unsigned int count;

	for (count = 0; count < sizeof(bytes); count++) {
		EXPECT_EQ(decode_instruction(bytes, count, 8, &d), -EINVAL);
	}
	EXPECT_EQ(decode_instruction(bytes, count, 8, &d), 0);
}

TEST(decode, vector_encodings_are_not_taken_for_others)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\xc5\xf8\x77", 8, &d), -EOPNOTSUPP);		   /* vzeroupper */
	EXPECT_EQ(DECODE("\xc4\xe2\x39\xf7\xc9", 8, &d), -EOPNOTSUPP);	   /* shlx */
	EXPECT_EQ(DECODE("\x62\xf1\x7c\x48\x10\x00", 8, &d), -EOPNOTSUPP); /* vmovups zmm */
	EXPECT_EQ(DECODE("\xc5\xf8\x77", 4, &d), -EOPNOTSUPP);
	EXPECT_EQ(DECODE("\xc5\x00", 4, &d), 0); /* lds (eax), eax */
	EXPECT_EQ(d.length, 2);
}

TEST(decode, operands_of_a_store)
{
	struct decoded d;

	/* mov %r9d, 0x12345678(%r13,%r12,8) with fs */
	EXPECT_EQ(DECODE("\x64\x47\x89\x8c\xe5\x78\x56\x34\x12", 8, &d), 0);
	EXPECT_EQ(d.opcode, 0x89);
	EXPECT_EQ(d.reg, 9);
	EXPECT(d.is_memory && d.has_base && d.has_index);
	EXPECT_EQ(d.base, 13);
	EXPECT_EQ(d.index, 12);
	EXPECT_EQ(d.scale_shift, 3);
	EXPECT_EQ(d.displacement, 0x12345678);
	EXPECT_EQ(d.segment, SEG_FS);
	EXPECT_EQ(d.operand_bytes, 4);
}

TEST(decode, addresses_without_base)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\x8b\x05\xfc\xff\xff\xff", 8, &d), 0); /* mov -4(%rip), %eax */
	EXPECT(d.is_rip_relative && !d.has_base);
	EXPECT_EQ(d.displacement, -4);
	EXPECT_EQ(DECODE("\x8b\x04\x25\x00\x00\xe0\xfe", 8, &d), 0); /* mov 0xfffffffffee00000 */
	EXPECT(!d.is_rip_relative && !d.has_base && !d.has_index);
	EXPECT_EQ(d.displacement, (s32)0xfee00000);
	EXPECT_EQ(DECODE("\x8b\x05\x00\x00\xe0\xfe", 4, &d), 0); /* 32-bit: absolute */
	EXPECT(!d.is_rip_relative && !d.has_base);
}

TEST(decode, rsp_and_rbp_use_the_stack_segment_but_r12_and_r13_do_not)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\x8b\x45\x00", 8, &d), 0);
	EXPECT_EQ(d.segment, SEG_SS);
	EXPECT_EQ(DECODE("\x8b\x04\x24", 8, &d), 0);
	EXPECT_EQ(d.segment, SEG_SS);
	EXPECT_EQ(DECODE("\x41\x8b\x45\x00", 8, &d), 0);
	EXPECT_EQ(d.segment, SEG_DS);
	/* overrides other than fs and gs mean nothing in 64-bit mode */
	EXPECT_EQ(DECODE("\x2e\x8b\x00", 8, &d), 0);
	EXPECT_EQ(d.segment, SEG_DS);
	EXPECT_EQ(DECODE("\x2e\x8b\x00", 4, &d), 0);
	EXPECT_EQ(d.segment, SEG_CS);
}

TEST(decode, rex_counts_only_before_the_opcode)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\x48\x66\x89\x00", 8, &d), 0);
	EXPECT(!d.has_rex);
	EXPECT_EQ(d.operand_bytes, 2);
	EXPECT_EQ(DECODE("\x66\x48\x89\x00", 8, &d), 0);
	EXPECT_EQ(d.operand_bytes, 8);
}

TEST(decode, immediates_are_sign_extended)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\x83\x08\xf0", 8, &d), 0); /* orl $-16, (%rax) */
	EXPECT_EQ((s64)d.immediate, -16);
	EXPECT_EQ(DECODE("\x48\xc7\x00\xff\xff\xff\xff", 8, &d), 0);
	EXPECT_EQ((s64)d.immediate, -1);
	EXPECT_EQ(d.immediate_bytes, 4);
}

TEST(decode, repeat_prefixes)
{
	struct decoded d;

	EXPECT_EQ(DECODE("\xf3\x48\xab", 8, &d), 0);
	EXPECT(d.has_rep);
	EXPECT_EQ(d.operand_bytes, 8);
	EXPECT_EQ(DECODE("\xf2\xf3\xa4", 8, &d), 0);
	EXPECT(d.has_rep && !d.has_repne);
}

TEST_MAIN()
