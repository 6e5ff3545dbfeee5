/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dom0's other daemons learn of domains: one file for policy, one file and one qrexec daemon
 * for each running domain.
 *
 *     FOLDER/domains          all domains, as qrexec/domain_list.h wants them
 *     FOLDER/qrexec/NAME      environment of qrexec-daemon@NAME.service
 *     FOLDER/disposables/NAME the domain that a disposable was made from, for a restarted daemon
 *
 * The units are systemd's, so they outlive a crash of ours. From the main thread only. What fails
 * is logged: a domain without calls is still a domain.
 */
#pragma once

#include <gio/gio.h>

#include "domains/control.h"

struct announce;

/* folder: /run/mullion; made if it is not there. system_bus NULL: files only. */
struct announce *announce_new(const char *folder, GDBusConnection *system_bus, GError **error);
void announce_free(struct announce *a);

/* Any change of a domain, or of its description. */
void announce_list(struct announce *a, const struct control *control);
void announce_started(struct announce *a, const struct control_status *status);
void announce_ended(struct announce *a, const struct control_status *status);
