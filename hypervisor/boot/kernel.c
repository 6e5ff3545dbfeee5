/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/kernel.h"

#include "boot/bzimage.h"
#include "boot/decompress.h"
#include "boot/elf.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/timer.h"
#include "hv/error.h"

static NORETURN void refuse(const char *why)
{
	boot_refuse("Cannot start the first domain: %s. Check the file that the boot loader loads "
		    "as the first module.",
		    why);
}

/* The compressed kernel to memory of its own; what it says of its size must be true. */
static void unpack(const struct bzimage *image, const u8 **elf, size_t *elf_size)
{
	struct decompress_job job = {
		.in = image->payload,
		.in_size_bytes = image->payload_size_bytes,
		.out = module_scratch(image->kernel_size_bytes),
		.out_capacity_bytes = image->kernel_size_bytes,
		.scratch = module_scratch(DECOMPRESS_SCRATCH_SIZE),
	};
	ns_t start = clock_now();

	if (!job.out || !job.scratch) {
		boot_refuse("There is no memory to unpack the first domain's kernel (%u MiB).",
			    (unsigned int)(image->kernel_size_bytes >> 20));
	}
	if (decompress(&job)) {
		refuse(job.why);
	}
	if (job.out_size_bytes != image->kernel_size_bytes) {
		refuse("the kernel has not the size that it should have: it is corrupt");
	}
	log_debug("kernel: %zu KiB unpacked to %zu KiB in %lld ms\n",
		  image->payload_size_bytes >> 10, job.out_size_bytes >> 10,
		  (long long)((clock_now() - start) / NS_PER_MS));
	*elf = job.out;
	*elf_size = job.out_size_bytes;
}

void kernel_open(const struct boot_module *m, struct kernel_image *out)
{
	const u8 *bytes = module_map(m);
	size_t size_bytes = m->size_bytes;
	struct bzimage image;
	const char *why;
	int rc;

	if (!bytes) {
		boot_refuse("There is no memory to read the first domain's kernel.");
	}
	rc = bzimage_parse(bytes, size_bytes, &image, &why);
	if (rc == 0) {
		unpack(&image, &bytes, &size_bytes);
	} else if (rc != -ENOENT) {
		refuse(why);
	}
	if (elf_parse(bytes, size_bytes, out, &why)) {
		refuse(why);
	}
}
