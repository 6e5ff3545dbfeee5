/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels with a PVH entry: which bytes go to which physical addresses, and where to start.
 * ELF 1.2 and the ELF-64 object file format; the note is <xen/elfnote.h>. Pure: the same code in
 * the hypervisor, in tests and in the fuzzer. The file is hostile; what passed is safe to load.
 */
#pragma once

#include "arch/contract/dom0.h"
#include "hv/compiler.h"
#include "hv/types.h"

/* -EINVAL: not an ELF kernel for this machine, broken, or without a PVH entry; *why is a sentence. */
int elf_parse(const u8 *bytes, size_t size_bytes, struct kernel_image *out, const char **why) MUST_CHECK;
