/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof that memory of guests is in no mapping of the hypervisor outside the windows: a
 * walk of every CPU's page tables against the frame table, while guests run.
 */
#pragma once

/* selftest=secret-free: the walk is repeated every second from now on, each result in the log. */
void secret_free_start(void);
/* Once, now. */
void secret_free_check(void);
