/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dom0 loader: the first domain's first program. It makes a kernel in memory out of the file that
 * the boot loader loaded (a bzImage, or an ELF file), checks that the initrd is whole, and enters the
 * kernel. It runs as the guest, so that a broken or hostile file harms nobody else.
 *
 * interface.h says what it is given; docs/boot.md has the picture.
 */
#include <stdarg.h>

#include "hv/error.h"
#include "lib/format.h"
#include "lib/string.h"
#include "loader/bzimage.h"
#include "loader/decompress.h"
#include "loader/elf.h"
#include "loader/initrd.h"
#include "loader/interface.h"
#include "loader/place.h"

#define MSR_HYPERCALL_PAGE 0x40000000u
#define HYPERCALL_STUB	   32u

extern u8 hypercall_page[4096];

struct file {
	const u8 *bytes;
	u64 size_bytes;
};

/* What the kernel is entered with, for start.S: EIP, and EBX above it. */
u64 loader_main(struct hvm_start_info *info, u64 block);

/* --- the hypervisor --- */

static void setup_hypercalls(u64 block)
{
	u64 page = block + ((u64)hypercall_page - LOADER_VIRTUAL);

	__asm__ volatile("wrmsr"
			 :
			 : "c"(MSR_HYPERCALL_PAGE), "a"((u32)page), "d"(0)
			 : "memory");
}

static void call_hypervisor(u64 operation, u64 a, const void *b, u64 c)
{
	register u64 r10 __asm__("r10") = c;
	u64 result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+D"(operation), "+S"(a), "+d"(b), "+r"(r10)
			 : [stub] "r"(hypercall_page + LOADER_HYPERCALL * HYPERCALL_STUB)
			 : "memory", "rcx", "r8", "r9", "r11");
}

