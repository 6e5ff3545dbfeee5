/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state at the first instruction (PVH boot ABI: xen/arch-x86/hvm/start_info.h). */
#include "lib/guest.h"

TEST(ebx_is_the_start_info)
{
	struct hvm_start_info *info = start_info();

	EXPECT_EQ(info->magic, XEN_HVM_START_MAGIC_VALUE);
	EXPECT(info->version <= 1);
}

TEST(protected_mode_without_paging)
{
	EXPECT_EQ(entry_state.cr0, 0x11); /* PE and ET */
	EXPECT_EQ(entry_state.cr4, 0);
	EXPECT_EQ(entry_state.efer & 0xd01, 0);
}

TEST(flags_are_clear)
{
	EXPECT_EQ(entry_state.eflags, 2);
}

TEST(command_line_is_ours)
{
	struct hvm_start_info *info = start_info();
	const char *text = (const char *)info->cmdline_paddr;
	bool is_there = false;

	if (!EXPECT(info->cmdline_paddr != 0)) {
		return;
	}
	for (size_t i = 0; i < strlen(text); i++) {
		is_there |= memcmp(text + i, "guest-argument", 14) == 0;
	}
	EXPECT(is_there);
}

TEST(flags_say_whether_it_is_the_privileged_initial_domain)
{
	EXPECT_EQ(start_info()->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN),
		  own_domain() == 0 ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0);
}

TEST(no_module_without_initrd)
{
	EXPECT_EQ(start_info()->nr_modules, 0);
}

TEST(rsdp_has_its_signature_and_checksum)
{
	const uint8_t *rsdp = (const uint8_t *)start_info()->rsdp_paddr;
	uint8_t sum = 0;

	if (!EXPECT(rsdp != NULL)) {
		return;
	}
	EXPECT_EQ(memcmp(rsdp, "RSD PTR ", 8), 0);
	for (unsigned i = 0; i < 20; i++) {
		sum += rsdp[i];
	}
	EXPECT_EQ(sum, 0);
	sum = 0;
	for (unsigned i = 0; i < 36; i++) {
		sum += rsdp[i];
	}
	EXPECT_EQ(sum, 0);
	EXPECT(rsdp[15] >= 2);
}
