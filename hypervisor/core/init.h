/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The row type of the start table (boot/main.c).
 */
#pragma once

struct init_step {
	const char *name;
	void (*run)(void); /* does it, or ends in boot_refuse() with a sentence */
	const char *needs; /* for the reader: what must have run before */
};
