/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device of dom0 for real: QEMU's `edu` (docs/specs/edu.rst there), its registers, MSI, INTx
 * through the I/O APIC, and DMA through the IOMMU.
 */
#include "lib/pci.h"

#include <xen/memory.h>
#include <xen/physdev.h>

#define EDU_ID	    0x11e81234U
#define EDU_ALIVE   0x04
#define EDU_IRQ	    0x24
#define EDU_RAISE   0x60
#define EDU_ACK	    0x64
#define EDU_SRC	    0x80
#define EDU_DST	    0x88
#define EDU_COUNT   0x90
#define EDU_DMA	    0x98
#define EDU_BUFFER  0x40000UL
#define TO_DEVICE   1
#define FROM_DEVICE 3

#define MSI_VECTOR  0x70
#define INTX_VECTOR 0x80 /* and the pins above it */
#define IOAPIC	    0xfec00000UL

static unsigned devfn;
static uint64_t bar;
static unsigned msi;
static volatile unsigned msi_count, intx_count, intx_vector;
static uint8_t buffer[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static uint32_t edu_read(unsigned reg)
{
	return *(volatile uint32_t *)(bar + reg);
}

static void edu_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(bar + reg) = value;
}

static void on_msi(struct trap_frame *frame)
{
	(void)frame;
	edu_write(EDU_ACK, edu_read(EDU_IRQ));
	msi_count++;
	apic_eoi();
}

static void on_intx(struct trap_frame *frame)
{
	intx_vector = (unsigned)frame->vector;
	edu_write(EDU_ACK, edu_read(EDU_IRQ));
	intx_count++;
	apic_eoi();
}

static void msi_set(unsigned vector, bool is_on)
{
	uint16_t control = pci_read16(devfn, msi + 2);

	pci_write32(devfn, msi + 4, 0xfee00000); /* to the APIC with id 0 */
	if (control & 0x80) {
		pci_write32(devfn, msi + 8, 0);
		pci_write16(devfn, msi + 12, (uint16_t)vector);
	} else {
		pci_write16(devfn, msi + 8, (uint16_t)vector);
	}
	pci_write16(devfn, msi + 2, (control & ~0x71) | is_on);
}

TEST_DOM0(the_device_is_found)
{
	struct physdev_pci_device_add add = {0};

	apic_enable();
	devfn = pci_find(EDU_ID);
	if (devfn == PCI_NONE) {
		skip("QEMU has no edu device");
	}
	add.devfn = (uint8_t)devfn;
	EXPECT_EQ(hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_pci_device_add, &add), 0);
	msi = pci_capability(devfn, 5);
	EXPECT(msi != 0);
	EXPECT_EQ(pci_read16(devfn, 0), 0x1234);
}

TEST_DOM0(its_bar_can_be_sized)
{
	uint32_t before = pci_read32(devfn, 0x10);

	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) & ~2U));
	pci_write32(devfn, 0x10, 0xffffffff);
	EXPECT_EQ(pci_read32(devfn, 0x10) & ~0xfU, 0xfff00000);
	pci_write32(devfn, 0x10, before);
	EXPECT_EQ(pci_read32(devfn, 0x10), before);
	bar = before & ~0xfUL;
}

TEST_DOM0(its_registers_answer_when_decoding_is_on)
{
	pci_write16(devfn, 4, (uint16_t)((pci_read16(devfn, 4) | 6) & ~0x400U));
	EXPECT_EQ(edu_read(0), 0x010000ed);
	edu_write(EDU_ALIVE, 0x12345678);
	EXPECT_EQ(edu_read(EDU_ALIVE), ~0x12345678U);
}

TEST_DOM0(the_bar_can_be_moved)
{
	uint64_t before = bar;

	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) & ~2U));
	pci_write32(devfn, 0x10, 0xe0000000);
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) | 2));
	bar = 0xe0000000;
	edu_write(EDU_ALIVE, 0x5a5a);
	EXPECT_EQ(edu_read(EDU_ALIVE), ~0x5a5aU);
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) & ~2U));
	pci_write32(devfn, 0x10, (uint32_t)before);
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) | 2));
	bar = before;
	edu_write(EDU_ALIVE, 0xa5a5);
	EXPECT_EQ(edu_read(EDU_ALIVE), ~0xa5a5U);
}

TEST_DOM0(msi_arrives)
{
	trap_set_handler(MSI_VECTOR, on_msi);
	trap_set_handler(MSI_VECTOR + 1, on_msi);
	msi_set(MSI_VECTOR, true);
	for (unsigned i = 1; i <= 10; i++) {
		edu_write(EDU_RAISE, 1);
		if (!EXPECT(WAIT_FOR(msi_count == i, 500))) {
			break;
		}
	}
}

