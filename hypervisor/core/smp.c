// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/smp.h"

#include "core/percpu.h"
#include "core/softirq.h"
#include "hv/error.h"

unsigned long percpu_offset[CPU_MAX];
static struct cpu_set online;
static cpu_t online_count;

/* One call at a time; who waits for its turn has interrupts on and so serves the others' calls. */
static struct {
	u32 is_busy;
	void (*fn)(void *data);
	void *data;
	struct cpu_set waiting;
} call;

cpu_t smp_cpu_count(void)
{
	return load_relaxed(&online_count);
}

const struct cpu_set *smp_online(void)
{
	return &online;
}

void smp_set_online(void)
{
	bitmap_atomic_test_and_set(online.words, arch_cpu_id());
	__atomic_fetch_add(&online_count, 1, __ATOMIC_ACQ_REL);
}

#ifdef HV_UNIT
void smp_forget_all(void)
{
	online = (struct cpu_set){{0}};
	online_count = 0;
}
#endif

void smp_kick(cpu_t cpu)
{
	if (cpu != arch_cpu_id()) {
		arch_ipi_send(cpu, ARCH_IPI_KICK);
	}
}

static bool is_set_empty(const struct cpu_set *set)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(set->words); i++) {
		if (load_acquire(&set->words[i])) { /* pairs with smp_handle_call() */
			return false;
		}
	}
	return true;
}

void smp_call(const struct cpu_set *set, void (*fn)(void *data), void *data)
{
	struct cpu_set others = *set;
	unsigned long flags;
	cpu_t cpu = arch_cpu_id();
	bool is_here = bitmap_test(set->words, cpu);

	bitmap_clear(others.words, cpu);
	if (!is_set_empty(&others)) {
		ASSERT(arch_irq_is_enabled());
		while (__atomic_exchange_n(&call.is_busy, 1, __ATOMIC_ACQUIRE)) {
			arch_cpu_relax();
		}
		call.fn = fn;
		call.data = data;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		call.waiting = others;
		arch_ipi_send_set(&others, ARCH_IPI_CALL);
	}
	if (is_here) {
		flags = arch_irq_save();
		fn(data);
		arch_irq_restore(flags);
	}
	if (!is_set_empty(&others)) {
		while (!is_set_empty(&call.waiting)) {
			arch_cpu_relax();
		}
		store_release(&call.is_busy, 0);
	}
}

void smp_handle_call(void)
{
	cpu_t cpu = arch_cpu_id();

	if (!bitmap_test(call.waiting.words, cpu)) {
		return;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	call.fn(call.data);
	__atomic_fetch_and(&call.waiting.words[cpu / 64], ~BIT(cpu % 64), __ATOMIC_RELEASE);
}
