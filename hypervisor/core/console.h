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
	const char *name;    /* as in console=NAME */
	const char *options; /* of the command line, e.g. com1=9600; may be NULL */
	bool (*setup)(const char *options); /* false: not there */
	void (*write)(const char *text, size_t length);
	struct console_device *next; /* of those in use */
};

/*
 * Start: opens the devices of the NULL-terminated list whose names stand in names
 * ("com1,vga"). What was logged before is written to them first. False: none is in the list
 * or answers.
 */
bool console_setup(const char *names, struct console_device *const devices[]);
/* Stops writing to a device (the screen, when dom0 takes it). */
void console_drop(struct console_device *device);
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
/* For core/log.c. The lock is not taken any more once console_enter_panic() was called. */
unsigned long console_lock(void);
void console_unlock(unsigned long flags);
void console_write_locked(const char *text, size_t length);
