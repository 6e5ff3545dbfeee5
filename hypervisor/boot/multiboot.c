/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a multiboot loader hands over, copied into struct boot_info.
 *
 * Multiboot Specification 0.6.96 section 3.3 and Multiboot2 Specification 2.0 section 3.6. Every
 * address in it is used through the caller's read(), and every count has a bound here.
 */
#include "boot/modules.h"

#include "base/wire.h"
#include "hv/error.h"
#include "lib/string.h"

#define RAW_REGION_MAX	256u
#define INFO2_SIZE_MAX	(1u << 20)
#define TAG_HEADER_SIZE 8u

enum multiboot1_flags {
	MB1_COMMAND_LINE = 1u << 2,
	MB1_MODULES = 1u << 3,
	MB1_MEMORY_MAP = 1u << 6,
	MB1_LOADER_NAME = 1u << 9,
	MB1_FRAMEBUFFER = 1u << 12,
};

enum multiboot2_tag {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_LOADER_NAME = 2,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15,
};

struct loader {
	boot_read_t read;
	void *context;
	struct boot_info *out;
	unsigned int raw_count;
	bool has_new_rsdp;
	const char *why;
};

/* Before sorting; too large for the stack. Start is single-threaded. */
static INIT_DATA struct boot_region raw_regions[RAW_REGION_MAX];

static bool fail(struct loader *l, const char *why)
{
	l->why = why;
	return false;
}

static bool read_bytes(struct loader *l, u64 address, void *to, size_t size_bytes)
{
	if (!l->read(l->context, hpa_of(address), to, size_bytes)) {
		return fail(l, "the boot loader's information points outside of memory");
	}
	return true;
}

/*
 * A terminated string of at most capacity - 1 characters, of which limit bytes may be read. Read in
 * aligned pieces, so that none of them crosses a page that the string does not reach.
 */
static bool read_string(struct loader *l, u64 address, u64 limit, char *to, size_t capacity,
			bool may_cut)
{
	size_t used = 0, piece, length;

	while (used < limit && used < capacity) {
		piece = 64 - (address + used) % 64;
		piece = MIN(piece, MIN(limit - used, capacity - used));
		if (!read_bytes(l, address + used, to + used, piece)) {
			return false;
		}
		length = strnlen(to + used, piece);
		if (length < piece) {
			return true;
		}
		used += piece;
	}
	if (used == capacity && !may_cut) {
		return fail(
			l,
			"a command line from the boot loader is too long (2047 characters at most)");
	}
	to[used < capacity ? used : capacity - 1] = '\0';
	return true;
}

static void add_region(struct loader *l, u64 start, u64 size_bytes, u32 type)
{
	if (l->raw_count < RAW_REGION_MAX) {
		raw_regions[l->raw_count++] = (struct boot_region){hpa_of(start), size_bytes, type};
	}
}

/* The module counts even when it is odd: checked against the memory map at the end. */
static bool add_module(struct loader *l, u64 start, u64 end, u64 string, u64 string_limit)
{
	struct boot_info *info = l->out;
	struct boot_module *m;

	if (info->module_count == BOOT_MODULE_MAX) {
		return true; /* nobody has a use for more */
	}
	if (end < start) {
		return fail(l, "a module from the boot loader ends before it starts");
	}

	m = &info->modules[info->module_count++];
	m->start = hpa_of(start);
	m->size_bytes = end - start;
	return string == 0 || read_string(l, string, string_limit, m->command_line,
					  sizeof(m->command_line), false);
}

static void set_framebuffer(struct boot_info *info, struct wire *in)
{
	info->framebuffer.base = hpa_of(wire_u64le(in));
	info->framebuffer.pitch = wire_u32le(in);
	info->framebuffer.width = wire_u32le(in);
	info->framebuffer.height = wire_u32le(in);
	info->framebuffer.bits_per_pixel = wire_u8(in);
	info->framebuffer.type = wire_u8(in);
	if (!wire_ok(in)) {
		memset(&info->framebuffer, 0, sizeof(info->framebuffer));
	}
}

/* --- multiboot 1 --- */

static bool read_memory_map1(struct loader *l, u32 size_bytes, u32 address)
{
	u32 at = 0, entry_size;
	u8 bytes[24];
	struct wire in;

	while (size_bytes - at >= sizeof(bytes) && l->raw_count < RAW_REGION_MAX) {
		u64 start, size;

		if (!read_bytes(l, (u64)address + at, bytes, sizeof(bytes))) {
			return false;
		}
		in = wire_of(bytes, sizeof(bytes));
		entry_size = wire_u32le(&in);
		start = wire_u64le(&in);
		size = wire_u64le(&in);
		add_region(l, start, size, wire_u32le(&in));
		if (entry_size < 20 || entry_size > 1024) {
			return fail(l, "the boot loader's memory map is broken");
		}
		if (size_bytes - at < entry_size + 4) {
			break;
		}
		at += entry_size + 4;
	}
	return true;
}

