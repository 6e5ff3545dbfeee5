/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_io: dom0's way to the hypervisor's console, and nobody else's. */
#include "lib/guest.h"

#define WRITE(count, buffer) hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, count, buffer)
#define READ(count, buffer)  hypercall3(__HYPERVISOR_console_io, CONSOLEIO_read, count, buffer)

static char long_text[3000];

TEST_DOM0(text_can_be_written)
{
	EXPECT_EQ(WRITE(6, "hello\n"), 0);
}

TEST_DOM0(nothing_can_be_written)
{
	EXPECT_EQ(WRITE(0, "x"), 0);
}

TEST_DOM0(long_and_binary_text_can_be_written)
{
	for (unsigned i = 0; i < sizeof(long_text); i++) {
		long_text[i] = i % 64 == 63 ? '\n' : (char)(i | 0x80);
	}
	EXPECT_EQ(WRITE(sizeof(long_text), long_text), 0);
}

TEST_DOM0(bad_pointers_are_efault)
{
	char byte;

	EXPECT_EQ(WRITE(16, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(WRITE(16, 0xfffffffffffffff8UL), -EFAULT);
	EXPECT_EQ(WRITE(16, 0x100000000000UL), -EFAULT);
	EXPECT_EQ(READ(0, &byte), 0);
}

TEST_DOM0(nobody_types_so_nothing_is_read)
{
	char text[16];

	EXPECT_EQ(READ(sizeof(text), text), 0);
}

TEST_DOM0(negative_counts_are_refused)
{
	char text[16];

	EXPECT(READ(-1, text) <= 0);
}

TEST_DOM0(unknown_commands_are_enosys)
{
	EXPECT_EQ(hypercall3(__HYPERVISOR_console_io, 2, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall3(__HYPERVISOR_console_io, 99, 0, 0), -ENOSYS);
}

TEST(a_domu_has_no_right_to_it)
{
	static char text[16];

	if (is_dom0()) {
		return;
	}
	EXPECT_EQ(WRITE(6, "hello\n"), -EPERM);
	EXPECT_EQ(WRITE(16, 0x800000000000UL), -EPERM);
	EXPECT_EQ(READ(sizeof(text), text), -EPERM);
	EXPECT_EQ(hypercall3(__HYPERVISOR_console_io, 99, 0, 0), -EPERM);
}
