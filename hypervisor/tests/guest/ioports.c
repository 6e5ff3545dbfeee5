/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O ports: devices of dom0 directly, the hypervisor's own not at all, PCI configuration. */
#include "lib/guest.h"

TEST_DOM0(a_serial_port_of_dom0_answers)
{
	outb(0x2ff, 0xa5);
	EXPECT_EQ(inb(0x2ff), 0xa5);
	outb(0x2ff, 0x5a);
	EXPECT_EQ(inb(0x2ff), 0x5a);
}

TEST(the_interrupt_controllers_do_not)
{
	outb(0x21, 0x5a);
	EXPECT_EQ(inb(0x21), 0xff);
	outb(0xa1, 0x5a);
	EXPECT_EQ(inb(0xa1), 0xff);
	EXPECT_EQ(inb(0x20), 0xff);
}

TEST(the_timer_does_not)
{
	uint8_t counter;

	outb(0x43, 0x34);
	EXPECT_EQ(inb(0x40), 0xff);
	EXPECT_EQ(inb(0x41), 0xff);
	counter = inb(0x42);
	EXPECT(counter == 0xff || counter == 0); /* Mullion's is 0, docs/abi.md */
	EXPECT_EQ(inb(0x42), counter);
}

TEST(the_hypervisors_serial_port_does_not)
{
	uint8_t before = inb(0x3ff);

	outb(0x3ff, 0x3c);
	EXPECT(inb(0x3ff) == 0xff || inb(0x3ff) == before);
}

TEST(ports_without_a_device_read_as_ones)
{
	EXPECT_EQ(inb(0x7777), 0xff);
	EXPECT_EQ(inw(0x7778), 0xffff);
	EXPECT_EQ(inl(0x777c), 0xffffffff);
}

TEST_DOM0(pci_configuration_by_ports)
{
	outl(0xcf8, 0x80000000);
	EXPECT_EQ(inl(0xcf8), 0x80000000);
	EXPECT_EQ(inl(0xcfc), 0x29c08086); /* q35's host bridge */
	EXPECT_EQ(inw(0xcfc), 0x8086);
	EXPECT_EQ(inw(0xcfe), 0x29c0);
	EXPECT_EQ(inb(0xcfd), 0x80);
	outl(0xcf8, 0x8000f800 | 31 << 11);
	EXPECT_EQ(inw(0xcfc), 0x8086); /* the ISA bridge, 00:1f.0 */
	outl(0xcf8, 0x80000000 | 29 << 11);
	EXPECT_EQ(inl(0xcfc), 0xffffffff); /* nothing there */
	outl(0xcf8, 0);
	EXPECT_EQ(inl(0xcfc), 0xffffffff); /* enable bit clear */
}

TEST(string_output_works)
{
	static const char text[] = "string output\n";
	const char *at = text;
	unsigned long count = sizeof(text) - 1;

	__asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(0x2f8) : "memory");
	EXPECT_EQ(count, 0);
	EXPECT(at == text + sizeof(text) - 1);
}

TEST_DOM0(string_input_works)
{
	static uint8_t buffer[8];
	void *at = buffer;
	unsigned long count = 4;

	outb(0x2ff, 0x77);
	__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(0x2ff) : "memory");
	EXPECT_EQ(count, 0);
	EXPECT_EQ(buffer[0], 0x77);
	EXPECT_EQ(buffer[3], 0x77);
	EXPECT_EQ(buffer[4], 0);
}

TEST(string_input_from_a_refused_port)
{
	static uint8_t buffer[8];
	void *at = buffer;
	unsigned long count = 4;

	__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(0x21) : "memory");
	EXPECT_EQ(count, 0);
	EXPECT_EQ(buffer[0], 0xff);
	EXPECT_EQ(buffer[3], 0xff);
	EXPECT_EQ(buffer[4], 0);
}

TEST_DOM0(the_clock_chip_answers)
{
	outb(0x70, 0x0d);
	EXPECT_EQ(inb(0x71) & 0x80, 0x80); /* register D: battery good */
}
