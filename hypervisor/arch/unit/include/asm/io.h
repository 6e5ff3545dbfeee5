/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports and device memory for tests: ports go to two hooks, device memory is memory.
 */
#pragma once

#include "hv/types.h"

/* Set by a test; without them ports read as all ones and writes are lost. */
extern u32 (*unit_port_read)(u16 port, unsigned int size_bytes);
extern void (*unit_port_write)(u16 port, unsigned int size_bytes, u32 value);

static inline u32 port_in(u16 port, unsigned int size_bytes)
{
	return unit_port_read ? unit_port_read(port, size_bytes) : ~0u;
}
static inline void port_out(u16 port, unsigned int size_bytes, u32 value)
{
	if (unit_port_write) {
		unit_port_write(port, size_bytes, value);
	}
}
static inline u8 port_in8(u16 port)
{
	return (u8)port_in(port, 1);
}
static inline u16 port_in16(u16 port)
{
	return (u16)port_in(port, 2);
}
static inline u32 port_in32(u16 port)
{
	return port_in(port, 4);
}
static inline void port_out8(u16 port, u8 x)
{
	port_out(port, 1, x);
}
static inline void port_out16(u16 port, u16 x)
{
	port_out(port, 2, x);
}
static inline void port_out32(u16 port, u32 x)
{
	port_out(port, 4, x);
}

/* Set by a test that plays a device: after a write to its registers, wherever they were mapped. */
extern void (*unit_mmio_written)(void *p, unsigned int size_bytes);

#define UNIT_MMIO(bits)                                                                            \
	static inline u##bits mmio_read##bits(const void *p)                                       \
	{                                                                                          \
		return *(const volatile u##bits *)p;                                               \
	}                                                                                          \
	static inline void mmio_write##bits(void *p, u##bits x)                                    \
	{                                                                                          \
		*(volatile u##bits *)p = x;                                                        \
		if (unit_mmio_written) {                                                           \
			unit_mmio_written(p, bits / 8);                                            \
		}                                                                                  \
	}
UNIT_MMIO(8)
UNIT_MMIO(16)
UNIT_MMIO(32)
UNIT_MMIO(64)
static inline u32 mmio_read(const void *p, unsigned int size_bytes)
{
	return size_bytes == 1 ? mmio_read8(p) : size_bytes == 2 ? mmio_read16(p) : mmio_read32(p);
}
static inline void mmio_write(void *p, unsigned int size_bytes, u32 x)
{
	if (size_bytes == 1) {
		mmio_write8(p, (u8)x);
	} else if (size_bytes == 2) {
		mmio_write16(p, (u16)x);
	} else {
		mmio_write32(p, x);
	}
}
