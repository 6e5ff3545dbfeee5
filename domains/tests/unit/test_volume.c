/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes in a temporary folder, with plain copies in place of reflinks, and the world stopped
 * before each system call in turn: afterwards, and after recovery, every volume is as it was
 * before the operation or as it is after it.
 */
#include "domains/volume.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "domains/tests/unit/volume_world.h"

static void put(struct world *w, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(w->path, path, NULL);

	EXPECT(g_file_set_contents(full, text, -1, NULL));
}

static bool holds(struct world *w, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(w->path, path, NULL);
	g_autofree char *found = NULL;

	return g_file_get_contents(full, &found, NULL, NULL) && strcmp(found, text) == 0;
}

/* A template "debian" and a domain "work" of it. */
static void furnish(struct world *w)
{
	put(w, "image", "system 1");
	EXPECT(volume_create(&w->store, "debian", 4096, "image", NULL));
	EXPECT(volume_create(&w->store, "work", 8192, NULL, NULL));
	put(w, "work/private.img", "home");
}

static const struct volume_start work = {"work", "debian", NULL, 4096};
static const struct volume_start disposable = {"disp7", "debian", "work", 4096};
static const struct volume_start update = {"debian", NULL, NULL, 4096};

TEST(volume, start_and_stop_leave_the_home_and_nothing_else)
{
	struct world w;

	world_open(&w);
	furnish(&w);
	EXPECT(volume_begin(&w.store, &work, NULL));
	EXPECT(holds(&w, "work/root-run.img", "system 1"));
	EXPECT(!volume_begin(&w.store, &work, NULL)); /* started already */
	EXPECT(!volume_remove(&w.store, "work", NULL));
	EXPECT(!volume_clone(&w.store, "work", "copy", NULL));
	put(&w, "work/root-run.img", "changed");
	put(&w, "work/private.img", "new home");
	EXPECT(volume_end(&w.store, "work", true, NULL)); /* not a template: nothing to keep */
	EXPECT(!has(&w, "work/root-run.img") && !has(&w, "work/volatile-run.img"));
	EXPECT(holds(&w, "work/private.img", "new home"));
	EXPECT(holds(&w, "debian/root.img", "system 1"));
	world_close(&w);
}

TEST(volume, a_template_keeps_its_root_only_when_asked)
{
	struct world w;

	world_open(&w);
	furnish(&w);
	EXPECT(volume_begin(&w.store, &update, NULL));
	put(&w, "debian/root-run.img", "system 2");
	EXPECT(volume_end(&w.store, "debian", false, NULL));
	EXPECT(holds(&w, "debian/root.img", "system 1"));
	EXPECT(volume_begin(&w.store, &update, NULL));
	put(&w, "debian/root-run.img", "system 2");
	EXPECT(volume_end(&w.store, "debian", true, NULL));
	EXPECT(holds(&w, "debian/root.img", "system 2"));
	world_close(&w);
}

TEST(volume, a_disposable_leaves_nothing)
{
	struct world w;

	world_open(&w);
	furnish(&w);
	EXPECT(volume_begin(&w.store, &disposable, NULL));
	EXPECT(holds(&w, "disp7/private-run.img", "home"));
	put(&w, "disp7/private-run.img", "secret");
	EXPECT(volume_end(&w.store, "disp7", false, NULL));
	EXPECT(!has(&w, "disp7"));
	EXPECT(holds(&w, "work/private.img", "home"));
	world_close(&w);
}

TEST(volume, refusals_say_what_and_change_nothing)
{
	static const struct volume_start orphan = {"work", "absent", NULL, 4096};
	static const struct volume_start nobody = {"nobody", "debian", NULL, 4096};
	g_autoptr(GError) error = NULL;
	struct world w;

	world_open(&w);
	furnish(&w);
	EXPECT(!volume_create(&w.store, "work", 4096, NULL, &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_EXISTS));
	g_clear_error(&error);
	EXPECT(!volume_remove(&w.store, "nobody", &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_MISSING));
	g_clear_error(&error);
	EXPECT(!volume_begin(&w.store, &nobody, &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_MISSING));
	g_clear_error(&error);
	EXPECT(!volume_begin(&w.store, &orphan, &error));
	EXPECT(strstr(error->message, "absent") != NULL);
	EXPECT(!has(&w, "work/root-run.img"));
	g_clear_error(&error);
	EXPECT(!volume_grow_private(&w.store, "work", 1, &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_SIZE));
	g_clear_error(&error);
	EXPECT(volume_grow_private(&w.store, "work", 16384, NULL));
	EXPECT(!volume_clone(&w.store, "work", "debian", &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_EXISTS));
	world_close(&w);
}

TEST(volume, a_store_without_reflink_is_refused_with_a_sentence)
{
	g_autofree char *path = g_dir_make_tmp("mullion-volume-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;
	struct volume_store store = {0};

	if (volume_store_open(&store, path, NULL, &error)) {
		volume_store_close(&store); /* this file system has it */
	} else {
		EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_NO_REFLINK));
		EXPECT(strstr(error->message, "XFS or btrfs") != NULL);
	}
	EXPECT_EQ(g_rmdir(path), 0); /* the question left nothing behind */
}

/* --- the world stops before each call --- */

enum operation {
	OP_CREATE,
	OP_CLONE,
	OP_REMOVE,
	OP_BEGIN,
	OP_DISPOSABLE,
	OP_END,
	OP_COMMIT,
	OP_REPLACE,
	OP_COUNT
};

