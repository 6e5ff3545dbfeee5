/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which vector means what on this machine. 0x30-0xef are given out by core/irq.c.
 */
#pragma once

#define VECTOR_FIRST_IRQ   0x20
#define VECTOR_FIRST_ALLOC 0x30
#define VECTOR_LAST_ALLOC  0xef
#define VECTOR_TIMER	   0xf8
#define VECTOR_IPI_KICK	   0xfa
#define VECTOR_IPI_CALL	   0xfb
#define VECTOR_ERROR	   0xfe
#define VECTOR_SPURIOUS	   0xff
