/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/elf.h"

#include <xen/elfnote.h>

#include "base/wire.h"
#include "hv/error.h"
#include "lib/string.h"

#define PROGRAM_HEADER_MAX 128u
#define SECTION_HEADER_MAX 4096u
#define NOTE_MAX	   4096u

enum { CLASS_32 = 1, CLASS_64 = 2, DATA_LSB = 1 };
enum { TYPE_EXEC = 2, TYPE_DYN = 3 };
enum { MACHINE_386 = 3, MACHINE_X86_64 = 62 };
enum { PT_LOAD = 1, PT_NOTE = 4, SHT_NOTE = 7 };

struct file {
	const u8 *bytes;
	size_t size_bytes;
	bool is_64bit;
	u64 program_headers, section_headers;
	u32 program_header_size, program_header_count;
	u32 section_header_size, section_header_count;
	struct kernel_image image;
	u64 entry;
	bool has_entry;
	const char *why;
};

static bool fail(struct file *f, const char *why)
{
	f->why = why;
	return false;
}

/* size_bytes bytes at offset, or an empty reader whose first read is short. */
static struct wire part(const struct file *f, u64 offset, u64 size_bytes)
{
	if (offset > f->size_bytes || size_bytes > f->size_bytes - offset) {
		return wire_of(f->bytes, 0);
	}
	return wire_of(f->bytes + offset, size_bytes);
}

static u64 read_word(const struct file *f, struct wire *in)
{
	return f->is_64bit ? wire_u64le(in) : wire_u32le(in);
}

static bool read_header(struct file *f)
{
	struct wire in = wire_of(f->bytes, f->size_bytes);
	const u8 *id = wire_bytes(&in, 16);
	u16 type, machine;

	if (!id || memcmp(id, "\177ELF", 4) != 0) {
		return fail(f, "the kernel is neither a bzImage nor an ELF file");
	}
	if ((id[4] != CLASS_32 && id[4] != CLASS_64) || id[5] != DATA_LSB) {
		return fail(f, "the kernel is not for this machine");
	}
	f->is_64bit = id[4] == CLASS_64;
	type = wire_u16le(&in);
	machine = wire_u16le(&in);
	if ((type != TYPE_EXEC && type != TYPE_DYN) ||
	    (machine != MACHINE_386 && machine != MACHINE_X86_64)) {
		return fail(f, "the kernel is not for this machine");
	}
	(void)wire_u32le(&in);	 /* version */
	(void)read_word(f, &in); /* entry without PVH */
	f->program_headers = read_word(f, &in);
	f->section_headers = read_word(f, &in);
	(void)wire_bytes(&in, 6); /* flags, size of this header */
	f->program_header_size = wire_u16le(&in);
	f->program_header_count = wire_u16le(&in);
	f->section_header_size = wire_u16le(&in);
	f->section_header_count = wire_u16le(&in);
	if (!wire_ok(&in)) {
		return fail(f, "the kernel is truncated");
	}
	if (f->program_header_count > PROGRAM_HEADER_MAX ||
	    f->section_header_count > SECTION_HEADER_MAX) {
		return fail(f, "the kernel's ELF headers are broken");
	}
	return true;
}

/* Keeps the list sorted; false when the segment overlaps another one or there are too many. */
static bool insert_segment(struct file *f, const struct kernel_segment *segment)
{
	struct kernel_image *image = &f->image;
	unsigned int at = image->segment_count;

	if (image->segment_count == KERNEL_SEGMENT_MAX) {
		return fail(f, "the kernel has too many segments");
	}
	while (at > 0 && image->segments[at - 1].physical > segment->physical) {
		at--;
	}
	if ((at > 0 && segment->physical - image->segments[at - 1].physical <
			       image->segments[at - 1].memory_size_bytes) ||
	    (at < image->segment_count &&
	     image->segments[at].physical - segment->physical < segment->memory_size_bytes)) {
		return fail(f, "the kernel's segments overlap");
	}
	memmove(&image->segments[at + 1], &image->segments[at],
		(image->segment_count - at) * sizeof(image->segments[0]));
	image->segments[at] = *segment;
	image->segment_count++;
	return true;
}

static bool add_segment(struct file *f, u64 offset, u64 physical, u64 file_size, u64 memory_size)
{
	struct wire bytes = part(f, offset, file_size);
	struct kernel_segment segment = {
		.bytes = bytes.bytes,
		.file_size_bytes = file_size,
		.physical = physical,
		.memory_size_bytes = memory_size,
	};

	if (memory_size == 0) {
		return true;
	}
	if (bytes.size != file_size) {
		return fail(f, "the kernel is truncated");
	}
	if (file_size > memory_size || memory_size > ~0ull - physical) {
		return fail(f, "the kernel's ELF headers are broken");
	}
	return insert_segment(f, &segment);
}

