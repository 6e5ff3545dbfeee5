/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that a guest wants to be shown: titles and class names.
 *
 * What comes out is one line, valid UTF-8, without control characters and without
 * anything that changes the direction or the visibility of its neighbours, so
 * that a guest cannot imitate the frame, the name of another domain, or hide a
 * part of its own. By default only printable ASCII is left. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Each byte (or, with is_utf8_allowed, character) that may not be shown becomes '_'. */
void title_sanitise(const char *from, bool is_utf8_allowed, char *out, size_t out_size);
