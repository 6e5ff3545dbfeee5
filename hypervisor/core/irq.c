// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/irq.h"

#include "core/irq_dispatch.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/spinlock.h"
#include "hv/error.h"
#include "lib/bitmap.h"

/* The vectors that arch/ leaves to us. */
#define VECTOR_FIRST 0x30u
#define VECTOR_COUNT 0xc0u

struct irq_slot {
	irq_handler_t handler; /* NULL: free */
	void *data;
};
struct irq_cpu {
	struct irq_slot slots[VECTOR_COUNT]; /* written under LOCK_IRQ */
	unsigned int next;
	unsigned long spurious;
};
DEFINE_PER_CPU(struct irq_cpu, irqs);

static struct spinlock lock = SPINLOCK_INIT(LOCK_IRQ);

int irq_alloc(cpu_t cpu, irq_handler_t handler, void *data, struct irq_target *out)
{
	struct irq_cpu *c = per_cpu_ptr(irqs, cpu);
	unsigned long flags = spin_lock_irqsave(&lock);
	unsigned int i, slot;

	for (i = 0; i < VECTOR_COUNT; i++) {
		/* Not the one freed last: a late interrupt of its old owner finds nobody. */
		slot = (c->next + i) % VECTOR_COUNT;
		if (!c->slots[slot].handler) {
			c->slots[slot].data = data;
			store_release(&c->slots[slot].handler, handler); /* pairs with irq_dispatch() */
			c->next = slot + 1;
			spin_unlock_irqrestore(&lock, flags);
			*out = (struct irq_target){.vector = (u8)(VECTOR_FIRST + slot), .cpu = cpu};
			return 0;
		}
	}
	spin_unlock_irqrestore(&lock, flags);
	return -ENOSPC;
}

static void nothing(void *data)
{
}

void irq_free(struct irq_target target)
{
	struct irq_slot *slot = &per_cpu_ptr(irqs, target.cpu)->slots[target.vector - VECTOR_FIRST];
	struct cpu_set set = {{0}};
	unsigned long flags;

	flags = spin_lock_irqsave(&lock);
	store_relaxed(&slot->handler, nothing); /* keeps it taken */
	spin_unlock_irqrestore(&lock, flags);
	/* Handlers run with interrupts off: when that CPU answers, none is running. */
	bitmap_set(set.words, target.cpu);
	smp_call(&set, nothing, NULL);
	store_release(&slot->handler, NULL);
}

void irq_dispatch(u8 vector)
{
	struct irq_cpu *c = this_cpu_ptr(irqs);
	irq_handler_t handler;

	if (vector < VECTOR_FIRST || vector >= VECTOR_FIRST + VECTOR_COUNT) {
		c->spurious++;
		return;
	}
	handler = load_acquire(&c->slots[vector - VECTOR_FIRST].handler);
	if (!handler) {
		c->spurious++;
		return;
	}
	handler(c->slots[vector - VECTOR_FIRST].data);
}
