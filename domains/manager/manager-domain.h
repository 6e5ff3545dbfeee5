/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One domain as mulliond describes it: an object for lists, no widgets and no bus.
 */
#pragma once

#include <glib-object.h>

#define MANAGER_TYPE_DOMAIN (manager_domain_get_type())
G_DECLARE_FINAL_TYPE(ManagerDomain, manager_domain, MANAGER, DOMAIN, GObject)

/* description: a{sv} of org.mullion.Domains1; what it lacks counts as empty. */
ManagerDomain *manager_domain_new(GVariant *description);

const char *manager_domain_get_name(ManagerDomain *self);
const char *manager_domain_get_label(ManagerDomain *self);
const char *manager_domain_get_state(ManagerDomain *self); /* stopped starting running stopping */
const char *manager_domain_get_kind(ManagerDomain *self);
const char *manager_domain_get_template(ManagerDomain *self);
const char *manager_domain_get_network(ManagerDomain *self);
/* Why it does not run, or empty. */
const char *manager_domain_get_error(ManagerDomain *self);
guint64 manager_domain_get_memory_mib(ManagerDomain *self);
guint manager_domain_get_vcpus(ManagerDomain *self);
gboolean manager_domain_is_disposable(ManagerDomain *self);
gboolean manager_domain_is_running(ManagerDomain *self);
/* A change of state is under way. */
gboolean manager_domain_is_busy(ManagerDomain *self);
