/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest answers, read and parsed by a process of its own.
 *
 * qrexec-client makes the call; a child without files and with few system calls reads and decodes
 * its output, and hands over structs of a fixed size, which are checked once more here. So the
 * process that writes dom0's files never sees a byte of a guest's that was not checked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "desktop-files/entry.h"
#include "desktop-files/icon.h"

/* The domain's programs, sorted; false with a message on standard error. */
bool guest_entries(const char *domain, struct entry_list *out);

/* The picture of this name in the label's shades; false: the domain has none that can be used. */
bool guest_icon(const char *domain, const char *name, uint32_t rgb, uint8_t out[ICON_BYTES]);
