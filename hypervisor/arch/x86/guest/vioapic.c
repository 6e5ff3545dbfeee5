/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/vioapic.h"

#include "arch/x86/guest/hwirq.h"
#include "arch/x86/guest/trap.h"
#include "arch/x86/guest/vlapic.h"
#include "arch/x86/host/apic.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "hv/error.h"
#include "memory/p2m.h"
#include "mm/heap.h"

/* 82093AA section 3; the EOI register is that of version 0x20. */
#define REGISTER_SELECT 0x00
#define REGISTER_WINDOW 0x10
#define REGISTER_EOI	0x40
#define INDEX_ID	0x00
#define INDEX_VERSION	0x01
#define INDEX_PINS	0x10
#define VERSION		0x20u
#define PIN_COUNT_MAX	240u

#define PIN_VECTOR(p)	   ((u8)(p))
#define PIN_MODE(p)	   ((u8)((p) >> 8 & 7))
#define PIN_IS_LOGICAL(p)  (((p) >> 11 & 1) != 0)
#define PIN_LOW		   BIT(13)
#define PIN_REMOTE_IRR	   BIT(14)
#define PIN_LEVEL	   BIT(15)
#define PIN_MASKED	   BIT(16)
#define PIN_DESTINATION(p) ((u32)((p) >> 56))
#define PIN_WRITABLE	   (0xff0000000001ffffull & ~(PIN_REMOTE_IRR | BIT(12)))

struct vioapic {
	gpa_t base;
	u32 gsi_base;
	unsigned int pin_count;
	u8 id;
	u8 select;
	u64 pins[]; /* as the guest sees them */
};
struct vioapic_domain {
	struct domain *domain;
	struct spinlock writing; /* LOCK_HWIRQ: one register write at a time */
	struct spinlock lock;	 /* LOCK_VIOAPIC: pins */
	unsigned int count;
	struct vioapic *io[ACPI_IOAPIC_MAX];
};

static struct vioapic *find_by_gsi(struct vioapic_domain *all, u32 gsi)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (gsi >= all->io[i]->gsi_base &&
		    gsi - all->io[i]->gsi_base < all->io[i]->pin_count) {
			return all->io[i];
		}
	}
	return NULL;
}

static struct vioapic *find_by_address(struct vioapic_domain *all, u64 address)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (address >= gpa_raw(all->io[i]->base) &&
		    address - gpa_raw(all->io[i]->base) < 0x100) {
			return all->io[i];
		}
	}
	return NULL;
}

void vioapic_assert(struct domain *d, u32 gsi)
{
	struct vioapic_domain *all = hwirq_vioapic(d);
	struct vioapic *io = find_by_gsi(all, gsi);
	unsigned long flags;
	u64 *pin, value;

	if (!io) {
		return;
	}
	flags = spin_lock_irqsave(&all->lock);
	pin = &io->pins[index_clamp(gsi - io->gsi_base, io->pin_count)];
	value = *pin;
	if (value & PIN_LEVEL && !(value & PIN_MASKED)) {
		*pin |= PIN_REMOTE_IRR;
	}
	spin_unlock_irqrestore(&all->lock, flags);
	/*
	 * Masked meanwhile: a level is still asserted when the guest unmasks, an edge is lost as
	 * it is in the chip.
	 */
	if (!(value & PIN_MASKED)) {
		vlapic_deliver(d, PIN_DESTINATION(value), PIN_IS_LOGICAL(value), PIN_MODE(value),
			       PIN_VECTOR(value), value & PIN_LEVEL);
	}
}

static void eoi_one(struct vioapic_domain *all, struct vioapic *io, u8 vector)
{
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < io->pin_count; i++) {
		/* a glance without the lock: most pins are not waiting */
		if (!(load_relaxed(&io->pins[i]) & PIN_REMOTE_IRR)) {
			continue;
		}
		flags = spin_lock_irqsave(&all->lock);
		if (io->pins[i] & PIN_REMOTE_IRR && PIN_VECTOR(io->pins[i]) == vector) {
			io->pins[i] &= ~PIN_REMOTE_IRR;
			if (!(io->pins[i] & PIN_MASKED)) {
				ioapic_unmask(io->gsi_base + i);
			}
		}
		spin_unlock_irqrestore(&all->lock, flags);
	}
}

void vioapic_eoi(struct domain *d, u8 vector)
{
	struct vioapic_domain *all = hwirq_vioapic(d);
	unsigned int i;

	for (i = 0; all && i < all->count; i++) {
		eoi_one(all, all->io[i], vector);
	}
}

/* The machine's pin follows the guest's: called with the pin's new value stored. */
static void pin_changed(struct vioapic_domain *all, struct vioapic *io, unsigned int index, u64 old,
			u64 new)
{
	u32 gsi = io->gsi_base + index;
	unsigned long flags;
	int rc;

	if (new &PIN_MASKED) {
		if (!(old & PIN_MASKED)) {
			ioapic_mask(gsi);
		}
		return;
	}
	rc = hwirq_bind_gsi(all->domain, gsi, PIN_DESTINATION(new), PIN_IS_LOGICAL(new),
			    new &PIN_LEVEL, new &PIN_LOW);
	if (rc) {
		log_guest(all->domain, "GSI %u cannot be bound: %d\n", gsi, rc);
		return;
	}
	flags = spin_lock_irqsave(&all->lock);
	if (!(io->pins[index] & PIN_REMOTE_IRR)) {
		ioapic_unmask(gsi);
	}
	spin_unlock_irqrestore(&all->lock, flags);
}

