/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform_op: firmware and CPU facts for dom0. */
#include "lib/guest.h"

#include <xen/platform.h>

static long op(struct xen_platform_op *p)
{
	p->interface_version = XENPF_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_platform_op, p);
}

TEST_DOM0(wrong_interface_versions_are_eacces)
{
	struct xen_platform_op p = {.cmd = XENPF_get_cpu_version,
				    .interface_version = XENPF_INTERFACE_VERSION + 1};

	EXPECT_EQ(hypercall1(__HYPERVISOR_platform_op, &p), -EACCES);
	p.interface_version = 0;
	EXPECT_EQ(hypercall1(__HYPERVISOR_platform_op, &p), -EACCES);
}

TEST_DOM0(firmware_info_has_no_efi_here)
{
	struct xen_platform_op p = {.cmd = XENPF_firmware_info,
				    .u.firmware_info.type = XEN_FW_DISK_INFO,
				    .u.firmware_info.index = 0xffff};

	EXPECT_EQ(op(&p), -ESRCH);
	p = (struct xen_platform_op){.cmd = XENPF_firmware_info, .u.firmware_info.type = 99};
	EXPECT_EQ(op(&p), -EINVAL);
	p = (struct xen_platform_op){.cmd = XENPF_firmware_info,
				     .u.firmware_info.type = XEN_FW_EFI_INFO};
	EXPECT(op(&p) < 0);
}

TEST_DOM0(keyboard_flags_are_given)
{
	struct xen_platform_op p = {.cmd = XENPF_firmware_info,
				    .u.firmware_info.type = XEN_FW_KBD_SHIFT_FLAGS};

	EXPECT_EQ(op(&p), 0);
}

TEST_DOM0(cpu_info_of_each_cpu)
{
	struct xen_platform_op p = {.cmd = XENPF_get_cpuinfo, .u.pcpu_info.xen_cpuid = 0};

	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(p.u.pcpu_info.max_present, 0);
	EXPECT_EQ(p.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE, XEN_PCPU_FLAGS_ONLINE);
	EXPECT_EQ(p.u.pcpu_info.apic_id, 0);
}

TEST_DOM0(cpu_version)
{
	struct xen_platform_op p = {.cmd = XENPF_get_cpu_version};

	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(p.u.pcpu_version.max_present, 0);
	EXPECT_EQ(memcmp(p.u.pcpu_version.vendor_id, "AuthenticAMD", 12), 0);
}

TEST_DOM0(registers_of_the_host_are_not_given_out)
{
	struct xenpf_resource_entry e = {.u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = 0x1b};
	struct xen_platform_op p = {.cmd = XENPF_resource_op};

	EXPECT_EQ(op(&p), 0);
	p.u.resource_op.nr_entries = 4;
	EXPECT_EQ(op(&p), -EINVAL);
	p.u.resource_op.nr_entries = 1;
	p.u.resource_op.entries.p = (void *)0x800000000000UL;
	EXPECT_EQ(op(&p), -EFAULT);
	p.u.resource_op.entries.p = &e;
	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(e.u.ret, -EPERM);
	EXPECT_EQ(e.val, 0);
	e.u.cmd = 7;
	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(e.u.ret, -EOPNOTSUPP);
	e.u.cmd = XEN_RESOURCE_OP_MSR_READ;
	e.idx |= 1UL << 40;
	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(e.u.ret, -EINVAL);
	e.u.cmd = XEN_RESOURCE_OP_MSR_READ;
	e.rsvd = 1;
	EXPECT_EQ(op(&p), 0);
	EXPECT_EQ(e.u.ret, -EINVAL);
}

TEST_DOM0(symbols_of_the_hypervisor_are_listed_or_refused)
{
	static char name[256];
	struct xen_platform_op p = {.cmd = XENPF_get_symbol, .u.symdata.namelen = sizeof(name)};
	long rc;

	set_xen_guest_handle(p.u.symdata.name, name);
	rc = op(&p);
	EXPECT(rc == 0 || rc == -ENOSYS);
}

TEST_DOM0(bad_pointers_and_numbers)
{
	struct xen_platform_op p = {.cmd = 99};

	EXPECT_EQ(op(&p), -ENOSYS);
	p.cmd = 0;
	EXPECT_EQ(op(&p), -ENOSYS);
	EXPECT_EQ(hypercall1(__HYPERVISOR_platform_op, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(hypercall1(__HYPERVISOR_platform_op, 0xfffffffffffffff8UL), -EFAULT);
}

TEST(a_domu_has_no_right_to_it)
{
	static const uint32_t commands[] = {XENPF_settime64,	    XENPF_firmware_info,
					    XENPF_enter_acpi_sleep, XENPF_get_cpuinfo,
					    XENPF_cpu_offline,	    99};
	struct xen_platform_op p = {0};

	if (is_dom0()) {
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		p.cmd = commands[i];
		EXPECT_EQ(op(&p), -EPERM);
	}
}