static NORETURN FORMAT_PRINTF(2, 3) void refuse(u64 what, const char *fmt, ...)
{
	char text[LOADER_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	format_text_v(text, sizeof(text), fmt, args);
	va_end(args);
	call_hypervisor(LOADER_FAILS, what, text, strlen(text));
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

/* --- steps --- */

static struct file file_of(const struct hvm_start_info *info, unsigned int which)
{
	const struct hvm_modlist_entry *modules = (const void *)info->modlist_paddr;
	struct file file = {0};

	if (which < info->nr_modules) {
		file.bytes = (const u8 *)modules[which].paddr;
		file.size_bytes = modules[which].size;
	}
	return file;
}

/* What is compressed goes to memory of its own; what it says of its size must be true. */
static void unpack(struct file *kernel, struct place_map *map, u64 block)
{
	struct decompress_job job = {.scratch = (void *)(block + LOADER_SCRATCH)};
	struct bzimage image;
	const char *why;
	int rc = bzimage_parse(kernel->bytes, kernel->size_bytes, &image, &why);

	_Static_assert(LOADER_SCRATCH + DECOMPRESS_SCRATCH_SIZE <= LOADER_INFO_AT,
		       "scratch memory ends before the start information");
	if (rc == -ENOENT) {
		return; /* no bzImage: the file itself should be the kernel */
	}
	if (rc) {
		refuse(LOADER_BAD_KERNEL, "%s", why);
	}
	job.in = image.payload;
	job.in_size_bytes = image.payload_size_bytes;
	job.out = (u8 *)place_find(map, image.kernel_size_bytes);
	job.out_capacity_bytes = image.kernel_size_bytes;
	if (!job.out) {
		refuse(LOADER_SHORT_OF_RAM, "there is no memory to unpack the kernel (%u MiB)",
		       (unsigned int)(image.kernel_size_bytes >> 20));
	}
	if (decompress(&job)) {
		refuse(LOADER_BAD_KERNEL, "%s", job.why);
	}
	if (job.out_size_bytes != image.kernel_size_bytes) {
		refuse(LOADER_BAD_KERNEL,
		       "the kernel has not the size that it should have: it is corrupt");
	}
	kernel->bytes = job.out;
	kernel->size_bytes = job.out_size_bytes;
}

/* Nothing has been written to a segment's place when the last one is checked. */
static void check_places(const struct kernel_image *image, const struct place_map *map)
{
	unsigned int i;

	for (i = 0; i < image->segment_count; i++) {
		const struct kernel_segment *s = &image->segments[i];

		if (!place_is_ram(map, s->physical, s->memory_size_bytes)) {
			refuse(LOADER_SHORT_OF_RAM,
			       "the kernel wants memory from %#llx to %#llx, which is not all RAM",
			       (unsigned long long)s->physical,
			       (unsigned long long)(s->physical + s->memory_size_bytes));
		}
		if (!place_is_idle(map, s->physical, s->memory_size_bytes)) {
			refuse(LOADER_SHORT_OF_RAM,
			       "the kernel wants memory from %#llx to %#llx, where its file, its "
			       "initrd and its loader need to be",
			       (unsigned long long)s->physical,
			       (unsigned long long)(s->physical + s->memory_size_bytes));
		}
	}
}

static void load(const struct kernel_image *image)
{
	unsigned int i;

	for (i = 0; i < image->segment_count; i++) {
		const struct kernel_segment *s = &image->segments[i];
		u8 *to = (u8 *)s->physical;

		memcpy(to, s->bytes, s->file_size_bytes);
		memset(to + s->file_size_bytes, 0, s->memory_size_bytes - s->file_size_bytes);
	}
}

static void check_initrd(const struct file *initrd, u64 block)
{
	const char *why;

	if (initrd->bytes && initrd_check(initrd->bytes, initrd->size_bytes, (void *)(block + LOADER_SCRATCH), &why)) {
		refuse(LOADER_BAD_INITRD, "%s", why);
	}
}

/*
 * The kernel gets the start information without itself, and next to itself: Linux reads it when it
 * has mapped no more than the first GiB.
 */
static struct hvm_start_info *move_info(const struct hvm_start_info *from, u64 kernel_end,
					const struct place_map *map)
{
	struct hvm_start_info *to = (void *)place_find_behind(map, kernel_end, LOADER_INFO_BYTES);
	u64 distance = (u64)to - (u64)from;

	if (!to) {
		refuse(LOADER_SHORT_OF_RAM, "there is no memory behind the kernel for what it is told");
	}
	memcpy(to, from, LOADER_INFO_BYTES);
	to->cmdline_paddr += distance;
	to->memmap_paddr += distance;
	to->modlist_paddr += distance + sizeof(struct hvm_modlist_entry);
	to->nr_modules--;
	if (!to->nr_modules) {
		to->modlist_paddr = 0;
	}
	return to;
}

u64 loader_main(struct hvm_start_info *info, u64 block)
{
	struct file kernel = file_of(info, 0), initrd = file_of(info, 1), packed = kernel;
	struct kernel_image image;
	struct place_map map = {
		.regions = (const void *)info->memmap_paddr,
		.region_count = info->memmap_entries,
	};
	const char *why;

	setup_hypercalls(block);
	check_initrd(&initrd, block);
	place_add_busy(&map, block, LOADER_BYTES);
	place_add_busy(&map, (u64)initrd.bytes, initrd.size_bytes);
	place_add_busy(&map, (u64)kernel.bytes, kernel.size_bytes);
	unpack(&kernel, &map, block);
	if (elf_parse(kernel.bytes, kernel.size_bytes, &image, &why)) {
		refuse(LOADER_BAD_KERNEL, "%s", why);
	}
	if (kernel.bytes != packed.bytes) {
		map.busy_count--; /* the packed file is done with, the unpacked one is not */
		place_add_busy(&map, (u64)kernel.bytes, kernel.size_bytes);
	}
	check_places(&image, &map);
	load(&image);
	info = move_info(info, image.end, &map);
	call_hypervisor(LOADER_STARTS, image.pvh_entry, NULL, 0);
	return image.pvh_entry | (u64)info << 32;
}
