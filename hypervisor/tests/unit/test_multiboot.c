/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "base/wire.h"
#include "boot/modules.h"
#include "hv/error.h"

#define MEMORY_BYTES 0x8000u
#define INFO_AT	     0x1000u
#define MAP_AT	     0x2000u
#define MODULES_AT   0x3000u
#define STRINGS_AT   0x4000u

/* A machine of 32 KiB in which a loader left its things; reads outside of it fail. */
struct machine {
	u8 memory[MEMORY_BYTES];
	struct wire_out map;
};

static struct boot_info info;
static const char *why;

static bool read_machine(void *context, hpa_t address, void *to, size_t size_bytes)
{
	struct machine *m = context;

	if (hpa_raw(address) > MEMORY_BYTES || size_bytes > MEMORY_BYTES - hpa_raw(address)) {
		return false;
	}
	memcpy(to, m->memory + hpa_raw(address), size_bytes);
	return true;
}

static void put32(struct machine *m, u32 at, u32 value)
{
	struct wire_out out = wire_out_of(m->memory + at, 4);

	wire_put_u32le(&out, value);
}

static u32 put_string(struct machine *m, u32 at, const char *text)
{
	memcpy(m->memory + at, text, strlen(text) + 1);
	return at;
}

static void add_map1(struct machine *m, u64 start, u64 size_bytes, u32 type)
{
	wire_put_u32le(&m->map, 20);
	wire_put_u64le(&m->map, start);
	wire_put_u64le(&m->map, size_bytes);
	wire_put_u32le(&m->map, type);
	put32(m, INFO_AT + 44, (u32)m->map.size);
}

/* As QEMU loads us: a command line with the file's name, two modules, a small map. */
static struct machine *qemu(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->map = wire_out_of(m->memory + MAP_AT, 0x1000);
	put32(m, INFO_AT, 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9);
	put32(m, INFO_AT + 16, put_string(m, STRINGS_AT, "build/mullion console=com1 loglvl=all"));
	put32(m, INFO_AT + 20, 2);
	put32(m, INFO_AT + 24, MODULES_AT);
	put32(m, INFO_AT + 48, MAP_AT);
	put32(m, INFO_AT + 64, put_string(m, STRINGS_AT + 0x900, "qemu"));
	put32(m, MODULES_AT, 0x200000);
	put32(m, MODULES_AT + 4, 0x280000);
	put32(m, MODULES_AT + 8, put_string(m, STRINGS_AT + 0x1000, "vmlinuz console=hvc0 quiet"));
	put32(m, MODULES_AT + 16, 0x280000);
	put32(m, MODULES_AT + 20, 0x281234);
	put32(m, MODULES_AT + 24, put_string(m, STRINGS_AT + 0x1800, "initrd"));
	add_map1(m, 0, 0x9fc00, BOOT_RAM);
	add_map1(m, 0x9fc00, 0x400, BOOT_RESERVED);
	add_map1(m, 0xf0000, 0x10000, BOOT_RESERVED);
	add_map1(m, 0x100000, 0x7f00000, BOOT_RAM);
	return m;
}

static int parse1(struct machine *m)
{
	int rc = boot_info_parse(read_machine, m, MULTIBOOT1_LOADER_MAGIC, hpa_of(INFO_AT), &info,
				 &why);

	free(m);
	return rc;
}

TEST(multiboot, command_lines_and_modules_of_qemu_are_read)
{
	EXPECT_EQ(parse1(qemu()), 0);
	EXPECT_STR(info.command_line, "console=com1 loglvl=all");
	EXPECT_STR(info.loader_name, "qemu");
	EXPECT_EQ(info.module_count, 2);
	EXPECT_EQ(hpa_raw(info.modules[0].start), 0x200000);
	EXPECT_EQ(info.modules[0].size_bytes, 0x80000);
	EXPECT_STR(info.modules[0].command_line, "console=hvc0 quiet");
	EXPECT_EQ(info.modules[1].size_bytes, 0x1234);
	EXPECT_STR(info.modules[1].command_line, "");
	EXPECT_EQ(info.region_count, 4);
	EXPECT_EQ(info.regions[0].size_bytes, 0x9f000);
	EXPECT_EQ(info.regions[1].size_bytes, 0x1000);
	EXPECT_EQ(info.loader_data.size_bytes, 0);
}

