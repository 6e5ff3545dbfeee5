/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform_op: what dom0 asks of the machine. Firmware services that we do not have answer as
 * Xen does without EFI.
 */
#include <stdint.h>
#include <xen/platform.h>

#include "arch/contract/host.h"
#include "arch/contract/guest.h"
#include "boot/modules.h"
#include "core/smp.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

/* Later than our headers: struct dom0_vga_console_info as in the start info of classic PV. */
#define OP_GET_DOM0_CONSOLE 64

#define RESOURCE_ENTRY_MAX 3u

static long do_settime(const struct xenpf_settime64 *a)
{
	if (a->mbz || a->nsecs >= NS_PER_SEC) {
		return -EINVAL;
	}
	arch_wallclock_set(a->secs, a->nsecs, a->system_time);
	return 0;
}

static long do_firmware_info(struct xenpf_firmware_info *a)
{
	switch (a->type) {
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
		return -ESRCH; /* no BIOS disks were recorded: the end of the list */
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	case XEN_FW_EFI_INFO:
		return -ENOSYS; /* not started by EFI */
	case XEN_FW_KBD_SHIFT_FLAGS:
		a->u.kbd_shift_flags = 0; /* nobody asked the BIOS: none is pressed */
		return 0;
	default:
		return -EINVAL;
	}
}

static long do_cpu_info(struct xenpf_pcpuinfo *a)
{
	u32 cpu = a->xen_cpuid;

	a->max_present = smp_cpu_count() - 1;
	if (cpu >= smp_cpu_count()) {
		a->flags = XEN_PCPU_FLAGS_INVALID;
		a->apic_id = 0;
		a->acpi_id = 0;
		return 0;
	}
	arch_cpu_firmware_ids((cpu_t)index_clamp(cpu, CPU_MAX), &a->apic_id, &a->acpi_id);
	a->flags = XEN_PCPU_FLAGS_ONLINE;
	return 0;
}

static long do_cpu_version(struct xenpf_pcpu_version *a)
{
	a->max_present = smp_cpu_count() - 1;
	memset(a->vendor_id, 0, sizeof(a->vendor_id));
	a->family = a->model = a->stepping = 0;
	if (a->xen_cpuid < smp_cpu_count()) {
		arch_cpu_version(a->vendor_id, &a->family, &a->model, &a->stepping); /* all are alike */
	}
	return 0;
}

/* CPUs are on from start to end. */
static long do_cpu_online(const struct xenpf_cpu_ol *a, bool is_online)
{
	if (a->cpuid >= smp_cpu_count()) {
		return -EINVAL;
	}
	return is_online ? -EEXIST : -EBUSY;
}

/* Processor power data is accepted and not used: the CPU idles in HLT or MWAIT. */
static long do_pminfo(const struct xenpf_set_processor_pminfo *a)
{
	switch (a->type) {
	case XEN_PM_CX:
	case XEN_PM_PX:
	case XEN_PM_TX:
		return -ENOSYS;
	case XEN_PM_PDC:
		return 0; /* the bits that the firmware is told stay as dom0 has them */
	default:
		return -EINVAL;
	}
}

