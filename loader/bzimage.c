/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/bzimage.h"

#include "base/wire.h"
#include "hv/error.h"

#define SECTOR		  512u
#define HEADER_SIGNATURE  0x53726448u /* "HdrS" */
#define VERSION_PAYLOAD	  0x0208u
#define AT_SETUP_SECTORS  0x1f1u
#define AT_SIGNATURE	  0x202u
#define AT_PAYLOAD	  0x248u
#define SETUP_SECTORS_OLD 4u /* what 0 means */

int bzimage_parse(const u8 *bytes, size_t size_bytes, struct bzimage *out, const char **why)
{
	struct wire in = wire_of(bytes, size_bytes);
	u32 setup_sectors, version, payload_offset, payload_size, kernel_size;
	u64 start;

	(void)wire_bytes(&in, AT_SETUP_SECTORS);
	setup_sectors = wire_u8(&in);
	(void)wire_bytes(&in, AT_SIGNATURE - AT_SETUP_SECTORS - 1);
	if (wire_u32le(&in) != HEADER_SIGNATURE) {
		return -ENOENT;
	}
	version = wire_u16le(&in);
	(void)wire_bytes(&in, AT_PAYLOAD - AT_SIGNATURE - 6);
	payload_offset = wire_u32le(&in);
	payload_size = wire_u32le(&in);
	if (!wire_ok(&in)) {
		*why = "the kernel is truncated";
		return -EINVAL;
	}
	if (version < VERSION_PAYLOAD) {
		*why = "the kernel's bzImage is too old (boot protocol 2.08 is needed)";
		return -EINVAL;
	}

	/* The last four bytes of the payload are the kernel's size. */
	start = ((u64)(setup_sectors ? setup_sectors : SETUP_SECTORS_OLD) + 1) * SECTOR +
		payload_offset;
	if (payload_size < 8 || start > size_bytes || payload_size > size_bytes - start) {
		*why = "the kernel is truncated";
		return -EINVAL;
	}
	in = wire_of(bytes + start + payload_size - 4, 4);
	kernel_size = wire_u32le(&in);
	if (kernel_size == 0 || kernel_size > BZIMAGE_KERNEL_MAX) {
		*why = "the kernel's uncompressed size is impossible";
		return -EINVAL;
	}
	out->payload = bytes + start;
	out->payload_size_bytes = payload_size;
	out->kernel_size_bytes = kernel_size;
	return 0;
}