/* Notes: name size, contents size, type, name and contents padded to 4 bytes each. */
static void find_entry(struct file *f, struct wire in)
{
	unsigned int i;

	for (i = 0; i < NOTE_MAX && wire_left(&in) >= 12 && !f->has_entry; i++) {
		u32 name_size = wire_u32le(&in), size = wire_u32le(&in), type = wire_u32le(&in);
		const u8 *name = wire_bytes(&in, name_size);
		struct wire contents;

		(void)wire_bytes(&in, -name_size % 4);
		contents = wire_of(wire_bytes(&in, size), size);
		if (!wire_ok(&in)) {
			return;
		}
		if (wire_left(&in)) {
			(void)wire_bytes(&in, -size % 4);
		}
		if (name_size == 4 && memcmp(name, "Xen", 4) == 0 &&
		    type == XEN_ELFNOTE_PHYS32_ENTRY && (size == 4 || size == 8)) {
			f->entry = size == 4 ? wire_u32le(&contents) : wire_u64le(&contents);
			f->has_entry = true;
		}
	}
}

static bool read_program_header(struct file *f, u64 offset)
{
	struct wire in = part(f, offset, f->is_64bit ? 56 : 32);
	u32 type = wire_u32le(&in);
	u64 at, physical, file_size, memory_size;

	if (f->is_64bit) {
		(void)wire_u32le(&in); /* flags */
	}
	at = read_word(f, &in);
	(void)read_word(f, &in); /* virtual address */
	physical = read_word(f, &in);
	file_size = read_word(f, &in);
	memory_size = read_word(f, &in);
	if (!wire_ok(&in)) {
		return fail(f, "the kernel is truncated");
	}
	if (type == PT_LOAD) {
		return add_segment(f, at, physical, file_size, memory_size);
	}
	if (type == PT_NOTE) {
		find_entry(f, part(f, at, file_size));
	}
	return true;
}

/* Some kernels have notes in sections only. */
static void read_section_header(struct file *f, u64 offset)
{
	struct wire in = part(f, offset, f->is_64bit ? 64 : 40);
	u32 type;
	u64 at, size;

	(void)wire_u32le(&in); /* name */
	type = wire_u32le(&in);
	(void)read_word(f, &in); /* flags */
	(void)read_word(f, &in); /* address */
	at = read_word(f, &in);
	size = read_word(f, &in);
	if (wire_ok(&in) && type == SHT_NOTE) {
		find_entry(f, part(f, at, size));
	}
}

static bool read_tables(struct file *f)
{
	u32 i;

	for (i = 0; i < f->program_header_count; i++) {
		u64 offset = f->program_headers + (u64)i * f->program_header_size;

		if (offset < f->program_headers || !read_program_header(f, offset)) {
			return f->why ? false : fail(f, "the kernel's ELF headers are broken");
		}
	}
	for (i = 0; i < f->section_header_count && !f->has_entry; i++) {
		u64 offset = f->section_headers + (u64)i * f->section_header_size;

		if (offset >= f->section_headers) {
			read_section_header(f, offset);
		}
	}
	return true;
}

static bool check_image(struct file *f)
{
	struct kernel_image *image = &f->image;
	const struct kernel_segment *last;
	unsigned int i;

	if (image->segment_count == 0) {
		return fail(f, "the kernel's ELF file has nothing to load");
	}
	if (!f->has_entry) {
		return fail(f, "the kernel has no PVH entry (ELF note PHYS32_ENTRY): it cannot be "
			       "the first domain");
	}
	last = &image->segments[image->segment_count - 1];
	image->start = image->segments[0].physical;
	image->end = last->physical + last->memory_size_bytes;
	for (i = 0; i < image->segment_count; i++) {
		if (f->entry <= UINT32_MAX && f->entry >= image->segments[i].physical &&
		    f->entry - image->segments[i].physical < image->segments[i].file_size_bytes) {
			image->pvh_entry = (u32)f->entry;
			return true;
		}
	}
	return fail(f, "the kernel's PVH entry lies outside of the kernel");
}

int elf_parse(const u8 *bytes, size_t size_bytes, struct kernel_image *out, const char **why)
{
	struct file f = {.bytes = bytes, .size_bytes = size_bytes};

	if (!read_header(&f) || !read_tables(&f) || !check_image(&f)) {
		*why = f.why;
		return -EINVAL;
	}
	*out = f.image;
	return 0;
}