static void write_pin(struct vioapic_domain *all, struct vioapic *io, unsigned int index,
		      bool is_high, u32 value)
{
	unsigned long flags;
	u64 old, new;

	flags = spin_lock_irqsave(&all->lock);
	old = io->pins[index];
	if (is_high) {
		new = (old & 0xffffffffu) | ((u64)value << 32 & PIN_WRITABLE);
	} else {
		new = (old & ~(PIN_WRITABLE & 0xffffffffu)) | (value & PIN_WRITABLE);
	}
	if (!(new &PIN_LEVEL)) {
		new &= ~PIN_REMOTE_IRR;
	}
	store_relaxed(&io->pins[index], new);
	spin_unlock_irqrestore(&all->lock, flags);
	if (!is_high) {
		pin_changed(all, io, index, old, new);
	}
}

static u32 read_window(struct vioapic_domain *all, struct vioapic *io)
{
	unsigned int index = io->select, pin;
	unsigned long flags;
	u64 value;

	if (index == INDEX_ID) {
		return (u32)io->id << 24;
	}
	if (index == INDEX_VERSION) {
		return VERSION | (io->pin_count - 1) << 16;
	}
	pin = (index - INDEX_PINS) / 2;
	if (index < INDEX_PINS || pin >= io->pin_count) {
		return 0;
	}
	flags = spin_lock_irqsave(&all->lock);
	value = io->pins[index_clamp(pin, io->pin_count)];
	spin_unlock_irqrestore(&all->lock, flags);
	return (u32)(index % 2 ? value >> 32 : value);
}

static void write_window(struct vioapic_domain *all, struct vioapic *io, u32 value)
{
	unsigned int index = io->select, pin = (index - INDEX_PINS) / 2;

	if (index == INDEX_ID) {
		io->id = (u8)(value >> 24) & 0xf;
	} else if (index >= INDEX_PINS && pin < io->pin_count) {
		write_pin(all, io, (unsigned int)index_clamp(pin, io->pin_count), index % 2, value);
	}
}

static int vioapic_read(struct vcpu *v, void *data, u64 address, unsigned int size_bytes,
			u64 *value)
{
	struct vioapic_domain *all = data;
	struct vioapic *io = find_by_address(all, address);

	*value = 0;
	if (!io || size_bytes > 4) {
		return 0;
	}
	switch (address & 0xfc) {
	case REGISTER_SELECT:
		*value = io->select;
		break;
	case REGISTER_WINDOW:
		spin_lock(&all->writing);
		*value = read_window(all, io);
		spin_unlock(&all->writing);
		break;
	default:
		break;
	}
	/* a narrow access reads its part of the register */
	*value >>= address % 4 * 8;
	return 0;
}

static int vioapic_write(struct vcpu *v, void *data, u64 address, unsigned int size_bytes,
			 u64 value)
{
	struct vioapic_domain *all = data;
	struct vioapic *io = find_by_address(all, address);

	if (!io || address % 4) {
		return 0;
	}
	switch (address & 0xff) {
	case REGISTER_SELECT:
		spin_lock(&all->writing);
		io->select = (u8)value;
		spin_unlock(&all->writing);
		break;
	case REGISTER_WINDOW:
		/* the chip takes whole registers; narrower writes have no meaning (3.1.2) */
		if (size_bytes == 4) {
			spin_lock(&all->writing);
			write_window(all, io, (u32)value);
			spin_unlock(&all->writing);
		}
		break;
	case REGISTER_EOI:
		eoi_one(all, io, (u8)value);
		break;
	default:
		break;
	}
	return 0;
}

static const struct trap_ops ops = {.read = vioapic_read, .write = vioapic_write};

static int add_one(struct vioapic_domain *all, unsigned int index)
{
	const struct acpi_ioapic *host = &acpi_info.ioapics[index];
	unsigned int pin, pin_count = MIN(ioapic_pin_count(index), PIN_COUNT_MAX);
	struct vioapic *io;

	io = heap_alloc(sizeof(*io) + pin_count * sizeof(io->pins[0]));
	if (!io) {
		return -ENOMEM;
	}
	all->io[all->count++] = io;
	io->base = gpa_of(hpa_raw(host->address));
	io->gsi_base = host->gsi_base;
	io->id = host->id;
	io->pin_count = pin_count;
	for (pin = 0; pin < pin_count; pin++) {
		io->pins[pin] = PIN_MASKED;
	}
	return trap_memory(all->domain, io->base, 0x100, &ops, all);
}

int vioapic_init(struct domain *d, struct vioapic_domain **out)
{
	struct vioapic_domain *all;
	unsigned int i;
	int rc;

	*out = NULL;
	if (!d->is_hardware) {
		return 0;
	}
	all = heap_alloc(sizeof(*all));
	if (!all) {
		return -ENOMEM;
	}
	all->domain = d;
	spinlock_init(&all->writing, LOCK_HWIRQ);
	spinlock_init(&all->lock, LOCK_VIOAPIC);
	for (i = 0; i < ioapic_count(); i++) {
		rc = add_one(all, i);
		if (rc) {
			vioapic_fini(all);
			return rc;
		}
	}
	*out = all;
	return 0;
}

void vioapic_fini(struct vioapic_domain *all)
{
	unsigned int i;

	if (!all) {
		return;
	}
	for (i = 0; i < all->count; i++) {
		trap_memory_remove(all->domain, all->io[i]->base);
		heap_free(all->io[i]);
	}
	heap_free(all);
}