TEST_DOM0(msi_follows_a_new_vector)
{
	unsigned before = msi_count;

	msi_set(MSI_VECTOR, false);
	msi_set(MSI_VECTOR + 1, true);
	edu_write(EDU_RAISE, 2);
	EXPECT(WAIT_FOR(msi_count == before + 1, 500));
	EXPECT_EQ(edu_read(EDU_IRQ), 0);
}

TEST_DOM0(no_msi_when_it_is_off)
{
	unsigned before = msi_count;

	msi_set(MSI_VECTOR, false);
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) | 0x400)); /* nor INTx */
	edu_write(EDU_RAISE, 1);
	EXPECT(!WAIT_FOR(msi_count != before, 20));
	edu_write(EDU_ACK, 1);
}

static uint32_t ioapic_read(unsigned reg)
{
	*(volatile uint32_t *)IOAPIC = reg;
	return *(volatile uint32_t *)(IOAPIC + 0x10);
}

static void ioapic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)IOAPIC = reg;
	*(volatile uint32_t *)(IOAPIC + 0x10) = value;
}

TEST_DOM0(intx_arrives_through_the_ioapic_again_and_again)
{
	struct physdev_setup_gsi setup = {.triggering = 1, .polarity = 1};

	EXPECT_EQ(ioapic_read(1) >> 16 & 0xff, 23);
	for (unsigned pin = 16; pin < 24; pin++) {
		trap_set_handler(INTX_VECTOR + pin, on_intx);
		setup.gsi = (int)pin;
		hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, &setup);
		ioapic_write(0x11 + pin * 2, 0);
		ioapic_write(0x10 + pin * 2, 0x8000 | (INTX_VECTOR + pin)); /* level */
		EXPECT_EQ(ioapic_read(0x10 + pin * 2) & 0xffff, 0x8000 | (INTX_VECTOR + pin));
	}
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) & ~0x400U));
	for (unsigned i = 1; i <= 5; i++) {
		edu_write(EDU_RAISE, 1);
		if (!EXPECT(WAIT_FOR(intx_count == i, 500))) {
			break;
		}
	}
	EXPECT(intx_vector >= INTX_VECTOR + 16 && intx_vector < INTX_VECTOR + 24);
	for (unsigned pin = 16; pin < 24; pin++) {
		ioapic_write(0x10 + pin * 2, 0x10000);
	}
}

TEST_DOM0(a_masked_pin_is_silent)
{
	unsigned before = intx_count;

	edu_write(EDU_RAISE, 1);
	EXPECT(!WAIT_FOR(intx_count != before, 20));
	edu_write(EDU_ACK, 1);
	pci_write16(devfn, 4, (uint16_t)(pci_read16(devfn, 4) | 0x400));
}

static void dma(uint64_t from, uint64_t to, uint32_t count, uint32_t command)
{
	*(volatile uint64_t *)(bar + EDU_SRC) = from;
	*(volatile uint64_t *)(bar + EDU_DST) = to;
	*(volatile uint64_t *)(bar + EDU_COUNT) = count;
	*(volatile uint64_t *)(bar + EDU_DMA) = command;
	for (unsigned i = 0; i < 100 && *(volatile uint64_t *)(bar + EDU_DMA) & 1; i++) {
		delay_us(20000);
	}
}

TEST_DOM0(dma_reads_and_writes_our_memory)
{
	for (unsigned i = 0; i < 256; i++) {
		buffer[i] = (uint8_t)(i ^ 0x33);
	}
	dma((uint64_t)buffer, EDU_BUFFER, 256, TO_DEVICE);
	dma(EDU_BUFFER, (uint64_t)buffer + 1024, 256, FROM_DEVICE);
	EXPECT_EQ(memcmp(buffer, buffer + 1024, 256), 0);
}

/* What is not ours is not reached: the transfer is dropped, the machine goes on. */
TEST_DOM0(dma_to_a_page_that_was_given_back_is_dropped)
{
	uint64_t frame = (uint64_t)buffer / PAGE_SIZE;
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, &frame);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 1);
	dma(EDU_BUFFER, (uint64_t)buffer, 256, FROM_DEVICE);
	frame = (uint64_t)buffer / PAGE_SIZE;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r), 1);
	edu_write(EDU_ALIVE, 1);
	EXPECT_EQ(edu_read(EDU_ALIVE), ~1U);
	/* And the page that is there now is reached again. */
	memset(buffer, 0, 256);
	dma(EDU_BUFFER, (uint64_t)buffer, 256, FROM_DEVICE);
	EXPECT_EQ(buffer[1], 1 ^ 0x33);
}
