/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "base/wire.h"
#include "loader/bzimage.h"
#include "loader/elf.h"
#include "hv/error.h"

#define FILE_BYTES 0x2000u
#define NOTE_AT	   0x400u
#define CODE_AT	   0x1000u

static struct kernel_image image;
static const char *why;

struct program_header {
	u32 type;
	u64 offset, physical, file_size, memory_size;
};

/* An ELF-64 kernel: headers, a note at NOTE_AT, code at CODE_AT. Exactly on the heap, for ASan. */
static u8 *make_elf64(const struct program_header *headers, unsigned int count, u32 entry)
{
	u8 *file = calloc(1, FILE_BYTES);
	struct wire_out out = wire_out_of(file, FILE_BYTES);
	unsigned int i;

	wire_put_bytes(&out, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	wire_put_u16le(&out, 2);
	wire_put_u16le(&out, 62);
	wire_put_u32le(&out, 1);
	wire_put_u64le(&out, 0xffffffff81000000);
	wire_put_u64le(&out, 64);
	wire_put_u64le(&out, 0);
	wire_put_u32le(&out, 0);
	wire_put_u16le(&out, 64);
	wire_put_u16le(&out, 56);
	wire_put_u16le(&out, (u16)count);
	wire_put_u16le(&out, 64);
	wire_put_u16le(&out, 0);
	wire_put_u16le(&out, 0);
	for (i = 0; i < count; i++) {
		wire_put_u32le(&out, headers[i].type);
		wire_put_u32le(&out, 7);
		wire_put_u64le(&out, headers[i].offset);
		wire_put_u64le(&out, 0);
		wire_put_u64le(&out, headers[i].physical);
		wire_put_u64le(&out, headers[i].file_size);
		wire_put_u64le(&out, headers[i].memory_size);
		wire_put_u64le(&out, 0x1000);
	}
	/* Another note first: the entry is found behind it. */
	out = wire_out_of(file + NOTE_AT, 0x100);
	wire_put_u32le(&out, 4);
	wire_put_u32le(&out, 5);
	wire_put_u32le(&out, 6);
	wire_put_bytes(&out, "Xen\0linux\0\0\0", 12);
	wire_put_u32le(&out, 4);
	wire_put_u32le(&out, 4);
	wire_put_u32le(&out, 18);
	wire_put_bytes(&out, "Xen", 4);
	wire_put_u32le(&out, entry);
	return file;
}

static int parse(u8 *file, size_t size_bytes)
{
	u8 *exact = malloc(size_bytes ? size_bytes : 1);
	int rc;

	memcpy(exact, file, size_bytes);
	free(file);
	why = NULL;
	rc = elf_parse(exact, size_bytes, &image, &why);
	free(exact);
	return rc;
}

static const struct program_header code = {1, CODE_AT, 0x1000000, 0x800, 0x3000};
static const struct program_header data = {1, CODE_AT + 0x800, 0x1003000, 0x10, 0x1000};
static const struct program_header note = {4, NOTE_AT, 0, 44, 44};

TEST(elf, segments_and_pvh_entry_are_found)
{
	const struct program_header headers[] = {data, note, code};

	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000100), FILE_BYTES), 0);
	EXPECT_EQ(image.segment_count, 2);
	EXPECT_EQ(image.segments[0].physical, 0x1000000);
	EXPECT_EQ(image.segments[1].physical, 0x1003000);
	EXPECT_EQ(image.start, 0x1000000);
	EXPECT_EQ(image.end, 0x1004000);
	EXPECT_EQ(image.pvh_entry, 0x1000100);
}

TEST(elf, every_truncation_is_refused_or_harmless)
{
	const struct program_header headers[] = {code, data, note};
	size_t size;

	for (size = 0; size < CODE_AT + 0x810; size++) {
		EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), size), -EINVAL);
		EXPECT(why);
	}
}

TEST(elf, kernel_without_pvh_note_is_refused)
{
	const struct program_header headers[] = {code};

	EXPECT_EQ(parse(make_elf64(headers, 1, 0x1000000), FILE_BYTES), -EINVAL);
	EXPECT(strstr(why, "no PVH entry"));
}

TEST(elf, entry_outside_of_the_file_contents_is_refused)
{
	const struct program_header headers[] = {code, note};

	EXPECT_EQ(parse(make_elf64(headers, 2, 0x1000800), FILE_BYTES), -EINVAL);
	EXPECT_EQ(parse(make_elf64(headers, 2, 0xffffff), FILE_BYTES), -EINVAL);
	EXPECT_STR(why, "the kernel's PVH entry lies outside of the kernel");
}

TEST(elf, overlapping_segments_are_refused)
{
	struct program_header headers[] = {code, data, note};

	headers[1].physical = 0x1002fff;
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
	headers[1].physical = 0xfff001;
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
	EXPECT_STR(why, "the kernel's segments overlap");
}

TEST(elf, wrapping_sizes_are_refused)
{
	struct program_header headers[] = {code, data, note};

	headers[1].memory_size = ~0ull;
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
	headers[1] = data;
	headers[1].file_size = ~0ull;
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
	headers[1] = data;
	headers[1].offset = ~0ull;
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
	headers[1] = data;
	headers[1].memory_size = 0xf; /* less than in the file */
	EXPECT_EQ(parse(make_elf64(headers, 3, 0x1000000), FILE_BYTES), -EINVAL);
}

