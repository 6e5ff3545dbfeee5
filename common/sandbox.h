/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Take away from this process what it does not need: system calls (seccomp) and files (Landlock).
 *
 * One call, after everything that needs rights was opened; it cannot be undone and is inherited.
 * A system call that is not listed fails with EPERM. Each role's list stands where it is used,
 * with one line for each group that says why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A folder or file that stays reachable. */
struct sandbox_path {
	const char *path; /* missing ones are skipped; NULL ends the list */
	bool is_writable;
};

/*
 * syscalls: names, NULL at the end; the ones that every C program needs to go on and to end are
 * included (memory, time, signals, exit, read, write, close, poll). paths: what Landlock leaves;
 * NULL: no file at all. Returns 0, or -errno: a kernel without Landlock is not an error (seccomp
 * stays), a seccomp filter that cannot be loaded is, and the caller must not go on.
 */
int sandbox_enter(const char *const *syscalls, const struct sandbox_path *paths);

/*
 * The two halves, for programs that open things in between. Files first: Landlock holds for the
 * calling thread and those that it starts, so call it before there are others. The filter of
 * system calls is put on all threads. Results as above.
 */
int sandbox_files(const struct sandbox_path *paths);
int sandbox_calls(const char *const *syscalls);
