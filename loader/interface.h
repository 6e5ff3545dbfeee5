/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor and the dom0 loader agree on.
 *
 * The hypervisor puts the loader's image to a multiple of LOADER_ALIGN in the first domain's memory and
 * enters its first byte in the state of a PVH entry (<xen/arch-x86/hvm/start_info.h>). EBX points to the
 * start information at LOADER_INFO_AT of the same block. Its first module is the kernel as the boot loader
 * loaded it, the second, if any, the initrd. All of it lies in RAM between 1 MiB and 4 GiB, nothing of it
 * overlaps, and the block is RAM like any other once the kernel runs.
 *
 * The loader enters the kernel in the same state, with the start information behind the kernel and the
 * first module taken off its list.
 */
#pragma once

#define LOADER_ALIGN	0x200000
#define LOADER_BYTES	0x80000 /* image, its zeroed data, scratch memory, start information */
#define LOADER_INFO_AT	0x7e000
#define LOADER_INFO_BYTES 0x2000 /* and everything it points to but files and firmware tables */
#define LOADER_SCRATCH	0x50000 /* from here to LOADER_INFO_AT: not part of the image */
#define LOADER_VIRTUAL	0xffffffff80000000 /* what it is linked to */

/*
 * A hypercall of its own (an architecture's number, __HYPERVISOR_arch_7). It is there until
 * LOADER_STARTS, then the number answers -ENOSYS as before: no kernel ever sees it.
 *
 *   LOADER_STARTS entry        the kernel is in place and is entered next
 *   LOADER_FAILS what at size  it cannot be: size bytes of text at a linear address say why. The rest
 *                              of the sentence, what to do, is the hypervisor's. Does not return.
 */
#define LOADER_HYPERCALL     55
#define LOADER_STARTS	     0
#define LOADER_FAILS	     1
#define LOADER_TEXT_MAX	     240
#define LOADER_BAD_KERNEL    0
#define LOADER_BAD_INITRD    1
#define LOADER_SHORT_OF_RAM  2
#define LOADER_FAILURE_COUNT 3
