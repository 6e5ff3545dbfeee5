/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: devices that text goes to, and input that goes to dom0 or to the debug keys.
 *
 * Three times Ctrl-A switches the input between the two. Input for dom0 waits in a small ring
 * until console_input_read(); the notify hook (VIRQ_CONSOLE) is called when it grows.
 * Lock: LOCK_CONSOLE, interrupts off.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

struct console_device {
	const char *name;	/* as in console=NAME */
	bool (*setup)(const char *options); /* false: not there */
	void (*write)(const char *text, size_t length);
	struct console_device *next; /* of those in use */
};

/* Start: takes the devices that "console=" names, in its order. */
void console_setup(const char *names, struct console_device *const devices[]);
/* Text of dom0 (console_io): to the devices, not into the ring. Any length, any bytes. */
void console_write_guest(const char *text, size_t length);
/* Up to capacity bytes that were typed for dom0; 0 when there are none. */
size_t console_input_read(char *to, size_t capacity);
/* Called, with interrupts off, when there is new input for dom0. */
void console_set_input_notify(void (*notify)(void));
/* From a device's interrupt handler or poll. */
void console_input(char c);
/* While the machine goes down: no locks are taken any more. */
void console_enter_panic(void);
/* Bare output for core/log.c, LOCK_CONSOLE held. */
void console_write_locked(const char *text, size_t length);
