// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/contract/host.h"
#include "arch/x86/host/apic.h"
#include "asm/io.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "hv/error.h"
#include "lib/bitmap.h"

#define IOAPIC_MAX	16
#define REG_SELECT	0x00
#define REG_DATA	0x10
#define REG_EOI		0x40
#define IOAPIC_VERSION	0x01
#define IOAPIC_ENTRY(p) (0x10 + 2 * (p))

#define RTE_MASKED     BIT(16)
#define RTE_LEVEL      BIT(15)
#define RTE_REMOTE_IRR BIT(14)
#define RTE_LOW	       BIT(13)

static RO_AFTER_INIT struct ioapic {
	char *registers;
	u32 gsi_base, pin_count;
	u8 id;
	u64 kept[4]; /* pins that are the hypervisor's own */
} ioapics[IOAPIC_MAX];
static RO_AFTER_INIT unsigned int count;
static RO_AFTER_INIT ioapic_remap_t remap_entry;
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOAPIC);

static u32 read_register(const struct ioapic *io, u32 index)
{
	mmio_write32(io->registers + REG_SELECT, index);
	return mmio_read32(io->registers + REG_DATA);
}

static void write_register(const struct ioapic *io, u32 index, u32 value)
{
	mmio_write32(io->registers + REG_SELECT, index);
	mmio_write32(io->registers + REG_DATA, value);
}

static const struct ioapic *find(u32 gsi, u32 *pin)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (gsi >= ioapics[i].gsi_base &&
		    gsi - ioapics[i].gsi_base < ioapics[i].pin_count) {
			*pin = gsi - ioapics[i].gsi_base;
			return &ioapics[i];
		}
	}
	return NULL;
}

void ioapic_add(u8 id, hpa_t address, u32 gsi_base)
{
	struct ioapic *io = &ioapics[count];
	u32 pin;

	if (count == IOAPIC_MAX) {
		log_warning("I/O APIC %u ignored: more than %u\n", id, IOAPIC_MAX);
		return;
	}
	io->registers = arch_mmio_map(address, PAGE_SIZE);
	if (!io->registers) {
		log_warning("I/O APIC %u ignored: no address space\n", id);
		return;
	}
	io->id = id;
	io->gsi_base = gsi_base;
	io->pin_count = (read_register(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
	if (io->pin_count > 240) { /* all ones: nothing answers there */
		log_warning("I/O APIC %u at %#lx does not answer\n", id, hpa_raw(address));
		return;
	}
	for (pin = 0; pin < io->pin_count; pin++) {
		write_register(io, IOAPIC_ENTRY(pin), (u32)RTE_MASKED);
		write_register(io, IOAPIC_ENTRY(pin) + 1, 0);
	}
	count++;
}

void ioapic_set_remap(ioapic_remap_t remap)
{
	remap_entry = remap;
}

static int make_entry(const struct ioapic *io, u32 pin, struct irq_target target, bool is_level,
		      bool is_low, u64 *rte)
{
	u32 destination = apic_id_of(target.cpu);

	if (remap_entry) {
		return remap_entry(io->id, pin, target, is_level, is_low, rte);
	}
	if (destination > 0xff) {
		return -ERANGE;
	}
	*rte = target.vector | (is_level ? RTE_LEVEL : 0) | (is_low ? RTE_LOW : 0) |
	       (u64)destination << 56;
	return 0;
}

int ioapic_keep(u32 gsi)
{
	u32 pin;
	struct ioapic *io = (struct ioapic *)find(gsi, &pin);

	if (!io) {
		return -ENODEV;
	}
	bitmap_set(io->kept, pin);
	return 0;
}

bool ioapic_is_kept(u32 gsi)
{
	const struct ioapic *io;
	u32 pin;

	io = find(gsi, &pin);
	return io && bitmap_test(io->kept, pin);
}

int ioapic_route(u32 gsi, struct irq_target target, bool is_level, bool is_low)
{
	const struct ioapic *io;
	unsigned long flags;
	u32 pin;
	u64 rte;
	int rc;

	io = find(gsi, &pin);
	if (!io) {
		return -ENODEV;
	}
	rc = make_entry(io, pin, target, is_level, is_low, &rte);
	if (rc) {
		return rc;
	}
	flags = spin_lock_irqsave(&lock);
	write_register(io, IOAPIC_ENTRY(pin), (u32)(rte | RTE_MASKED));
	write_register(io, IOAPIC_ENTRY(pin) + 1, (u32)(rte >> 32));
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

/*
 * The handler is done, and still the pin waits for an EOI: remapping has hidden from the local
 * APIC that the interrupt is level-triggered, so none was broadcast. Tell the chip directly; an old
 * one forgets the level when the entry is edge-triggered for a moment.
 */
static void end_level(const struct ioapic *io, u32 pin, u32 low)
{
	if (!(low & RTE_LEVEL) || !(low & RTE_REMOTE_IRR)) {
		return;
	}
	if ((read_register(io, IOAPIC_VERSION) & 0xff) >= 0x20) {
		mmio_write32(io->registers + REG_EOI, low & 0xff);
		return;
	}
	write_register(io, IOAPIC_ENTRY(pin), (low | (u32)RTE_MASKED) & ~(u32)RTE_LEVEL);
	write_register(io, IOAPIC_ENTRY(pin), low | (u32)RTE_MASKED);
}

static void set_mask(u32 gsi, bool is_masked)
{
	const struct ioapic *io;
	unsigned long flags;
	u32 pin, low;

	io = find(gsi, &pin);
	if (!io) {
		return;
	}
	flags = spin_lock_irqsave(&lock);
	low = read_register(io, IOAPIC_ENTRY(pin));
	if (!is_masked) {
		end_level(io, pin, low);
	}
	low = is_masked ? low | (u32)RTE_MASKED : low & ~(u32)RTE_MASKED;
	write_register(io, IOAPIC_ENTRY(pin), low);
	spin_unlock_irqrestore(&lock, flags);
}

void ioapic_mask(u32 gsi)
{
	set_mask(gsi, true);
}

void ioapic_unmask(u32 gsi)
{
	set_mask(gsi, false);
}

unsigned int ioapic_count(void)
{
	return count;
}

unsigned int ioapic_pin_count(unsigned int index)
{
	return ioapics[index].pin_count;
}
