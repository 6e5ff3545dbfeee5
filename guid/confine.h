/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this process may still do when it reads a guest's bytes.
 *
 * confine_files() before GTK starts (and starts threads), confine_calls() when the vchan is
 * connected and before its first byte is read. After that there are no new sockets, no
 * programs, no files but those that drawing reads; display, vchan and shared pages go on
 * through descriptors that are open. An agent that leaves therefore ends the process, and
 * its parent (main.c), which never reads a guest's byte, starts the next one.
 */
#pragma once

#include <stdbool.h>

/* 0 or -errno. is_gpu_used: graphics drivers stay reachable. */
int confine_files(bool is_gpu_used);
int confine_calls(void);
