/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that the assembly and the C of the guest tests share. */
#pragma once

#define SEL_CODE32    0x08
#define SEL_CODE64    0x10
#define SEL_DATA      0x18
#define STACK_SIZE    0x4000
#define AP_TRAMPOLINE 0x8000
