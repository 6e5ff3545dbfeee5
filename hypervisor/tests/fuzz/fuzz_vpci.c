/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input is a list of accesses to configuration space and to the pages around an MSI-X table:
 * kind and size, function, offset, value. Whatever a domain writes, nothing that is not
 * device memory gets mapped or reached through a window, and nothing stays bound at the end.
 */
#include "arch/unit/unit.h"
#include "base/wire.h"
#include "core/rcu.h"
#include "tests/unit/fake_pci.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

static void step(struct domain *d, struct wire *in)
{
	static const unsigned int sizes[] = {1, 2, 4, 8};
	u8 kind = wire_u8(in);
	u8 devfn = (u8)(wire_u8(in) % 4 << 3);
	u16 offset = wire_u16le(in) & 0xfff;
	u32 value = wire_u32le(in);
	u64 address = (u64)(value & 0xff) << 32 | (value & 0xffffff00) | (offset & 0xfff),
	    result = 0;

	switch (kind & 3) {
	case 0:
		vpci_read(d, 0, 0, devfn, offset & 0xff, sizes[kind >> 2 & 3]);
		break;
	case 1:
		vpci_write(d, 0, 0, devfn, offset & 0xff, sizes[kind >> 2 & 3], value);
		break;
	case 2:
		if (kind & 0x80) {
			address = FAKE_BAR_HIGH + (offset & 0xfff);
		}
		vpci_memory_read(d, gpa_of(address), sizes[kind >> 2 & 3], &result);
		break;
	default:
		if (kind & 0x80) {
			address = FAKE_BAR_HIGH + (offset & 0xfff);
		}
		vpci_memory_write(d, gpa_of(address), sizes[kind >> 2 & 3], value);
		break;
	}
	/* the second function's BAR, where the device decodes it now */
	fake_bar2 = 0;
	if (fake_devices[1].config[PCI_COMMAND] & PCI_COMMAND_MEMORY) {
		memcpy(&fake_bar2, fake_devices[1].config + 0x18, 8);
		fake_bar2 &= ~0xfull;
	}
	if (kind & 0x40) {
		if (kind & 0x20) {
			(void)!vpci_device_remove(d, 0, 0, devfn);
		} else {
			(void)!vpci_device_add(d, 0, 0, devfn);
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	static struct domain d;
	struct wire in = wire_of(data, size_bytes);
	unsigned int i, steps = 0;
	static bool is_started;

	if (!is_started) {
		unit_reset(1); /* slow; every input gives back all that it took */
		is_started = true;
	}
	fake_pci_reset();
	memset(&d, 0, sizeof(d));
	d.is_hardware = true;
	if (vpci_service.init(&d, NULL) || vpci_give_all(&d)) {
		__builtin_trap();
	}
	while (wire_left(&in) && steps++ < 200) {
		step(&d, &in);
	}
	for (i = 0; i < fake_page_count; i++) {
		u64 at = fake_pages[i].mfn;

		if (at < UNIT_FRAME_FIRST + UNIT_FRAME_COUNT &&
		    at + (1ull << fake_pages[i].order) > UNIT_FRAME_FIRST) {
			__builtin_trap();
		}
	}
	vpci_service.fini(&d);
	rcu_barrier_poll();
	rcu_barrier_poll();
	if (fake_bound || unit_heap_in_use()) {
		__builtin_trap();
	}
	return 0;
}
