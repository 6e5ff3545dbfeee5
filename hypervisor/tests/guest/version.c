/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen_version: what tools and kernels ask first. */
#include "lib/guest.h"

#include <xen/features.h>
#include <xen/version.h>

#define OP(cmd, arg) hypercall2(__HYPERVISOR_xen_version, cmd, arg)

static bool is_text(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!s[i]) {
			return i > 0;
		}
		if ((uint8_t)s[i] >= 0x7f || ((uint8_t)s[i] < 0x20 && s[i] != '\n')) {
			return false;
		}
	}
	return false;
}

TEST(is_4_17)
{
	EXPECT_EQ(OP(XENVER_version, 0), 4 << 16 | 17);
}

TEST(extraversion_is_text)
{
	xen_extraversion_t text;

	memset(text, 0xff, sizeof(text));
	EXPECT_EQ(OP(XENVER_extraversion, text), 0);
	EXPECT(is_text(text, sizeof(text)));
}

TEST(capabilities_name_hvm)
{
	xen_capabilities_info_t text;
	bool has_hvm = false;

	memset(text, 0xff, sizeof(text));
	EXPECT_EQ(OP(XENVER_capabilities, text), 0);
	EXPECT(is_text(text, sizeof(text)));
	for (size_t i = 0; text[i]; i++) {
		has_hvm |= memcmp(text + i, "hvm-3.0-x86_64", 14) == 0;
	}
	EXPECT(has_hvm);
}

TEST(changeset_is_text_or_empty)
{
	xen_changeset_info_t text;

	memset(text, 0xff, sizeof(text));
	EXPECT_EQ(OP(XENVER_changeset, text), 0);
	EXPECT(text[0] == '\0' || is_text(text, sizeof(text)));
}

TEST(compile_info_is_text)
{
	struct xen_compile_info info;

	memset(&info, 0xff, sizeof(info));
	EXPECT_EQ(OP(XENVER_compile_info, &info), 0);
	EXPECT(is_text(info.compiler, sizeof(info.compiler)));
	EXPECT(is_text(info.compile_by, sizeof(info.compile_by)));
	EXPECT(is_text(info.compile_domain, sizeof(info.compile_domain)));
	EXPECT(is_text(info.compile_date, sizeof(info.compile_date)));
}

TEST(command_line_is_terminated)
{
	static xen_commandline_t text;

	memset(text, 0xff, sizeof(text));
	EXPECT_EQ(OP(XENVER_commandline, text), 0);
	EXPECT(is_text(text, sizeof(text)));
}

TEST(pagesize_is_4096)
{
	EXPECT_EQ(OP(XENVER_pagesize, 0), 4096);
}

TEST(platform_parameters_are_written)
{
	struct xen_platform_parameters p = {.virt_start = 0x1234567};

	EXPECT_EQ(OP(XENVER_platform_parameters, &p), 0);
	EXPECT(p.virt_start != 0x1234567);
}

TEST(guest_handle_is_16_bytes)
{
	uint8_t handle[20];

	memset(handle, 0xee, sizeof(handle));
	EXPECT_EQ(OP(XENVER_guest_handle, handle), 0);
	for (unsigned i = 0; i < 16; i++) {
		EXPECT(handle[i] != 0xee);
	}
	EXPECT_EQ(handle[16], 0xee);
}

TEST(features_of_a_pvh_domain)
{
	struct xen_feature_info info = {.submap_idx = 0, .submap = 0};
	uint32_t wanted = 1U << XENFEAT_writable_page_tables |
			  1U << XENFEAT_auto_translated_physmap |
			  1U << XENFEAT_memory_op_vnode_supported |
			  1U << XENFEAT_hvm_callback_vector | 1U << XENFEAT_hvm_safe_pvclock;

	EXPECT_EQ(OP(XENVER_get_features, &info), 0);
	EXPECT_EQ(info.submap & wanted, wanted);
	EXPECT_EQ(info.submap >> XENFEAT_dom0 & 1, is_dom0());
	EXPECT_EQ(info.submap & (1U << XENFEAT_pae_pgdir_above_4gb), 0);
	EXPECT_EQ(info.submap & (1U << XENFEAT_mmu_pt_update_preserve_ad), 0);
}

TEST(features_of_other_submaps)
{
	struct xen_feature_info info = {.submap_idx = 1, .submap = 7};

	EXPECT_EQ(OP(XENVER_get_features, &info), -EINVAL);
	info.submap_idx = 0xffffffff;
	EXPECT_EQ(OP(XENVER_get_features, &info), -EINVAL);
}

TEST_DOM0(build_id_has_a_size)
{
	xen_build_id_t none = {.len = 0};
	union {
		xen_build_id_t id;
		uint8_t bytes[64];
	} u = {.id = {.len = 60}};
	long size = hypercall2(__HYPERVISOR_xen_version, XENVER_build_id, 0);

	EXPECT(size > 0 && size <= 60);
	EXPECT_EQ(OP(XENVER_build_id, &none), -EINVAL);
	EXPECT_EQ(OP(XENVER_build_id, &u), size);
}

/* What the hypervisor is made of and started with is not for every domain. */
TEST(others_than_dom0_are_not_told_the_secrets)
{
	static const char denied[] = "<denied>";
	static xen_commandline_t text;

	if (is_dom0()) {
		return;
	}
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_build_id, 0), -EPERM);
	EXPECT_EQ(OP(XENVER_commandline, text), 0);
	EXPECT_EQ(memcmp(text, denied, sizeof(denied)), 0);
}

TEST(unknown_commands_are_enosys)
{
	EXPECT_EQ(OP(11, 0), -ENOSYS);
	EXPECT_EQ(OP(0xffff, 0), -ENOSYS);
}

TEST(null_pointers_are_efault_or_harmless)
{
	EXPECT_EQ(OP(XENVER_extraversion, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(OP(XENVER_get_features, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(OP(XENVER_commandline, 0x7ffffffffff0UL), -EFAULT);
}
