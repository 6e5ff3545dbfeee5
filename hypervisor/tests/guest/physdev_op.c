/* SPDX-License-Identifier: GPL-2.0-or-later */
/* physdev_op as a PVH dom0 uses it: devices are reported, interrupts are not mapped. */
#include "lib/guest.h"

#include <xen/physdev.h>

#define OP(cmd, arg) hypercall2(__HYPERVISOR_physdev_op, cmd, arg)

TEST_DOM0(every_pci_device_can_be_reported)
{
	struct physdev_pci_device_add add = {.seg = 0, .bus = 0, .devfn = 31 << 3};

	EXPECT_EQ(OP(PHYSDEVOP_pci_device_add, &add), 0);
	EXPECT_EQ(OP(PHYSDEVOP_pci_device_add, &add), 0);
	EXPECT_EQ(OP(PHYSDEVOP_pci_device_add, 0x800000000000UL), -EFAULT);
}

TEST_DOM0(mmcfg_can_be_reported)
{
	struct physdev_pci_mmcfg_reserved m = {.address = 0xb0000000,
					       .segment = 0,
					       .start_bus = 0,
					       .end_bus = 255,
					       .flags = XEN_PCI_MMCFG_RESERVED};

	EXPECT_EQ(OP(PHYSDEVOP_pci_mmcfg_reserved, &m), 0);
	EXPECT_EQ(OP(PHYSDEVOP_pci_mmcfg_reserved, 0x800000000000UL), -EFAULT);
}

TEST(pirqs_are_not_for_pvh)
{
	uint8_t zeros[64] = {0};

	EXPECT_EQ(OP(PHYSDEVOP_map_pirq, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_unmap_pirq, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_eoi, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_irq_status_query, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_get_free_pirq, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_set_iopl, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_setup_gsi, zeros), -ENOSYS);
}

TEST_DOM0(removing_what_is_not_there)
{
	struct physdev_pci_device d = {.seg = 0, .bus = 200, .devfn = 8};

	EXPECT_EQ(OP(PHYSDEVOP_pci_device_remove, &d), -ENODEV);
}

TEST(devices_are_not_for_a_domu)
{
	uint8_t zeros[64] = {0};

	if (is_dom0()) {
		return;
	}
	EXPECT_EQ(OP(PHYSDEVOP_pci_device_add, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_pci_device_remove, zeros), -ENOSYS);
	EXPECT_EQ(OP(PHYSDEVOP_pci_mmcfg_reserved, zeros), -ENOSYS);
}

TEST(unknown_operations_are_enosys)
{
	EXPECT_EQ(OP(99, 0), -ENOSYS);
}