TEST(multiboot, grub_2_puts_no_file_name_in_front)
{
	struct machine *m = qemu();

	put_string(m, STRINGS_AT + 0x900, "GRUB 2.06-13");
	EXPECT_EQ(parse1(m), 0);
	EXPECT_STR(info.command_line, "build/mullion console=com1 loglvl=all");
	EXPECT_STR(info.modules[1].command_line, "initrd");
}

TEST(multiboot, grub_legacy_does)
{
	struct machine *m = qemu();

	put_string(m, STRINGS_AT + 0x900, "GRUB 0.97");
	EXPECT_EQ(parse1(m), 0);
	EXPECT_STR(info.command_line, "console=com1 loglvl=all");
}

TEST(multiboot, other_loaders_are_refused)
{
	struct machine *m = qemu();

	EXPECT_EQ(boot_info_parse(read_machine, m, 0x12345678, hpa_of(INFO_AT), &info, &why),
		  -EINVAL);
	free(m);
}

TEST(multiboot, information_outside_of_memory_is_refused)
{
	struct machine *m = qemu();

	EXPECT_EQ(boot_info_parse(read_machine, m, MULTIBOOT1_LOADER_MAGIC, hpa_of(0xfffff000),
				  &info, &why),
		  -EINVAL);
	put32(m, INFO_AT + 24, MEMORY_BYTES - 20);
	EXPECT_EQ(parse1(m), -EINVAL);
	EXPECT_STR(why, "the boot loader's information points outside of memory");
}

TEST(multiboot, no_memory_map_is_refused)
{
	struct machine *m = qemu();

	put32(m, INFO_AT, 1u << 2 | 1u << 3);
	EXPECT_EQ(parse1(m), -EINVAL);
	EXPECT_STR(why, "the boot loader gave no memory map");
}

TEST(multiboot, map_entry_of_impossible_size_is_refused)
{
	struct machine *m = qemu();

	put32(m, MAP_AT + 24, 0xfffffffc);
	EXPECT_EQ(parse1(m), -EINVAL);
	m = qemu();
	put32(m, MAP_AT + 24, 0);
	EXPECT_EQ(parse1(m), -EINVAL);
}

TEST(multiboot, longest_command_line_fits_and_one_more_is_refused)
{
	struct machine *m = qemu();

	memset(m->memory + STRINGS_AT, 'x', 2047);
	m->memory[STRINGS_AT + 2047] = 0;
	EXPECT_EQ(parse1(m), 0);
	m = qemu();
	memset(m->memory + STRINGS_AT, 'x', 2048);
	m->memory[STRINGS_AT + 2048] = 0;
	EXPECT_EQ(parse1(m), -EINVAL);
	EXPECT(strstr(why, "too long"));
}

TEST(multiboot, module_outside_of_ram_is_refused)
{
	struct machine *m = qemu();

	put32(m, MODULES_AT + 4, 0x8000001);
	EXPECT_EQ(parse1(m), -EINVAL);
	EXPECT_STR(why, "a module from the boot loader lies outside of the machine's RAM");
}

TEST(multiboot, module_that_ends_before_it_starts_is_refused)
{
	struct machine *m = qemu();

	put32(m, MODULES_AT + 4, 0x1fffff);
	EXPECT_EQ(parse1(m), -EINVAL);
}

TEST(multiboot, overlapping_modules_are_refused)
{
	struct machine *m = qemu();

	put32(m, MODULES_AT + 16, 0x27ffff);
	EXPECT_EQ(parse1(m), -EINVAL);
	EXPECT_STR(why, "two modules from the boot loader overlap");
}

TEST(multiboot, more_modules_than_we_use_are_left_out)
{
	struct machine *m = qemu();
	unsigned int i;

	put32(m, INFO_AT + 20, 0xffffffff);
	for (i = 0; i < BOOT_MODULE_MAX + 2; i++) {
		put32(m, MODULES_AT + i * 16, 0x200000 + i * 0x1000);
		put32(m, MODULES_AT + i * 16 + 4, 0x200000 + i * 0x1000 + 0x1000);
		put32(m, MODULES_AT + i * 16 + 8, 0);
	}
	EXPECT_EQ(parse1(m), 0);
	EXPECT_EQ(info.module_count, BOOT_MODULE_MAX);
}

/* --- multiboot 2 --- */

static struct wire_out *tag(struct wire_out *out, u32 type, u32 contents_bytes)
{
	while (out->size % 8) {
		wire_put_u8(out, 0);
	}
	wire_put_u32le(out, type);
	wire_put_u32le(out, contents_bytes + 8);
	return out;
}