TEST(elf, too_many_segments_are_refused)
{
	struct program_header headers[KERNEL_SEGMENT_MAX + 2];
	unsigned int i;

	headers[0] = note;
	for (i = 1; i < ARRAY_SIZE(headers); i++) {
		headers[i] = (struct program_header){1, CODE_AT, 0x1000000ull * i, 0x10, 0x1000};
	}
	EXPECT_EQ(parse(make_elf64(headers, ARRAY_SIZE(headers) - 1, 0x1000000), FILE_BYTES), 0);
	EXPECT_EQ(parse(make_elf64(headers, ARRAY_SIZE(headers), 0x1000000), FILE_BYTES), -EINVAL);
}

TEST(elf, other_machines_are_refused)
{
	const struct program_header headers[] = {code, note};
	u8 *file = make_elf64(headers, 2, 0x1000000);

	file[18] = 183; /* arm64 */
	EXPECT_EQ(parse(file, FILE_BYTES), -EINVAL);
	file = make_elf64(headers, 2, 0x1000000);
	file[5] = 2; /* big endian */
	EXPECT_EQ(parse(file, FILE_BYTES), -EINVAL);
	EXPECT_STR(why, "the kernel is not for this machine");
}

TEST(elf, text_file_is_refused)
{
	u8 *file = calloc(1, 64);

	memset(file, 'a', 64);
	EXPECT_EQ(parse(file, 64), -EINVAL);
	EXPECT_STR(why, "the kernel is neither a bzImage nor an ELF file");
}

TEST(elf, elf32_is_read)
{
	u8 *file = calloc(1, FILE_BYTES);
	struct wire_out out = wire_out_of(file, FILE_BYTES);
	unsigned int i;

	wire_put_bytes(&out, "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0", 16);
	wire_put_u16le(&out, 2);
	wire_put_u16le(&out, 3);
	wire_put_u32le(&out, 1);
	wire_put_u32le(&out, 0x100000);
	wire_put_u32le(&out, 52);
	wire_put_u32le(&out, 0);
	wire_put_u32le(&out, 0);
	wire_put_u16le(&out, 52);
	wire_put_u16le(&out, 32);
	wire_put_u16le(&out, 2);
	wire_put_u16le(&out, 40);
	wire_put_u32le(&out, 0);
	for (i = 0; i < 2; i++) {
		wire_put_u32le(&out, i ? 4 : 1);
		wire_put_u32le(&out, i ? NOTE_AT : CODE_AT);
		wire_put_u32le(&out, 0);
		wire_put_u32le(&out, 0x100000);
		wire_put_u32le(&out, i ? 20 : 0x100);
		wire_put_u32le(&out, i ? 20 : 0x200);
		wire_put_u64le(&out, 0);
	}
	out = wire_out_of(file + NOTE_AT, 20);
	wire_put_u32le(&out, 4);
	wire_put_u32le(&out, 4);
	wire_put_u32le(&out, 18);
	wire_put_bytes(&out, "Xen", 4);
	wire_put_u32le(&out, 0x100020);
	EXPECT_EQ(parse(file, FILE_BYTES), 0);
	EXPECT_EQ(image.pvh_entry, 0x100020);
	EXPECT_EQ(image.segments[0].memory_size_bytes, 0x200);
}

/* --- bzImage --- */

static u8 *make_bzimage(u16 version, u32 offset, u32 payload_bytes, u32 kernel_bytes)
{
	u8 *file = calloc(1, FILE_BYTES);
	struct wire_out out;

	file[0x1f1] = 1;
	memcpy(file + 0x202, "HdrS", 4);
	out = wire_out_of(file + 0x206, 2);
	wire_put_u16le(&out, version);
	out = wire_out_of(file + 0x248, 8);
	wire_put_u32le(&out, offset);
	wire_put_u32le(&out, payload_bytes);
	if ((u64)0x400 + offset + payload_bytes <= FILE_BYTES && payload_bytes >= 4) {
		out = wire_out_of(file + 0x400 + offset + payload_bytes - 4, 4);
		wire_put_u32le(&out, kernel_bytes);
	}
	return file;
}

static int parse_bzimage(u8 *file, size_t size_bytes, struct bzimage *out)
{
	int rc = bzimage_parse(file, size_bytes, out, &why);

	free(file);
	return rc;
}

TEST(bzimage, payload_is_found)
{
	struct bzimage b;
	u8 *file = make_bzimage(0x20f, 0x100, 0x200, 12345);

	EXPECT_EQ(bzimage_parse(file, FILE_BYTES, &b, &why), 0);
	EXPECT(b.payload == file + 0x500);
	EXPECT_EQ(b.payload_size_bytes, 0x200);
	EXPECT_EQ(b.kernel_size_bytes, 12345);
	free(file);
}

TEST(bzimage, something_else_is_not_one)
{
	struct bzimage b;

	EXPECT_EQ(parse_bzimage(calloc(1, FILE_BYTES), FILE_BYTES, &b), -ENOENT);
	EXPECT_EQ(parse_bzimage(calloc(1, FILE_BYTES), 3, &b), -ENOENT);
}

TEST(bzimage, broken_ones_are_refused)
{
	struct bzimage b;

	EXPECT_EQ(parse_bzimage(make_bzimage(0x207, 0x100, 0x200, 1), FILE_BYTES, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, 7, 1), FILE_BYTES, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, ~0u, 0x200, 1), FILE_BYTES, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, ~0u, 1), FILE_BYTES, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, 0x200, 0), FILE_BYTES, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, 0x200, BZIMAGE_KERNEL_MAX + 1),
				FILE_BYTES, &b),
		  -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, 0x200, 1), 0x24f, &b), -EINVAL);
	EXPECT_EQ(parse_bzimage(make_bzimage(0x20f, 0x100, 0x200, 1), 0x6ff, &b), -EINVAL);
	EXPECT_STR(why, "the kernel is truncated");
}

TEST_MAIN()
