/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual machines through Debian's libxl: create, shut down, destroy, look, and hear of a death.
 *
 * Calls take as long as libxl takes (a start: up to seconds) and may come from any thread; each
 * uses a libxl context of its own. What libxl logged as an error is in the GError's message.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define MACHINE_DISK_MAX 4

struct machine_disk {
	const char *path;   /* raw image */
	const char *device; /* xvda, xvdb, ... */
	bool is_writable;
};

struct machine_spec {
	const char *name;
	const char *kernel, *initrd; /* initrd may be NULL */
	const char *command_line;
	uint32_t vcpu_count;
	uint64_t memory_mib, memory_max_mib;
	size_t disk_count;
	struct machine_disk disks[MACHINE_DISK_MAX];
};

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_SHUT_DOWN, /* waits to be destroyed */
	MACHINE_CRASHED,
	MACHINE_DYING,
};

struct machine_info {
	uint32_t id;
	enum machine_state state;
	uint64_t memory_kib;
	uint64_t cpu_time_ns;
	uint32_t vcpu_count;
};

#define MACHINE_ERROR (machine_error_quark())
enum machine_error {
	MACHINE_ERROR_NO_HYPERVISOR, /* libxl cannot talk to one */
	MACHINE_ERROR_NO_MEMORY,     /* not enough free memory for this machine */
	MACHINE_ERROR_NOT_FOUND,
	MACHINE_ERROR_FAILED, /* anything else that libxl reports */
};
GQuark machine_error_quark(void);

/* Builds it and lets it run. On an error nothing of it is left. */
bool machine_start(const struct machine_spec *spec, uint32_t *id, GError **error);
/* Asks the guest to shut down; returns at once. */
bool machine_shutdown(uint32_t id, GError **error);
/* Ends it now, devices and all; a machine that is gone already is no error. */
bool machine_destroy(uint32_t id, GError **error);
bool machine_pause(uint32_t id, bool is_paused, GError **error);
bool machine_info(uint32_t id, struct machine_info *out, GError **error);
/* What the machine should use from now on; its balloon driver does the work. */
bool machine_set_memory(uint32_t id, uint64_t memory_mib, GError **error);
/* Every machine but dom0: names (free with g_free()) and ids, for a daemon that was restarted. */
struct machine_name {
	char *name;
	uint32_t id;
};
bool machine_list(struct machine_name **out, size_t *count, GError **error);
void machine_list_free(struct machine_name *list, size_t count);
/* Free memory of the whole machine. */
bool machine_free_memory(uint64_t *free_kib, GError **error);

/*
 * Calls died(id, is_crash, data) once for each watched machine that has shut down or is gone, in
 * the main context that is the default one. A watch lasts as long as the process.
 */
struct machine_watch;
typedef void (*machine_died_t)(uint32_t id, bool is_crash, void *data);
struct machine_watch *machine_watch_begin(machine_died_t died, void *data, GError **error);
void machine_watch_add(struct machine_watch *w, uint32_t id);

/* The same as a table, so that what drives machines can be tested with scripted ones. */
struct machine_ops {
	bool (*start)(const struct machine_spec *spec, uint32_t *id, GError **error);
	bool (*shutdown)(uint32_t id, GError **error);
	bool (*destroy)(uint32_t id, GError **error);
	bool (*list)(struct machine_name **out, size_t *count, GError **error);
};
extern const struct machine_ops machine_ops_libxl;
