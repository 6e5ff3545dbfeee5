/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the initrd whole? Its contents are the kernel's to judge; what is looked for here is a file that
 * was cut, because a kernel says of that only that it finds no root.
 *
 * An initrd is any number of cpio archives one after the other, each plain or compressed. Whole is
 * what has, by its own sizes, its end in the file: cpio (new ASCII format), xz (file format 1.1), zstd
 * (RFC 8878), LZ4 (legacy frames), and gzip (RFC 1952) by decoding it. The others that Linux knows
 * (bzip2, LZMA alone, LZO), and what is no archive at all, are passed on unseen. No contents are checked.
 * Pure; the file is hostile.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

/* scratch: DECOMPRESS_SCRATCH_SIZE bytes. -EINVAL: it ends too early, *why is a sentence. */
int initrd_check(const u8 *bytes, size_t size_bytes, void *scratch, const char **why) MUST_CHECK;
