/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports and device memory.
 */
#pragma once

#include "hv/types.h"

static inline u8 port_in8(u16 port)
{
	u8 x;
	__asm__ volatile("inb %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}
static inline u16 port_in16(u16 port)
{
	u16 x;
	__asm__ volatile("inw %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}
static inline u32 port_in32(u16 port)
{
	u32 x;
	__asm__ volatile("inl %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}
static inline void port_out8(u16 port, u8 x)
{
	__asm__ volatile("outb %0, %1" : : "a"(x), "Nd"(port));
}
static inline void port_out16(u16 port, u16 x)
{
	__asm__ volatile("outw %0, %1" : : "a"(x), "Nd"(port));
}
static inline void port_out32(u16 port, u32 x)
{
	__asm__ volatile("outl %0, %1" : : "a"(x), "Nd"(port));
}

/* Through a mapping of arch_mmio_map(); exactly one access of that size. */
static inline u8 mmio_read8(const void *p)
{
	u8 x;
	__asm__ volatile("movb %1, %0" : "=q"(x) : "m"(*(const volatile u8 *)p) : "memory");
	return x;
}
static inline u16 mmio_read16(const void *p)
{
	u16 x;
	__asm__ volatile("movw %1, %0" : "=r"(x) : "m"(*(const volatile u16 *)p) : "memory");
	return x;
}
static inline u32 mmio_read32(const void *p)
{
	u32 x;
	__asm__ volatile("movl %1, %0" : "=r"(x) : "m"(*(const volatile u32 *)p) : "memory");
	return x;
}
static inline u64 mmio_read64(const void *p)
{
	u64 x;
	__asm__ volatile("movq %1, %0" : "=r"(x) : "m"(*(const volatile u64 *)p) : "memory");
	return x;
}
static inline void mmio_write8(void *p, u8 x)
{
	__asm__ volatile("movb %1, %0" : "=m"(*(volatile u8 *)p) : "q"(x) : "memory");
}
static inline void mmio_write16(void *p, u16 x)
{
	__asm__ volatile("movw %1, %0" : "=m"(*(volatile u16 *)p) : "r"(x) : "memory");
}
static inline void mmio_write32(void *p, u32 x)
{
	__asm__ volatile("movl %1, %0" : "=m"(*(volatile u32 *)p) : "r"(x) : "memory");
}
static inline void mmio_write64(void *p, u64 x)
{
	__asm__ volatile("movq %1, %0" : "=m"(*(volatile u64 *)p) : "r"(x) : "memory");
}

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
