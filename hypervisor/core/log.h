/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's messages: a ring that dom0 reads (sysctl readconsole), copied to the
 * serial port and the VGA text screen. Any context. Lock: LOCK_CONSOLE, innermost.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct domain;

void log_print(enum log_level level, const char *fmt, ...) FORMAT_PRINTF(2, 3);
#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/* For what a guest can cause: at most a few a second for each domain, with its id in front. */
void log_guest(const struct domain *d, const char *fmt, ...) FORMAT_PRINTF(2, 3);

/* Messages above this level are dropped; LOG_INFO at start. */
void log_set_level(enum log_level level);

/* Copies ring text from absolute index *position on; see XEN_SYSCTL_readconsole. */
size_t log_ring_read(char *to, size_t capacity, u32 *position, bool is_clearing);