static void put_text_tag(struct wire_out *out, u32 type, const char *text)
{
	wire_put_bytes(tag(out, type, (u32)strlen(text) + 1), text, strlen(text) + 1);
}

static void put_map_tag(struct wire_out *out, u32 entry_bytes)
{
	unsigned int i;

	tag(out, 6, 8 + 2 * entry_bytes);
	wire_put_u32le(out, entry_bytes);
	wire_put_u32le(out, 0);
	for (i = 0; i < 2; i++) {
		wire_put_u64le(out, i ? 0x100000 : 0);
		wire_put_u64le(out, i ? 0x7f00000 : 0x80000);
		wire_put_u32le(out, BOOT_RAM);
		wire_put_u32le(out, 0);
	}
}

static struct wire_out grub(struct machine *m)
{
	struct wire_out out = wire_out_of(m->memory + INFO_AT, 0x2000);

	wire_put_u64le(&out, 0);
	put_text_tag(&out, 2, "GRUB 2.06");
	put_text_tag(&out, 1, "console=vga");
	tag(&out, 3, 8 + 5);
	wire_put_u32le(&out, 0x300000);
	wire_put_u32le(&out, 0x310000);
	wire_put_bytes(&out, "root", 5);
	put_map_tag(&out, 24);
	tag(&out, 15, 36);
	wire_put_bytes(&out, (u8[36]){'R'}, 36);
	tag(&out, 14, 20);
	wire_put_bytes(&out, (u8[20]){'R'}, 20);
	tag(&out, 8, 22);
	wire_put_u64le(&out, 0xe0000000);
	wire_put_u32le(&out, 4096);
	wire_put_u32le(&out, 1024);
	wire_put_u32le(&out, 768);
	wire_put_u8(&out, 32);
	wire_put_u8(&out, 1);
	return out;
}

static int parse2(struct machine *m, struct wire_out *out)
{
	int rc;

	tag(out, 0, 0);
	put32(m, INFO_AT, (u32)out->size);
	rc = boot_info_parse(read_machine, m, MULTIBOOT2_LOADER_MAGIC, hpa_of(INFO_AT), &info,
			     &why);
	free(m);
	return rc;
}

TEST(multiboot2, tags_of_grub_are_read)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);

	EXPECT_EQ(parse2(m, &out), 0);
	EXPECT_STR(info.command_line, "console=vga");
	EXPECT_EQ(info.module_count, 1);
	EXPECT_STR(info.modules[0].command_line, "root");
	EXPECT_EQ(info.region_count, 2);
	EXPECT_EQ(info.framebuffer.width, 1024);
	EXPECT_EQ(info.framebuffer.pitch, 4096);
	EXPECT_EQ(hpa_raw(info.loader_data.start), INFO_AT);
	EXPECT(hpa_raw(info.rsdp) > INFO_AT);
}

TEST(multiboot2, newer_rsdp_wins_in_any_order)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);
	u64 new_at = 0, i;

	for (i = INFO_AT; i < INFO_AT + 0x200 && !new_at; i += 8) {
		if (m->memory[i] == 15 && m->memory[i + 4] == 44) {
			new_at = i + 8;
		}
	}
	EXPECT_EQ(parse2(m, &out), 0);
	EXPECT_EQ(hpa_raw(info.rsdp), new_at);
}

TEST(multiboot2, information_without_an_end_is_refused)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);

	while (out.size % 8) {
		wire_put_u8(&out, 0);
	}
	put32(m, INFO_AT, (u32)out.size);
	EXPECT_EQ(boot_info_parse(read_machine, m, MULTIBOOT2_LOADER_MAGIC, hpa_of(INFO_AT), &info,
				  &why),
		  -EINVAL);
	EXPECT_STR(why, "the boot loader's information has no end");
	free(m);
}

TEST(multiboot2, tag_past_the_end_is_refused)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);

	tag(&out, 99, 0xfffffff0);
	EXPECT_EQ(parse2(m, &out), -EINVAL);
}

TEST(multiboot2, map_with_impossible_entries_is_refused)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);

	put_map_tag(&out, 8);
	EXPECT_EQ(parse2(m, &out), -EINVAL);
	EXPECT_STR(why, "the boot loader's memory map is broken");
}

TEST(multiboot2, unterminated_text_ends_with_its_tag)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct wire_out out = grub(m);

	wire_put_bytes(tag(&out, 1, 3), "abc", 3);
	EXPECT_EQ(parse2(m, &out), 0);
	EXPECT_STR(info.command_line, "abc");
}

TEST_MAIN()
