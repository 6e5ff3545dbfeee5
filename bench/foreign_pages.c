/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What saving a domain does to its memory, and nothing else: maps its pages in batches of 1,024, reads
 * a word of each, unmaps them. Runs in dom0: foreign_pages DOMID COUNT; prints milliseconds.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <xenforeignmemory.h>

#define BATCH	  1024
#define PAGE_SIZE 4096

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	double start, mapped = 0, unmapped = 0;
	uint64_t first, count, sum = 0;
	uint32_t id;

	if (argc != 3) {
		errx(2, "usage: foreign_pages DOMID COUNT");
	}
	if (!memory) {
		err(1, "/dev/xen/privcmd");
	}
	id = (uint32_t)strtoul(argv[1], NULL, 10);
	count = strtoull(argv[2], NULL, 10);
	for (first = 0; first < count; first += BATCH) {
		static xen_pfn_t frames[BATCH];
		static int errors[BATCH];
		size_t n = count - first < BATCH ? (size_t)(count - first) : BATCH;
		volatile uint64_t *words;

		for (size_t i = 0; i < n; i++) {
			frames[i] = first + i;
		}
		start = now_ms();
		words = xenforeignmemory_map(memory, id, PROT_READ, n, frames, errors);
		if (!words) {
			err(1, "frame %" PRIu64 " of domain %u", first, id);
		}
		for (size_t i = 0; i < n; i++) {
			if (errors[i]) {
				errx(1, "frame %" PRIu64 " of domain %u: error %d", first + i, id, errors[i]);
			}
			sum += words[i * PAGE_SIZE / sizeof(*words)];
		}
		mapped += now_ms() - start;
		start = now_ms();
		if (xenforeignmemory_unmap(memory, (void *)words, n)) {
			err(1, "unmap");
		}
		unmapped += now_ms() - start;
	}
	printf("pages %" PRIu64 " map %.0f ms unmap %.0f ms (sum %" PRIx64 ")\n", count, mapped, unmapped, sum);
	xenforeignmemory_close(memory);
	return 0;
}