static bool operate(struct world *w, enum operation op)
{
	switch (op) {
	case OP_CREATE:
		return volume_create(&w->store, "mail", 4096, NULL, NULL);
	case OP_CLONE:
		return volume_clone(&w->store, "work", "copy", NULL);
	case OP_REMOVE:
		return volume_remove(&w->store, "work", NULL);
	case OP_BEGIN:
		return volume_begin(&w->store, &work, NULL);
	case OP_DISPOSABLE:
		return volume_begin(&w->store, &disposable, NULL);
	case OP_END:
		return volume_end(&w->store, "work", false, NULL);
	case OP_COMMIT:
		return volume_end(&w->store, "debian", true, NULL);
	case OP_REPLACE:
		return volume_replace_root(&w->store, "debian", "work/private.img", NULL);
	case OP_COUNT:
		break;
	}
	return false;
}

static void prepare(struct world *w, enum operation op)
{
	furnish(w);
	if (op == OP_END) {
		EXPECT(volume_begin(&w->store, &work, NULL));
	} else if (op == OP_COMMIT) {
		EXPECT(volume_begin(&w->store, &update, NULL));
		put(w, "debian/root-run.img", "system 2");
	}
}

static void expect_before_or_after(struct world *w, enum operation op)
{
	EXPECT(holds(w, "debian/root.img", "system 1") ||
	       (op == OP_COMMIT && holds(w, "debian/root.img", "system 2")) ||
	       (op == OP_REPLACE && holds(w, "debian/root.img", "home")));
	EXPECT(!has(w, "debian/new-run.img"));
	EXPECT(holds(w, "work/private.img", "home") || (op == OP_REMOVE && !has(w, "work")));
	EXPECT(!has(w, "work/root-run.img") && !has(w, "work/volatile-run.img"));
	EXPECT(!has(w, "debian/root-run.img") && !has(w, "debian/volatile-run.img"));
	EXPECT(!has(w, "disp7"));
	EXPECT(!has(w, "mail") || (op == OP_CREATE && has(w, "mail/private.img")));
	EXPECT(!has(w, "copy") || (op == OP_CLONE && holds(w, "copy/private.img", "home")));
	EXPECT(!has(w, ".new-mail") && !has(w, ".new-copy") && !has(w, ".old-work"));
}

static int stop_before_each_call(enum operation op)
{
	int stops = 0;
	bool is_done = false;

	while (!is_done) {
		struct world w;

		world_open(&w);
		prepare(&w, op);
		w.calls = 0;
		w.stop_at = ++stops;
		is_done = operate(&w, op);
		w.stop_at = 0;
		EXPECT(volume_recover(&w.store, NULL, NULL, NULL));
		expect_before_or_after(&w, op);
		world_close(&w);
		EXPECT(stops < 100);
	}
	return stops;
}

TEST(volume, a_template_gets_a_new_system_while_the_old_one_runs)
{
	struct world w;
	GError *error = NULL;

	world_open(&w);
	furnish(&w);
	put(&w, "image", "system 2");
	EXPECT(volume_begin(&w.store, &work, NULL));
	EXPECT(volume_replace_root(&w.store, "debian", "image", NULL));
	EXPECT(holds(&w, "debian/root.img", "system 2"));
	EXPECT(holds(&w, "work/root-run.img", "system 1"));
	EXPECT(volume_end(&w.store, "work", false, NULL));
	EXPECT(volume_begin(&w.store, &work, NULL));
	EXPECT(holds(&w, "work/root-run.img", "system 2"));
	EXPECT(volume_end(&w.store, "work", false, NULL));

	EXPECT(!volume_replace_root(&w.store, "work", "image", &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_MISSING));
	g_clear_error(&error);
	EXPECT(!volume_replace_root(&w.store, "debian", "no-image", &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_IO));
	g_clear_error(&error);
	EXPECT(volume_begin(&w.store, &update, NULL));
	EXPECT(!volume_replace_root(&w.store, "debian", "image", &error));
	EXPECT(g_error_matches(error, VOLUME_ERROR, VOLUME_ERROR_BUSY));
	g_clear_error(&error);
	EXPECT(holds(&w, "debian/root.img", "system 2"));
	world_close(&w);
}

TEST(volume, a_stop_before_any_call_leaves_before_or_after)
{
	int op;

	for (op = 0; op < OP_COUNT; op++) {
		EXPECT(stop_before_each_call((enum operation)op) > 2);
	}
}

/* One call fails, the others work: the operation itself must have tidied up or be complete. */
TEST(volume, a_failed_start_leaves_no_run_image)
{
	int stop;

	for (stop = 1; stop < 4; stop++) {
		struct world w;

		world_open(&w);
		furnish(&w);
		w.calls = 0;
		w.stop_at = stop;
		w.error = -ENOSPC;
		w.is_single = true;
		EXPECT(!volume_begin(&w.store, &disposable, NULL));
		EXPECT(!has(&w, "disp7"));
		world_close(&w);
	}
}

static bool work_is_running(const char *name, void *context)
{
	return strcmp(name, "work") == 0;
}

TEST(volume, recovery_spares_what_runs)
{
	struct world w;

	world_open(&w);
	furnish(&w);
	EXPECT(volume_begin(&w.store, &work, NULL));
	EXPECT(volume_begin(&w.store, &disposable, NULL));
	EXPECT(volume_recover(&w.store, work_is_running, NULL, NULL));
	EXPECT(has(&w, "work/root-run.img"));
	EXPECT(!has(&w, "disp7"));
	world_close(&w);
}

TEST_MAIN()