static long do_core_parking(struct xenpf_core_parking *a)
{
	switch (a->type) {
	case XEN_CORE_PARKING_SET:
		return a->idle_nums ? -EOPNOTSUPP : 0;
	case XEN_CORE_PARKING_GET:
		a->idle_nums = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* A frame buffer as the loader left it: XEN_VGATYPE_VESA_LFB (0x23), <xen/xen.h>. */
static void fill_vesa(struct dom0_vga_console_info *c)
{
	bool is_wide = boot_info.framebuffer.bits_per_pixel == 32;

	c->video_type = XEN_VGATYPE_VESA_LFB;
	c->u.vesa_lfb.width = (u16)boot_info.framebuffer.width;
	c->u.vesa_lfb.height = (u16)boot_info.framebuffer.height;
	c->u.vesa_lfb.bytes_per_line = (u16)boot_info.framebuffer.pitch;
	c->u.vesa_lfb.bits_per_pixel = boot_info.framebuffer.bits_per_pixel;
	c->u.vesa_lfb.lfb_base = (u32)hpa_raw(boot_info.framebuffer.base);
	c->u.vesa_lfb.ext_lfb_base = (u32)(hpa_raw(boot_info.framebuffer.base) >> 32);
	c->u.vesa_lfb.lfb_size =
		(boot_info.framebuffer.pitch * boot_info.framebuffer.height + 0xffff) >> 16;
	c->u.vesa_lfb.red_pos = 16;
	c->u.vesa_lfb.green_pos = 8;
	c->u.vesa_lfb.rsvd_pos = 24;
	c->u.vesa_lfb.red_size = c->u.vesa_lfb.green_size = c->u.vesa_lfb.blue_size = 8;
	c->u.vesa_lfb.rsvd_size = is_wide ? 8 : 0;
}

/* Answers the size of what was written; the union has room for it. */
static long do_dom0_console(struct xen_platform_op *op)
{
	struct dom0_vga_console_info console;

	if (!boot_info.framebuffer.width) {
		return -ENODATA;
	}
	memset(&console, 0, sizeof(console));
	fill_vesa(&console);
	memcpy(op->u.pad, &console, sizeof(console));
	return sizeof(console);
}

static long do_sleep(const struct xenpf_enter_acpi_sleep *a)
{
	/* The extended registers of reduced hardware are not known here. */
	return a->flags ? -EINVAL : arch_sleep(a->sleep_state, a->val_a, a->val_b);
}

/*
 * Registers of the host's CPUs, for tools that watch caches and bandwidth. None is given out: the first
 * entry says so, and as many as were done are none.
 */
static long do_resource(const struct xenpf_resource_op *a)
{
	struct xenpf_resource_entry entry;

	if (!a->nr_entries) {
		return 0;
	}
	if (a->nr_entries > RESOURCE_ENTRY_MAX) {
		return -EINVAL;
	}
	if (guest_read(&entry, handle_ptr(a->entries), sizeof(entry))) {
		return -EFAULT;
	}
	if (entry.rsvd) {
		entry.u.ret = -EINVAL;
	} else if (entry.u.cmd > XEN_RESOURCE_OP_MSR_WRITE) {
		entry.u.ret = -EOPNOTSUPP;
	} else {
		entry.u.ret = entry.idx >> 32 ? -EINVAL : -EPERM;
	}
	return guest_write(handle_ptr(a->entries), &entry, sizeof(entry)) ? -EFAULT : 0;
}

static long act(struct xen_platform_op *op)
{
	switch (op->cmd) {
	case XENPF_settime64:
		return do_settime(&op->u.settime64);
	case XENPF_efi_runtime_call:
		return -ENOSYS;
	case XENPF_firmware_info:
		return do_firmware_info(&op->u.firmware_info);
	case XENPF_enter_acpi_sleep:
		return do_sleep(&op->u.enter_acpi_sleep);
	case XENPF_set_processor_pminfo:
		return do_pminfo(&op->u.set_pminfo);
	case XENPF_get_cpu_version:
		return do_cpu_version(&op->u.pcpu_version);
	case XENPF_get_cpuinfo:
		return do_cpu_info(&op->u.pcpu_info);
	case XENPF_cpu_online:
		return do_cpu_online(&op->u.cpu_ol, true);
	case XENPF_cpu_offline:
		return do_cpu_online(&op->u.cpu_ol, false);
	case XENPF_core_parking:
		return do_core_parking(&op->u.core_parking);
	case XENPF_resource_op:
		return do_resource(&op->u.resource_op);
	case XENPF_get_symbol:
		op->u.symdata.namelen = 0; /* symbols are not given out: the end of the list */
		return 0;
	case OP_GET_DOM0_CONSOLE:
		return do_dom0_console(op);
	default:
		return -ENOSYS;
	}
}

/* arg: pointer. */
long op_platform(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	struct xen_platform_op op;
	long rc;

	if (guest_read(&op, call_ptr(call, 0), sizeof(op))) {
		return -EFAULT;
	}
	if (op.interface_version != XENPF_INTERFACE_VERSION) {
		return -EACCES;
	}
	rc = policy_platform(d, op.cmd);
	if (rc) {
		return rc;
	}
	rc = act(&op);
	if (rc >= 0 && guest_write(call_ptr(call, 0), &op, sizeof(op))) {
		return -EFAULT;
	}
	return rc;
}
