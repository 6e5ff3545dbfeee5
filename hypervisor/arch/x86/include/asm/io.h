/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports and device memory.
 */
#pragma once

#include "hv/types.h"

#define PORT_ACCESS(bits, suffix)                                                \
	static inline u##bits port_in##bits(u16 port)                            \
	{                                                                        \
		u##bits x;                                                       \
		__asm__ volatile("in" suffix " %1, %0" : "=a"(x) : "Nd"(port));  \
		return x;                                                        \
	}                                                                        \
	static inline void port_out##bits(u16 port, u##bits x)                   \
	{                                                                        \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(x), "Nd"(port)); \
	}
PORT_ACCESS(8, "b")
PORT_ACCESS(16, "w")
PORT_ACCESS(32, "l")

/* Through a mapping of arch_mmio_map(); exactly one access of that size. */
#define MMIO_ACCESS(bits, suffix)                                    \
	static inline u##bits mmio_read##bits(const void *p)         \
	{                                                            \
		u##bits x;                                           \
		__asm__ volatile("mov" suffix " %1, %0"              \
				 : "=q"(x)                           \
				 : "m"(*(const volatile u##bits *)p) \
				 : "memory");                        \
		return x;                                            \
	}                                                            \
	static inline void mmio_write##bits(void *p, u##bits x)      \
	{                                                            \
		__asm__ volatile("mov" suffix " %1, %0"              \
				 : "=m"(*(volatile u##bits *)p)      \
				 : "q"(x)                            \
				 : "memory");                        \
	}
MMIO_ACCESS(8, "b")
MMIO_ACCESS(16, "w")
MMIO_ACCESS(32, "l")
MMIO_ACCESS(64, "q")

/* The size decided when running: 1, 2 or 4. */
static inline u32 port_in(u16 port, unsigned int size_bytes)
{
	return size_bytes == 1	 ? port_in8(port)
	       : size_bytes == 2 ? port_in16(port)
				 : port_in32(port);
}
static inline void port_out(u16 port, unsigned int size_bytes, u32 x)
{
	if (size_bytes == 1) {
		port_out8(port, (u8)x);
	} else if (size_bytes == 2) {
		port_out16(port, (u16)x);
	} else {
		port_out32(port, x);
	}
}
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