static bool read_modules1(struct loader *l, u32 count, u32 address)
{
	u8 bytes[16];
	u32 i, start, end, string;
	struct wire in;

	for (i = 0; i < count && i < BOOT_MODULE_MAX; i++) {
		if (!read_bytes(l, (u64)address + i * sizeof(bytes), bytes, sizeof(bytes))) {
			return false;
		}
		in = wire_of(bytes, sizeof(bytes));
		start = wire_u32le(&in);
		end = wire_u32le(&in);
		string = wire_u32le(&in);
		if (!add_module(l, start, end, string, BOOT_COMMAND_LINE_MAX)) {
			return false;
		}
	}
	return true;
}

static bool parse1(struct loader *l, u64 address)
{
	u32 flags, command_line, module_count, modules, map_size, map, name;
	struct boot_info *info = l->out;
	u8 bytes[116] = {0};
	struct wire in = wire_of(bytes, sizeof(bytes)), tail = in;

	if (!read_bytes(l, address, bytes, 88)) {
		return false;
	}
	flags = wire_u32le(&in);
	(void)wire_bytes(&in, 12); /* mem_lower, mem_upper, boot_device */
	command_line = wire_u32le(&in);
	module_count = wire_u32le(&in);
	modules = wire_u32le(&in);
	(void)wire_bytes(&in, 16); /* syms */
	map_size = wire_u32le(&in);
	map = wire_u32le(&in);
	(void)wire_bytes(&in, 12); /* drives, config_table */
	name = wire_u32le(&in);

	if (flags & MB1_FRAMEBUFFER) {
		if (!read_bytes(l, address + 88, bytes + 88, 22)) {
			return false;
		}
		(void)wire_bytes(&tail, 88);
		set_framebuffer(info, &tail);
	}
	if (!(flags & MB1_MEMORY_MAP)) {
		return fail(l, "the boot loader gave no memory map");
	}
	return (!(flags & MB1_LOADER_NAME) || name == 0 ||
		read_string(l, name, 4096, info->loader_name, sizeof(info->loader_name), true)) &&
	       (!(flags & MB1_COMMAND_LINE) || command_line == 0 ||
		read_string(l, command_line, BOOT_COMMAND_LINE_MAX, info->command_line,
			    sizeof(info->command_line), false)) &&
	       read_memory_map1(l, map_size, map) &&
	       (!(flags & MB1_MODULES) || read_modules1(l, module_count, modules));
}

/* --- multiboot 2: tags of 8 bytes header and contents, each at a multiple of 8 --- */

static bool read_memory_map2(struct loader *l, u64 address, u32 size_bytes)
{
	u8 bytes[24];
	struct wire in;
	u32 entry_size, at;

	if (size_bytes < 8 || !read_bytes(l, address, bytes, 8)) {
		return fail(l, "the boot loader's memory map is broken");
	}
	in = wire_of(bytes, 8);
	entry_size = wire_u32le(&in);
	if (entry_size < 24 || entry_size > 1024) {
		return fail(l, "the boot loader's memory map is broken");
	}

	for (at = 8; size_bytes - at >= entry_size && l->raw_count < RAW_REGION_MAX;
	     at += entry_size) {
		u64 start, size;

		if (!read_bytes(l, address + at, bytes, 24)) {
			return false;
		}
		in = wire_of(bytes, 24);
		start = wire_u64le(&in);
		size = wire_u64le(&in);
		add_region(l, start, size, wire_u32le(&in));
	}
	return true;
}

static bool read_module2(struct loader *l, u64 address, u32 size_bytes)
{
	u8 bytes[8];
	struct wire in;
	u32 start, end;

	if (size_bytes < 8) {
		return fail(l, "a module from the boot loader is not described completely");
	}
	if (!read_bytes(l, address, bytes, 8)) {
		return false;
	}
	in = wire_of(bytes, 8);
	start = wire_u32le(&in);
	end = wire_u32le(&in);
	return add_module(l, start, end, size_bytes > 8 ? address + 8 : 0, size_bytes - 8);
}

static bool read_framebuffer2(struct loader *l, u64 address, u32 size_bytes)
{
	u8 bytes[22];
	struct wire in = wire_of(bytes, sizeof(bytes));

	if (size_bytes < sizeof(bytes)) {
		return true; /* not one that we know */
	}
	if (!read_bytes(l, address, bytes, sizeof(bytes))) {
		return false;
	}
	set_framebuffer(l->out, &in);
	return true;
}

/* The tag holds a copy of the RSDP; the newer form wins whatever the order. */
static void set_rsdp2(struct loader *l, u64 address, u32 size_bytes, bool is_new)
{
	if (size_bytes >= (is_new ? 36u : 20u) && (is_new || !l->has_new_rsdp)) {
		l->out->rsdp = hpa_of(address);
		l->has_new_rsdp |= is_new;
	}
}

