// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/softirq.h"

#include "core/percpu.h"
#include "core/smp.h"
#include "hv/error.h"

static RO_AFTER_INIT void (*handlers[SOFTIRQ_COUNT])(void);
DEFINE_PER_CPU(u32, softirq_pending);

void softirq_register(enum softirq nr, void (*handler)(void))
{
	CHECK(!handlers[nr]);
	handlers[nr] = handler;
}

void softirq_raise(enum softirq nr)
{
	__atomic_fetch_or(this_cpu_ptr(softirq_pending), 1u << nr, __ATOMIC_RELAXED);
}

void softirq_raise_cpu(enum softirq nr, cpu_t cpu)
{
	/* Release: what the handler is to see was written before. Pairs with softirq_run(). */
	u32 old = __atomic_fetch_or(per_cpu_ptr(softirq_pending, cpu), 1u << nr, __ATOMIC_ACQ_REL);

	if (!(old & 1u << nr) && cpu != smp_cpu_id()) {
		arch_ipi_send(cpu, ARCH_IPI_KICK);
	}
}

void softirq_run(void)
{
	u32 pending;
	unsigned int nr;

	while (softirq_is_pending()) {
		pending = __atomic_exchange_n(this_cpu_ptr(softirq_pending), 0, __ATOMIC_ACQ_REL);
		for (nr = 0; nr < SOFTIRQ_COUNT; nr++) {
			if ((pending & 1u << nr) && handlers[nr]) {
				handlers[nr]();
			}
		}
	}
}
