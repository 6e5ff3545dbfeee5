/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/hwirq.h"

#include "arch/contract/guest.h"
#include "arch/x86/guest/pci_access.h"
#include "arch/x86/guest/vioapic.h"
#include "arch/x86/guest/vlapic.h"
#include "arch/x86/host/apic.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/rcu.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/iommu.h"
#include "lib/list.h"
#include "mm/heap.h"

/*
 * One bound machine interrupt. Its handler runs on target.cpu with interrupts off and reads
 * domain, gsi, is_level and message only; all else is written under the domain's lock.
 */
struct arch_msi {
	struct list link; /* hwirq_domain.msis; unused for a GSI */
	struct domain *domain;
	bool is_gsi;
	bool is_level, is_low; /* GSI */
	u32 gsi;
	u16 segment; /* MSI: whose */
	u8 bus, devfn;
	struct iommu_irq io;
	u64 message; /* MSI: the guest's, packed; atomic */
	struct irq_target target;
	bool is_dead;  /* unbound */
	u32 is_moving; /* atomic: rcu is in use, for a move or for the end */
	struct rcu_head rcu;
};

struct hwirq_domain {
	struct spinlock lock; /* LOCK_HWIRQ */
	struct vioapic_domain *vioapic;
	struct list msis;
	u32 gsi_count;
	struct arch_msi **gsis; /* under the virtual I/O APIC's write lock */
};

/* A vector that no interrupt uses any more; given back when no CPU can be in its handler. */
struct retired {
	struct rcu_head rcu;
	struct irq_target target;
};

#define VECTOR_TRIES 32u

#define MESSAGE_VECTOR(m)      ((u8)(m))
#define MESSAGE_MODE(m)	       ((u8)((m) >> 8 & 7))
#define MESSAGE_IS_LOGICAL(m)  (((m) >> 11 & 1) != 0)
#define MESSAGE_DESTINATION(m) ((u32)((m) >> 16))

static void hwirq_move(struct rcu_head *head);

struct vioapic_domain *hwirq_vioapic(struct domain *d)
{
	return d->hwirq ? d->hwirq->vioapic : NULL;
}

/* SDM 3, 10.11: what a write of data to address means. */
static u64 message_pack(u64 address, u32 data)
{
	u64 destination = address >> 12 & 0xff;
	bool is_logical = address & BIT(2);

	return (data & 0x7ff) | (u64)is_logical << 11 | destination << 16;
}

/*
 * The vCPU near which the machine's interrupt should arrive. A hint only: who gets it is the
 * virtual local APIC's business. Logical ids are Linux' flat ones, a bit for each vCPU.
 */
static struct vcpu *vcpu_of(struct domain *d, u32 destination, bool is_logical)
{
	unsigned int id = destination / 2;

	if (is_logical) {
		id = destination ? (unsigned int)__builtin_ctz(destination) : 0;
	}
	if (id >= d->vcpu_count) {
		id = 0;
	}
	return d->vcpu_count ? load_acquire(&d->vcpus[index_clamp(id, d->vcpu_count)]) : NULL;
}

static cpu_t cpu_of(struct domain *d, u32 destination, bool is_logical)
{
	const struct vcpu *v = vcpu_of(d, destination, is_logical);

	return v ? load_relaxed(&v->cpu) : 0;
}

static void retire_callback(struct rcu_head *head)
{
	struct retired *r = container_of(head, struct retired, rcu);

	irq_free(r->target);
	heap_free(r);
}

static void retire(struct retired *r, struct irq_target target)
{
	r->target = target;
	rcu_call(&r->rcu, retire_callback);
}

/* The whole binding is gone, after a grace period: vector first, then what its handler reads. */
static void final_callback(struct rcu_head *head)
{
	struct arch_msi *irq = container_of(head, struct arch_msi, rcu);

	irq_free(irq->target);
	heap_free(irq);
}

/* --- arrival: interrupt context --- */

static void ask_to_follow(struct arch_msi *irq, u32 destination, bool is_logical)
{
	if (cpu_of(irq->domain, destination, is_logical) != irq->target.cpu &&
	    !__atomic_exchange_n(&irq->is_moving, 1, __ATOMIC_ACQ_REL)) {
		rcu_call(&irq->rcu, hwirq_move);
	}
}

