// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot/secret_free.h"

#include "arch/contract/paging.h"
#include "core/log.h"
#include "core/smp.h"
#include "core/timer.h"
#include "mm/frame.h"

#define PERIOD	     NS_PER_SEC
#define REPORTED_MAX 8u

struct findings {
	u64 leaves, frames, wrong;
};
static struct timer timer;

static void visit(void *context, unsigned long address, mfn_t first, unsigned int order, bool is_window)
{
	struct findings *found = context;
	struct frame *f;
	u64 i;

	found->leaves++;
	if (is_window) {
		return;
	}
	for (i = 0; i < 1ull << order; i++) {
		f = frame_of(mfn_add(first, i));
		if (!f) {
			continue; /* the image, the frame table, devices */
		}
		found->frames++;
		/* A free frame may have been a guest's, too. */
		if (f->state != FRAME_DOMAIN && f->state != FRAME_FREE && f->state != FRAME_DYING) {
			continue;
		}
		found->wrong++;
		if (found->wrong <= REPORTED_MAX) {
			log_error("secret-free: frame %#lx (state %u, domain %u) is mapped at %#lx\n",
				  mfn_raw(first) + i, f->state, f->owner, address + i * PAGE_SIZE);
		}
	}
}

void secret_free_check(void)
{
	struct findings found = {0};
	cpu_t cpu;

	for (cpu = 0; cpu < smp_cpu_count(); cpu++) {
		arch_host_map_walk(cpu, visit, &found);
	}
	log_info("secret-free: %s: %lu mappings of %lu frames on %u CPUs, %lu of guests\n",
		 found.wrong ? "FAIL" : "PASS", found.leaves, found.frames, smp_cpu_count(), found.wrong);
}

static void check_again(void *data)
{
	secret_free_check();
	timer_set(&timer, clock_now() + PERIOD);
}

void secret_free_start(void)
{
	timer_init(&timer, check_again, NULL, smp_cpu_id());
	timer_set(&timer, clock_now() + PERIOD);
}
