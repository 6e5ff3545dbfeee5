/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that the guest asks for. Each is decided by the policy process (or a program in its
 * place), then a process of its own brings the two ends together (connect.c).
 */
#pragma once

#include "qrexec/daemon.h"

void calls_start(const struct qrexec_trigger *t);
/* The policy said something. */
void calls_answer(struct source *s);
/* A connector got as far as the agent: the call is no longer undecided. */
void calls_connected(const char *ident);
/* A process ended that may be one of a call. */
void calls_child_ended(pid_t pid, int status);
unsigned int calls_count(void);
void calls_end_all(void);
