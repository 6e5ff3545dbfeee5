/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's CPU state as records (<xen/hvm/save.h>): what the domain builder reads and
 * writes, and what save and restore carry. The domain is paused.
 */
#pragma once

#include "domain/domain.h"
#include "hv/error.h"
#include "hv/types.h"

u32 hvm_save_size(const struct domain *d);
/* Writes all records. -ENOSPC: size_bytes is too small. */
int hvm_save(struct domain *d, u8 *to, u32 size_bytes, u32 *written) MUST_CHECK;
/*
 * Reads records: all vCPUs go down, those with a CPU record come up. -EINVAL: not well
 * formed, or a state that no CPU can be in; vCPUs with records before it are loaded then.
 */
int hvm_load(struct domain *d, const u8 *from, u32 size_bytes) MUST_CHECK;
