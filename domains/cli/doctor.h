/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion doctor: what is wrong with this machine or its configuration, and what to do.
 */
#pragma once

#include <stdbool.h>

/* Prints one line for each question; the exit status: 0 all is well, 1 something is not. */
int doctor_run(bool is_session, bool is_json);
