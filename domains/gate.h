/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where qrexec asks for a domain: a socket of root's, one line in, one line out.
 *
 *     NAME             start it, if it does not run
 *     @dispvm:BASE     a new disposable made from BASE
 *  -> ok NAME          it runs (its agent may still be on the way)
 *  -> error SENTENCE
 *
 * /usr/lib/mullion/start-domain is the other end. Not D-Bus, because this lies on the way from a
 * double click to the first pixel: the asking program is up and done within milliseconds.
 */
#pragma once

#include <gio/gio.h>

#include "domains/control.h"

#define GATE_PATH "/run/mullion/start.sock"

struct gate;

struct gate *gate_new(const char *path, struct control *control, GError **error);
/* Requests under way get no answer. */
void gate_free(struct gate *gate);
