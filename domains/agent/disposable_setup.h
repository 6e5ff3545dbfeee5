/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a disposable's programs find: file systems, device files, folders, the network of itself.
 */
#pragma once

#include <pwd.h>

#define DISPOSABLE_RUN "/run/user/1000" /* XDG_RUNTIME_DIR of the template's user */

/* What the agents need to start. 0, or -1 with a message. */
int disposable_setup(const struct passwd *user);

/* The rest, while they start. What fails here is said and done without. */
void disposable_setup_later(const struct passwd *user);
