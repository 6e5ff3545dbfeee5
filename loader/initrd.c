/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/initrd.h"

#include "base/wire.h"
#include "hv/error.h"
#include "lib/string.h"
#include "loader/decompress_formats.h"

#define CPIO_HEADER_BYTES 110u
#define CPIO_NAME_MAX	  4096u

/* What one archive turned out to be. */
enum outcome { WHOLE, CUT, UNSEEN };

static bool skip(struct wire *in, u64 size_bytes)
{
	return wire_bytes(in, size_bytes) != NULL;
}

/* --- cpio: a header, a name and contents, each padded to 4 bytes, until TRAILER!!! --- */

static u64 cpio_number(const u8 *header, unsigned int which)
{
	const u8 *digits = header + 6 + 8 * which;
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		u8 c = digits[i] | 0x20;

		value = value << 4 | (c >= 'a' ? c - 'a' + 10u : c - '0' - 0u) % 16;
	}
	return value;
}

/* Padding counts from the archive's start; the very last one may be missing. */
static bool skip_padded(struct wire *in, size_t origin, u64 size_bytes)
{
	if (!skip(in, size_bytes)) {
		return false;
	}
	skip(in, MIN((size_t)(-(in->position - origin) % 4), wire_left(in)));
	return true;
}

static enum outcome walk_cpio(struct wire *in, void *scratch)
{
	const size_t origin = in->position;

	while (wire_left(in)) {
		const u8 *header, *name;
		u64 size, name_size;

		if (wire_left(in) < 6 || memcmp(in->bytes + in->position, "07070", 5) != 0) {
			/* An archive may end without a trailer, as far as Linux is concerned. */
			return wire_left(in) < 6 && in->bytes[in->position] ? CUT : WHOLE;
		}
		header = wire_bytes(in, CPIO_HEADER_BYTES);
		if (!header) {
			return CUT;
		}
		size = cpio_number(header, 6);
		name_size = cpio_number(header, 11);
		if (name_size > CPIO_NAME_MAX) {
			return UNSEEN;
		}
		name = in->bytes + in->position;
		if (!skip_padded(in, origin, name_size)) {
			return CUT;
		}
		if (name_size == 11 && memcmp(name, "TRAILER!!!", 11) == 0) {
			return WHOLE;
		}
		if (!skip_padded(in, origin, size)) {
			return CUT;
		}
	}
	return WHOLE;
}

/* --- zstd: blocks with their sizes --- */

static enum outcome walk_zstd(struct wire *in, void *scratch)
{
	static const u8 content_size_bytes[4] = {0, 2, 4, 8};
	u8 descriptor;
	u32 block;

	(void)wire_u32le(in);
	descriptor = wire_u8(in);
	(void)wire_bytes(in, !(descriptor & 0x20)); /* window */
	(void)wire_bytes(in, (1u << (descriptor & 3)) >> 1);
	(void)wire_bytes(in, descriptor >> 6 ? content_size_bytes[descriptor >> 6] :
					       (descriptor & 0x20) >> 5);
	do {
		block = wire_u16le(in);
		block |= (u32)wire_u8(in) << 16;
		(void)wire_bytes(in, (block >> 1 & 3) == 1 ? 1 : block >> 3);
	} while (wire_ok(in) && !(block & 1));
	(void)wire_bytes(in, descriptor & 4);
	return wire_ok(in) ? WHOLE : CUT;
}

/* --- xz: blocks of LZMA2 chunks with their sizes, an index, a footer --- */

static void skip_lzma2(struct wire *in)
{
	u8 control;
	u32 size;

	while ((control = wire_u8(in)) != 0) {
		if (control >= 0x80) {
			(void)wire_u16le(in); /* unpacked size */
		}
		size = (u32)wire_u8(in) << 8;
		size = (size | wire_u8(in)) + 1;
		(void)wire_bytes(in, size + (control >= 0xc0)); /* and the properties */
	}
}

static enum outcome walk_xz(struct wire *in, void *scratch)
{
	static const u8 check_bytes[16] = {0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};
	const size_t origin = in->position;
	u64 records;
	u8 check, size;

	(void)wire_bytes(in, 7);
	check = check_bytes[wire_u8(in) & 15];
	(void)wire_u32le(in);
	while (wire_ok(in) && (size = wire_u8(in)) != 0) {
		(void)wire_bytes(in, size * 4u + 3);
		skip_lzma2(in);
		(void)wire_bytes(in, -(in->position - origin) % 4);
		(void)wire_bytes(in, check);
	}
	for (records = 2 * xz_read_number(in); records && wire_ok(in); records--) {
		(void)xz_read_number(in);
	}
	(void)wire_bytes(in, -(in->position - origin) % 4);
	(void)wire_bytes(in, 4 + 12); /* the index's checksum, the footer */
	return wire_ok(in) ? WHOLE : CUT;
}

/* --- LZ4 as Linux has it: sizes and blocks up to the end, or up to zeroes --- */

static enum outcome walk_lz4(struct wire *in, void *scratch)
{
	u32 size;

	(void)wire_u32le(in);
	while (wire_left(in) >= 4) {
		size = wire_u32le(in);
		if (!size) {
			break;
		}
		(void)wire_bytes(in, size);
	}
	return wire_ok(in) ? WHOLE : CUT;
}

/* --- gzip has no sizes: it is decoded, to nowhere --- */

static enum outcome walk_gzip(struct wire *in, void *scratch)
{
	struct decompress_job job = {
		.in = in->bytes + in->position,
		.in_size_bytes = wire_left(in),
		.out_capacity_bytes = SIZE_MAX,
		.scratch = scratch,
	};

	if (decompress_gzip(&job)) {
		return CUT;
	}
	(void)wire_bytes(in, job.in_used_bytes);
	return WHOLE;
}

/* --- */

static const struct {
	u8 size_bytes;
	u8 magic[6];
	enum outcome (*walk)(struct wire *in, void *scratch);
	const char *why;
} archives[] = {
	{5, "07070", walk_cpio, "the initrd is truncated (it ends inside of a cpio archive)"},
	{4, {0x28, 0xb5, 0x2f, 0xfd}, walk_zstd, "the initrd is truncated (it ends inside of zstd data)"},
	{6, {0xfd, '7', 'z', 'X', 'Z', 0}, walk_xz, "the initrd is truncated (it ends inside of xz data)"},
	{3, {0x1f, 0x8b, 8}, walk_gzip, "the initrd is truncated or corrupt (its gzip data have no good end)"},
	{4, {0x02, 0x21, 0x4c, 0x18}, walk_lz4, "the initrd is truncated (it ends inside of LZ4 data)"},
};

static enum outcome walk(struct wire *in, void *scratch, const char **why)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(archives); i++) {
		if (wire_left(in) >= archives[i].size_bytes &&
		    memcmp(in->bytes + in->position, archives[i].magic, archives[i].size_bytes) == 0) {
			*why = archives[i].why;
			return archives[i].walk(in, scratch);
		}
	}
	return UNSEEN;
}

int initrd_check(const u8 *bytes, size_t size_bytes, void *scratch, const char **why)
{
	struct wire in = wire_of(bytes, size_bytes);

	for (;;) {
		while (wire_left(&in) && bytes[in.position] == 0) {
			in.position++;
		}
		if (!wire_left(&in)) {
			return 0;
		}
		switch (walk(&in, scratch, why)) {
		case WHOLE:
			break;
		case CUT:
			return -EINVAL;
		case UNSEEN:
			return 0;
		}
	}
}
