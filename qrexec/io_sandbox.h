/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox of a process that moves one call's data: it reads what another domain sends.
 *
 * Entered after the program was started and all descriptors are open.
 */
#pragma once

/* Ends the process when the sandbox cannot be entered: the data must not be read outside it. */
void call_sandbox(void);