/* address and size_bytes are those of the contents. */
static bool read_tag2(struct loader *l, u32 type, u64 address, u32 size_bytes)
{
	struct boot_info *info = l->out;

	switch (type) {
	case TAG_COMMAND_LINE:
		return read_string(l, address, size_bytes, info->command_line,
				   sizeof(info->command_line), false);
	case TAG_LOADER_NAME:
		return read_string(l, address, size_bytes, info->loader_name,
				   sizeof(info->loader_name), true);
	case TAG_MODULE:
		return read_module2(l, address, size_bytes);
	case TAG_MEMORY_MAP:
		return read_memory_map2(l, address, size_bytes);
	case TAG_FRAMEBUFFER:
		return read_framebuffer2(l, address, size_bytes);
	case TAG_RSDP_OLD:
	case TAG_RSDP_NEW:
		set_rsdp2(l, address, size_bytes, type == TAG_RSDP_NEW);
		return true;
	default:
		return true;
	}
}

static bool parse2(struct loader *l, u64 address)
{
	u32 total, at, type, size_bytes;
	u8 bytes[TAG_HEADER_SIZE];
	struct wire in;

	if (!read_bytes(l, address, bytes, sizeof(bytes))) {
		return false;
	}
	in = wire_of(bytes, sizeof(bytes));
	total = wire_u32le(&in);
	if (total < 2 * TAG_HEADER_SIZE || total > INFO2_SIZE_MAX) {
		return fail(l, "the boot loader's information has an impossible size");
	}
	l->out->loader_data.start = hpa_of(address);
	l->out->loader_data.size_bytes = total;

	for (at = TAG_HEADER_SIZE; total - at >= TAG_HEADER_SIZE; at += ROUND_UP(size_bytes, 8u)) {
		if (!read_bytes(l, address + at, bytes, sizeof(bytes))) {
			return false;
		}
		in = wire_of(bytes, sizeof(bytes));
		type = wire_u32le(&in);
		size_bytes = wire_u32le(&in);
		if (type == TAG_END) {
			return true;
		}
		if (size_bytes < TAG_HEADER_SIZE || size_bytes > total - at) {
			break;
		}
		if (!read_tag2(l, type, address + at + TAG_HEADER_SIZE,
			       size_bytes - TAG_HEADER_SIZE)) {
			return false;
		}
		if (ROUND_UP(size_bytes, 8u) > total - at) {
			break;
		}
	}
	return fail(l, "the boot loader's information has no end");
}

/* --- both --- */

/*
 * GRUB 2 hands over the words behind the file's name; every other loader, QEMU among them, puts
 * the name in front.
 */
static bool has_file_name(const struct boot_info *info)
{
	return strncmp(info->loader_name, "GRUB ", 5) != 0 || info->loader_name[5] == '0';
}

static void drop_first_word(char *text)
{
	char *rest = text;

	while (*rest == ' ') {
		rest++;
	}
	while (*rest && *rest != ' ') {
		rest++;
	}
	while (*rest == ' ') {
		rest++;
	}
	memmove(text, rest, strlen(rest) + 1);
}

static bool check_modules(struct loader *l)
{
	struct boot_info *info = l->out;
	unsigned int i, j;

	for (i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->modules[i];

		if (m->size_bytes && !boot_regions_have_ram(info->regions, info->region_count,
							    m->start, m->size_bytes)) {
			return fail(
				l,
				"a module from the boot loader lies outside of the machine's RAM");
		}
		for (j = 0; j < i; j++) {
			const struct boot_module *other = &info->modules[j];

			if (hpa_raw(m->start) < hpa_raw(other->start) + other->size_bytes &&
			    hpa_raw(other->start) < hpa_raw(m->start) + m->size_bytes) {
				return fail(l, "two modules from the boot loader overlap");
			}
		}
	}
	return true;
}

int boot_info_parse(boot_read_t read, void *context, u32 magic, hpa_t address,
		    struct boot_info *out, const char **why)
{
	struct loader l = {.read = read, .context = context, .out = out};
	bool is_good;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	if (magic == MULTIBOOT1_LOADER_MAGIC) {
		is_good = parse1(&l, hpa_raw(address));
	} else if (magic == MULTIBOOT2_LOADER_MAGIC) {
		is_good = parse2(&l, hpa_raw(address));
	} else {
		is_good = fail(&l, "the boot loader is neither multiboot 1 nor multiboot 2");
	}
	if (!is_good) {
		*why = l.why;
		return -EINVAL;
	}

	out->region_count =
		boot_regions_sanitise(raw_regions, l.raw_count, out->regions, BOOT_REGION_MAX);
	if (!check_modules(&l)) {
		*why = l.why;
		return -EINVAL;
	}
	if (has_file_name(out)) {
		drop_first_word(out->command_line);
		for (i = 0; i < out->module_count; i++) {
			drop_first_word(out->modules[i].command_line);
		}
	}
	return 0;
}