static void handle_gsi(void *data)
{
	struct arch_msi *irq = data;

	if (irq->is_level) {
		ioapic_mask(irq->gsi); /* until vioapic_eoi(), or the line would fire for ever */
	}
	vioapic_assert(irq->domain, irq->gsi);
}

static void handle_msi(void *data)
{
	struct arch_msi *irq = data;
	u64 m = load_relaxed(&irq->message);

	vlapic_deliver(irq->domain, MESSAGE_DESTINATION(m), MESSAGE_IS_LOGICAL(m), MESSAGE_MODE(m),
		       MESSAGE_VECTOR(m), false);
	if (iommu_has_remapping()) {
		ask_to_follow(irq, MESSAGE_DESTINATION(m), MESSAGE_IS_LOGICAL(m));
	}
}

/* --- routing: under the lock --- */

static int program(struct arch_msi *irq, struct irq_target target)
{
	if (irq->is_gsi) {
		return ioapic_route(irq->gsi, target, irq->is_level, irq->is_low);
	}
	return iommu_irq_map_msi(irq->segment, irq->bus, irq->devfn, target, &irq->io);
}

/* A vector on cpu, and the interrupt sent there; the old vector (if any) is given back. */
static int route_once(struct arch_msi *irq, cpu_t cpu, bool has_old)
{
	struct irq_target target, old = irq->target;
	struct retired *r;
	int rc;

	r = heap_alloc(sizeof(*r));
	if (!r) {
		return -ENOMEM;
	}
	rc = irq_alloc(cpu, irq->is_gsi ? handle_gsi : handle_msi, irq, &target);
	if (rc) {
		goto free_retired;
	}
	rc = program(irq, target);
	if (rc) {
		/* nothing names the new vector; nobody waits for it */
		retire(r, target);
		return rc;
	}
	irq->target = target;
	if (has_old) {
		retire(r, old);
		return 0;
	}
	heap_free(r);
	return 0;

free_retired:
	heap_free(r);
	return rc;
}

/* -EBUSY: the remapping table cannot have this vector's number for another pin; the next one. */
static int route_to(struct arch_msi *irq, cpu_t cpu, bool has_old)
{
	unsigned int tries;
	int rc = -EBUSY;

	for (tries = 0; tries < VECTOR_TRIES && rc == -EBUSY; tries++) {
		rc = route_once(irq, cpu, has_old);
	}
	return rc;
}

/* Softirq: a message found its vCPU elsewhere. */
static void hwirq_move(struct rcu_head *head)
{
	struct arch_msi *irq = container_of(head, struct arch_msi, rcu);
	struct hwirq_domain *hw = irq->domain->hwirq;
	u64 m = load_relaxed(&irq->message);
	cpu_t cpu = cpu_of(irq->domain, MESSAGE_DESTINATION(m), MESSAGE_IS_LOGICAL(m));

	spin_lock(&hw->lock);
	if (irq->is_dead) {
		rcu_call(&irq->rcu, final_callback);
	} else {
		if (cpu != irq->target.cpu && route_to(irq, cpu, true)) {
			log_debug("interrupt of %02x:%02x stays on CPU %u\n", irq->bus, irq->devfn,
				  irq->target.cpu);
		}
		store_release(&irq->is_moving, 0);
	}
	spin_unlock(&hw->lock);
}

int hwirq_bind_gsi(struct domain *d, u32 gsi, u32 destination, bool is_logical, bool is_level,
		   bool is_low)
{
	struct hwirq_domain *hw = d->hwirq;
	struct arch_msi *irq;
	int rc;

	if (!d->is_hardware || !hw) {
		return -EPERM;
	}
	if (gsi >= hw->gsi_count) {
		return -ENODEV;
	}
	if (ioapic_is_kept(gsi)) {
		return -EPERM; /* the hypervisor's own console */
	}
	irq = hw->gsis[gsi];
	if (irq) {
		if (irq->is_level == is_level && irq->is_low == is_low) {
			return 0;
		}
		ioapic_mask(gsi);
		irq->is_level = is_level;
		irq->is_low = is_low;
		return ioapic_route(gsi, irq->target, is_level, is_low);
	}
	irq = heap_alloc(sizeof(*irq));
	if (!irq) {
		return -ENOMEM;
	}
	irq->domain = d;
	irq->is_gsi = true;
	irq->gsi = gsi;
	irq->is_level = is_level;
	irq->is_low = is_low;
	rc = route_to(irq, cpu_of(d, destination, is_logical), false);
	if (rc) {
		heap_free(irq);
		return rc;
	}
	hw->gsis[gsi] = irq;
	return 0;
}

