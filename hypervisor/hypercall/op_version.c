/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen_version: what the hypervisor says of itself. The numbers are those of the ABI that it
 * speaks, Xen 4.17, because tools choose their own version by them.
 */
#include <stdint.h>
#include <xen/version.h>

#include "arch/contract/guest.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

#ifndef MULLION_VERSION
#define MULLION_VERSION "0.1.0"
#endif

static const char capabilities[] =
	"hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

static long put_text(guest_ptr_t to, const char *text, size_t size_bytes)
{
	size_t length = strnlen(text, size_bytes - 1);

	if (guest_write(to, text, length) || guest_clear(guest_ptr_add(to, length), size_bytes - length)) {
		return -EFAULT;
	}
	return 0;
}

static long do_compile_info(guest_ptr_t to)
{
	struct xen_compile_info info;

	memset(&info, 0, sizeof(info));
	string_copy(info.compiler, __VERSION__, sizeof(info.compiler));
	string_copy(info.compile_by, "mullion", sizeof(info.compile_by));
	/* No real date or host: two builds of one source are the same. */
	string_copy(info.compile_domain, "reproducible", sizeof(info.compile_domain));
	string_copy(info.compile_date, "reproducible", sizeof(info.compile_date));
	return guest_write(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long do_get_features(const struct domain *d, guest_ptr_t at)
{
	struct xen_feature_info info;

	if (guest_read(&info, at, sizeof(info))) {
		return -EFAULT;
	}
	switch (info.submap_idx) {
	case 0:
		info.submap = BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_auto_translated_physmap) |
			      BIT(XENFEAT_hvm_callback_vector) | BIT(XENFEAT_hvm_safe_pvclock) |
			      BIT(XENFEAT_memory_op_vnode_supported);
		if (d->is_control) {
			info.submap |= BIT(XENFEAT_dom0);
		}
		break;
	default:
		return -EINVAL;
	}
	return guest_write(at, &info, sizeof(info)) ? -EFAULT : 0;
}

#define BUILD_ID_BYTES 16u

/* No pointer: how long it is. Otherwise how much was written. */
static long do_build_id(const struct domain *d, guest_ptr_t at)
{
	u8 id[BUILD_ID_BYTES];
	u32 room;
	int rc = policy_version(d, XENVER_build_id);

	if (rc) {
		return rc;
	}
	if (!guest_ptr_raw(at)) {
		return BUILD_ID_BYTES;
	}
	if (guest_read(&room, at, sizeof(room))) {
		return -EFAULT;
	}
	if (room == 0) {
		return -EINVAL;
	}
	if (room < BUILD_ID_BYTES) {
		return -ENOBUFS;
	}
	arch_image_id(id, sizeof(id));
	at = guest_ptr_add(at, offsetof(struct xen_build_id, buf));
	return guest_write(at, id, sizeof(id)) ? -EFAULT : BUILD_ID_BYTES;
}

/* arg: command, pointer. */
long op_xen_version(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	guest_ptr_t to = call_ptr(call, 1);
	struct xen_platform_parameters parameters;

	switch ((u32)call->arg[0]) {
	case XENVER_version:
		return 4l << 16 | 17;
	case XENVER_extraversion:
		return put_text(to, "-mullion", XEN_EXTRAVERSION_LEN);
	case XENVER_compile_info:
		return do_compile_info(to);
	case XENVER_capabilities:
		return put_text(to, capabilities, XEN_CAPABILITIES_INFO_LEN);
	case XENVER_changeset:
		return put_text(to, "mullion " MULLION_VERSION, XEN_CHANGESET_INFO_LEN);
	case XENVER_platform_parameters:
		parameters.virt_start = HYPERVISOR_VIRT_START;
		return guest_write(to, &parameters, sizeof(parameters)) ? -EFAULT : 0;
	case XENVER_get_features:
		return do_get_features(d, to);
	case XENVER_pagesize:
		return call->arg[1] ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_guest_handle:
		return guest_write(to, d->handle, sizeof(d->handle)) ? -EFAULT : 0;
	case XENVER_commandline:
		return put_text(to, policy_version(d, XENVER_commandline) ? "<denied>" : hypervisor_command_line, sizeof(xen_commandline_t));
	case XENVER_build_id:
		return do_build_id(d, to);
	default:
		return -ENOSYS;
	}
}
