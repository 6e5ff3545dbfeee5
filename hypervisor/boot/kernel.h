/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a module to a kernel that can be loaded: bzImage or ELF, compressed or not.
 */
#pragma once

#include "arch/contract/dom0.h"
#include "boot/modules.h"

/* Maps and unpacks m; out points into mapped memory until modules_release(). boot_refuse() if not. */
void kernel_open(const struct boot_module *m, struct kernel_image *out);
