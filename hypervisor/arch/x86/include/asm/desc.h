/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments, gates and the TSS of the hypervisor itself. SDM 3 chapters 3, 6.14, 7.7.
 */
#pragma once

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS	 0x18 /* two entries */
#define GDT_SIZE 0x28

#define IST_NONE 0
#define IST_DF	 1
#define IST_NMI	 2
#define IST_MC	 3

#ifndef __ASSEMBLER__
#include "hv/compiler.h"
#include "hv/types.h"

struct PACKED descriptor_pointer {
	u16 limit;
	u64 base;
};

struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type; /* 0x8e: present interrupt gate, ring 0 */
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};

struct PACKED tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7]; /* IST_x is ist[x - 1] */
	u64 reserved2;
	u16 reserved3;
	u16 io_map_base;
};
_Static_assert(sizeof(struct tss) == 104, "SDM 3 figure 7-11");
_Static_assert(sizeof(struct idt_gate) == 16, "SDM 3 figure 6-8");

/*
 * Puts this CPU's own GDT, TSS, IDT registers back (after code that let a guest's TR or
 * GDTR stay loaded). Interrupts off.
 */
void desc_load_this_cpu(void);
#endif
