/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/manager/manager-domain.h"

#include <string.h>

struct _ManagerDomain {
	GObject parent_instance;
	char *name, *label, *state, *kind, *template, *network, *error;
	guint64 memory_mib;
	guint vcpus;
	gboolean is_disposable;
};

G_DEFINE_FINAL_TYPE(ManagerDomain, manager_domain, G_TYPE_OBJECT)

static void manager_domain_finalize(GObject *object)
{
	ManagerDomain *self = MANAGER_DOMAIN(object);

	g_free(self->name);
	g_free(self->label);
	g_free(self->state);
	g_free(self->kind);
	g_free(self->template);
	g_free(self->network);
	g_free(self->error);
	G_OBJECT_CLASS(manager_domain_parent_class)->finalize(object);
}

static void manager_domain_class_init(ManagerDomainClass *class)
{
	G_OBJECT_CLASS(class)->finalize = manager_domain_finalize;
}

static void manager_domain_init(ManagerDomain *self)
{
}

static char *text_of(GVariant *description, const char *key)
{
	char *text;

	return g_variant_lookup(description, key, "s", &text) ? text : g_strdup("");
}

ManagerDomain *manager_domain_new(GVariant *description)
{
	ManagerDomain *self = g_object_new(MANAGER_TYPE_DOMAIN, NULL);

	self->name = text_of(description, "name");
	self->label = text_of(description, "label");
	self->state = text_of(description, "state");
	self->kind = text_of(description, "kind");
	self->template = text_of(description, "template");
	self->network = text_of(description, "network");
	self->error = text_of(description, "error");
	g_variant_lookup(description, "memory-mib", "t", &self->memory_mib);
	g_variant_lookup(description, "vcpus", "u", &self->vcpus);
	g_variant_lookup(description, "disposable", "b", &self->is_disposable);
	return self;
}

const char *manager_domain_get_name(ManagerDomain *self)
{
	return self->name;
}

const char *manager_domain_get_label(ManagerDomain *self)
{
	return self->label;
}

const char *manager_domain_get_state(ManagerDomain *self)
{
	return self->state;
}

const char *manager_domain_get_kind(ManagerDomain *self)
{
	return self->is_disposable ? "disposable" : self->kind;
}

const char *manager_domain_get_template(ManagerDomain *self)
{
	return self->template;
}

const char *manager_domain_get_network(ManagerDomain *self)
{
	return self->network;
}

const char *manager_domain_get_error(ManagerDomain *self)
{
	return self->error;
}

guint64 manager_domain_get_memory_mib(ManagerDomain *self)
{
	return self->memory_mib;
}

guint manager_domain_get_vcpus(ManagerDomain *self)
{
	return self->vcpus;
}

gboolean manager_domain_is_disposable(ManagerDomain *self)
{
	return self->is_disposable;
}

gboolean manager_domain_is_running(ManagerDomain *self)
{
	return strcmp(self->state, "running") == 0;
}

gboolean manager_domain_is_busy(ManagerDomain *self)
{
	return strcmp(self->state, "starting") == 0 || strcmp(self->state, "stopping") == 0;
}
