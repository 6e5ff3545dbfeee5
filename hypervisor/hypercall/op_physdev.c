/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: what the domain that owns the devices tells about them, <xen/physdev.h>.
 *
 * A PVH domain has no physical interrupt numbers (its interrupts come through its virtual
 * I/O APIC and vPCI), so the calls about those answer -ENOSYS as they do on the reference.
 */
#include <stdint.h>
#include <xen/physdev.h>
#include <xen/xen.h>

#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "policy/policy.h"
#include "vpci/vpci.h"

/* The fixed head of physdev_pci_device_add; what follows it is optional and not needed. */
#define DEVICE_ADD_BYTES offsetof(struct physdev_pci_device_add, optarr)

/* The domain says that it leaves that space to configuration accesses. It must be what the firmware
 * said. */
static long mmcfg_reserved(struct domain *d, guest_ptr_t arg)
{
	struct physdev_pci_mmcfg_reserved op;
	unsigned int i;

	if (guest_read(&op, arg, sizeof(op))) {
		return -EFAULT;
	}
	if (op.flags & ~(u32)XEN_PCI_MMCFG_RESERVED || op.start_bus > op.end_bus) {
		return -EINVAL;
	}
	for (i = 0; i < acpi_info.mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		if (hpa_raw(m->base) == op.address && m->segment == op.segment &&
		    m->bus_first <= op.start_bus && m->bus_last >= op.end_bus) {
			return 0; /* trapped since the domain was made */
		}
	}
	return -ENODEV;
}

static long device_add(struct domain *d, guest_ptr_t arg)
{
	struct physdev_pci_device_add op;

	if (guest_read(&op, arg, DEVICE_ADD_BYTES)) {
		return -EFAULT;
	}
	return vpci_device_add(d, op.seg, op.bus, op.devfn);
}

static long device_remove(struct domain *d, guest_ptr_t arg)
{
	struct physdev_pci_device op;

	if (guest_read(&op, arg, sizeof(op))) {
		return -EFAULT;
	}
	return vpci_device_remove(d, op.seg, op.bus, op.devfn);
}

/* MSI-X tables are watched all the time; there is nothing to prepare, only a device to know. */
static long msix_prepare_or_release(struct domain *d, guest_ptr_t arg)
{
	struct physdev_pci_device op;
	const struct pci_function *f;

	if (guest_read(&op, arg, sizeof(op))) {
		return -EFAULT;
	}
	f = pci_function_find(pci_bdf_of(op.seg, op.bus, op.devfn));
	return f && f->is_present ? 0 : -ENODEV;
}

/* The debug port of a USB controller is being reset; the hypervisor does not use one. */
static long debug_port(guest_ptr_t arg)
{
	struct physdev_dbgp_op op;

	if (guest_read(&op, arg, sizeof(op))) {
		return -EFAULT;
	}
	return op.op == PHYSDEVOP_DBGP_RESET_PREPARE || op.op == PHYSDEVOP_DBGP_RESET_DONE
		       ? 0
		       : -ENOSYS;
}

long op_physdev(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	guest_ptr_t arg = guest_ptr_of(call->arg[1]);
	u32 cmd = (u32)call->arg[0];

	switch (cmd) {
	case PHYSDEVOP_pci_mmcfg_reserved:
	case PHYSDEVOP_pci_device_add:
	case PHYSDEVOP_pci_device_remove:
	case PHYSDEVOP_dbgp_op:
	case PHYSDEVOP_prepare_msix:
	case PHYSDEVOP_release_msix:
		break;
	default:
		return -ENOSYS;
	}
	if (policy_physdev(d, cmd)) {
		return -ENOSYS; /* as Xen answers a PVH guest */
	}
	switch (cmd) {
	case PHYSDEVOP_pci_mmcfg_reserved:
		return mmcfg_reserved(d, arg);
	case PHYSDEVOP_pci_device_add:
		return device_add(d, arg);
	case PHYSDEVOP_pci_device_remove:
		return device_remove(d, arg);
	case PHYSDEVOP_dbgp_op:
		return debug_port(arg);
	default:
		return msix_prepare_or_release(d, arg);
	}
}
