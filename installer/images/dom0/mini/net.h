/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mini guest's network: one card, one address, TCP port 7 sends back what comes. Each function
 * prints one line of what it found.
 */
#pragma once

#include <stdbool.h>

/* eth0 gets the address (of a /24); the echo server starts. */
void net_start(const char *address);

/* Ping until three answers came, 20 times at most. */
void net_reach(const char *address);

/* Send bytes (a multiple of 8192) to somebody's echo server and compare what comes back. */
void net_exchange(const char *address, unsigned long bytes);
