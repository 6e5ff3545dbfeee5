/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of all locks, outermost first. Taking a lock while holding one of a higher
 * or equal rank panics a debug build with both names; two locks of one kind go through a
 * ..._lock_pair() function (lower domain id first). docs/lock-order.md says what each protects.
 */
#pragma once

enum lock_rank {
	LOCK_DOMCTL,	    /* domain creation, destruction, listing */
	LOCK_DOMAIN,	    /* one domain's life and settings */
	LOCK_VPCI,	    /* one PCI function's virtual configuration */
	LOCK_HWIRQ,	    /* which guest line or MSI a machine interrupt belongs to */
	LOCK_GRANT,	    /* one domain's grant table */
	LOCK_EVTCHN,	    /* one domain's event channel table */
	LOCK_P2M,	    /* one domain's nested page table */
	LOCK_VIOAPIC,	    /* one domain's virtual I/O APIC */
	LOCK_CLAIM,	    /* who has claimed how many frames */
	LOCK_WALLCLOCK,
	LOCK_EVTCHN_FIFO,   /* one domain's event queues; interrupts off */
	LOCK_VCPU,	    /* one vCPU's wake and pause state */
	LOCK_CPUPOOL,
	LOCK_SCHED,	    /* one run queue */
	LOCK_TIMER,	    /* one CPU's timer queue */
	LOCK_PCI,	    /* configuration space access ports */
	LOCK_IOMMU,	    /* one domain's device view; shared IOMMU tables */
	LOCK_IOMMU_UNIT,    /* one IOMMU's queue */
	LOCK_IRQ,	    /* machine interrupt descriptors and vectors */
	LOCK_IOAPIC,
	LOCK_HEAP,
	LOCK_FRAME,	    /* buddy allocator */
	LOCK_RCU,
	LOCK_CONSOLE,	    /* log ring and output devices; innermost: anybody may log */
	LOCK_RANK_COUNT,
};
