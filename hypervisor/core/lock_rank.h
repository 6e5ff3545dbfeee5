/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of all locks, outermost first. Taking a lock while holding one of a higher
 * or equal rank panics a debug build with both names; two locks of one kind go through a
 * ..._lock_pair() function (lower domain id first). docs/lock-order.md says what each protects.
 *
 * Locks down to FRAME may be held with interrupts on, so they come before all that an interrupt
 * handler takes (VIOAPIC and below: interrupts off). A CPU that is interrupted while it holds one
 * of them then never waits for a CPU that wants it.
 */
#pragma once

/* clang-format off */
#define LOCK_RANKS(X)                                                                              \
	X(DOMCTL)      /* domain creation, destruction, listing */                                 \
	X(DOMAIN)      /* one domain's life and settings */                                        \
	X(VPCI)        /* one PCI function's virtual configuration */                              \
	X(HWIRQ)       /* which guest line or MSI a machine interrupt belongs to */                \
	X(GRANT)       /* one domain's grant table */                                              \
	X(EVTCHN)      /* one domain's event channel table */                                      \
	X(P2M)         /* one domain's nested page table */                                        \
	X(CLAIM)       /* who has claimed how many frames */                                       \
	X(WALLCLOCK)   /* the time of day */                                                       \
	X(CPUPOOL)     /* which CPUs belong together */                                            \
	X(IOMMU)       /* one domain's device view; shared IOMMU tables */                         \
	X(HEAP)        /* the hypervisor's own memory */                                           \
	X(FRAME)       /* buddy allocator */                                                       \
	X(VIOAPIC)     /* one domain's virtual I/O APIC */                                         \
	X(EVTCHN_FIFO) /* one domain's event queues */                                             \
	X(VCPU)        /* one vCPU's wake and pause state */                                       \
	X(SCHED)       /* one run queue */                                                         \
	X(TIMER)       /* one CPU's timer queue */                                                 \
	X(PCI)         /* configuration space access ports */                                      \
	X(IOMMU_UNIT)  /* one IOMMU's queue */                                                     \
	X(IRQ)         /* machine interrupt descriptors and vectors */                             \
	X(IOAPIC)      /* the machine's I/O APICs */                                               \
	X(RCU)         /* callbacks and grace periods */                                           \
	X(CONSOLE)     /* log ring and output devices; innermost: anybody may log */
/* clang-format on */

#define LOCK_RANK_ENUM(name) LOCK_##name,
enum lock_rank { LOCK_RANKS(LOCK_RANK_ENUM) LOCK_RANK_COUNT };