int arch_msi_bind(struct domain *d, u16 segment, u8 bus, u8 devfn, u64 guest_address,
		  u32 guest_data, struct arch_msi **msi, u64 *address, u32 *data)
{
	u64 message = message_pack(guest_address, guest_data);
	struct hwirq_domain *hw = d->hwirq;
	struct arch_msi *irq = *msi;
	bool is_new = !irq;
	cpu_t cpu;
	int rc = 0;

	if (!hw) {
		return -EPERM;
	}
	if (is_new) {
		irq = heap_alloc(sizeof(*irq));
		if (!irq) {
			return -ENOMEM;
		}
		irq->domain = d;
		irq->segment = segment;
		irq->bus = bus;
		irq->devfn = devfn;
		irq->io.index = ~0u;
	}
	cpu = cpu_of(d, MESSAGE_DESTINATION(message), MESSAGE_IS_LOGICAL(message));
	spin_lock(&hw->lock);
	store_relaxed(&irq->message, message);
	if (is_new || cpu != irq->target.cpu) {
		rc = route_to(irq, cpu, !is_new);
	}
	if (rc == 0 && is_new) {
		list_add_tail(&hw->msis, &irq->link);
	}
	if (rc == 0) {
		*address = irq->io.address;
		*data = irq->io.data;
	}
	spin_unlock(&hw->lock);
	if (rc && is_new) {
		/* the new vector, if there was one, is retired; its handler never runs */
		heap_free(irq);
		return rc;
	}
	*msi = irq;
	return rc;
}

void arch_msi_unbind(struct domain *d, struct arch_msi *msi)
{
	struct hwirq_domain *hw = d->hwirq;

	if (!msi) {
		return;
	}
	spin_lock(&hw->lock);
	list_remove(&msi->link);
	msi->is_dead = true;
	iommu_irq_unmap_msi(msi->segment, msi->bus, msi->devfn, &msi->io);
	/* a move that is on its way sees is_dead and ends the binding; no new one can start */
	if (!__atomic_exchange_n(&msi->is_moving, 1, __ATOMIC_ACQ_REL)) {
		rcu_call(&msi->rcu, final_callback);
	}
	spin_unlock(&hw->lock);
}

/* --- domain service --- */

static int hwirq_init(struct domain *d, const struct domain_config *config)
{
	struct hwirq_domain *hw;
	unsigned int i;
	int rc;

	hw = heap_alloc(sizeof(*hw));
	if (!hw) {
		return -ENOMEM;
	}
	spinlock_init(&hw->lock, LOCK_HWIRQ);
	list_init(&hw->msis);
	for (i = 0; d->is_hardware && i < ioapic_count(); i++) {
		hw->gsi_count =
			MAX(hw->gsi_count, acpi_info.ioapics[i].gsi_base + ioapic_pin_count(i));
	}
	if (hw->gsi_count) {
		hw->gsis = heap_alloc_array(hw->gsi_count, sizeof(hw->gsis[0]));
		if (!hw->gsis) {
			rc = -ENOMEM;
			goto free_hw;
		}
	}
	rc = vioapic_init(d, &hw->vioapic);
	if (rc) {
		goto free_gsis;
	}
	rc = pci_access_init(d);
	if (rc) {
		goto free_vioapic;
	}
	d->hwirq = hw;
	return 0;

free_vioapic:
	vioapic_fini(hw->vioapic);
free_gsis:
	heap_free(hw->gsis);
free_hw:
	heap_free(hw);
	return rc;
}

static int hwirq_teardown(struct domain *d)
{
	struct hwirq_domain *hw = d->hwirq;

	while (hw && !list_is_empty(&hw->msis)) {
		arch_msi_unbind(d, list_first(&hw->msis, struct arch_msi, link));
	}
	return 0;
}

/* Only a domain without devices dies: the hardware domain's death is the machine's. */
static void hwirq_fini(struct domain *d)
{
	struct hwirq_domain *hw = d->hwirq;

	if (!hw) {
		return;
	}
	vioapic_fini(hw->vioapic);
	heap_free(hw->gsis);
	heap_free(hw);
	d->hwirq = NULL;
}

const struct domain_service arch_device_service = {
	.name = "hardware interrupts",
	.init = hwirq_init,
	.teardown = hwirq_teardown,
	.fini = hwirq_fini,
};
