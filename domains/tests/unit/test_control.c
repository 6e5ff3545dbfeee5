/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of domains with scripted machines: what starts when, what a failure leaves, and that
 * nothing is left of a disposable.
 */
#include "domains/control.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/test.h"
#include "domains/tests/unit/scripted_machines.h"
#include "domains/tests/unit/volume_world.h"

/* --- a small world --- */

static struct world disk;
static struct registry *registry;
static struct control *control;
static char *directory;
static int answers;
static char *last_error, *last_name;

static void describe(const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/%s" CONFIG_SUFFIX, directory, name);

	EXPECT(g_file_set_contents(path, text, -1, NULL));
}

static void changed(const struct control_status *status, void *data)
{
}

static void done(const char *name, const GError *error, void *data)
{
	answers++;
	g_free(last_name);
	last_name = g_strdup(name);
	g_free(last_error);
	last_error = error ? g_strdup(error->message) : NULL;
}

static void open_control(void)
{
	control = control_new(registry, &disk.store, &scripted, &settings, changed, NULL, NULL);
	EXPECT(control != NULL);
}

static void setup(void)
{
	static const char *const names[] = {"debian", "net", "firewall", "work", "mail"};
	g_autofree char *image = NULL;
	size_t i;

	world_open(&disk);
	image = g_build_filename(disk.path, "image", NULL);
	directory = g_dir_make_tmp("mullion-control-XXXXXX", NULL);
	describe("debian", "[domain]\nkind=template\n");
	describe("net", "[domain]\nkind=service\ntemplate=debian\n");
	describe("firewall", "[domain]\nkind=service\ntemplate=debian\nnetwork=net\n");
	describe("work", "[domain]\nkind=app\ntemplate=debian\nnetwork=firewall\n"
			 "[disposable]\nallowed=true\nlimit=2\n");
	describe("mail", "[domain]\nkind=app\ntemplate=debian\n");
	EXPECT(g_file_set_contents(image, "system", -1, NULL));
	for (i = 0; i < G_N_ELEMENTS(names); i++) {
		EXPECT(volume_create(&disk.store, names[i], 4096, i == 0 ? "image" : NULL, NULL));
	}
	registry = registry_open(directory, NULL);
	script_log = g_string_new(NULL);
	machines = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	fail_start = NULL;
	answers = 0;
	open_control();
}

static void teardown(void)
{
	control_free(control);
	registry_close(registry);
	world_close(&disk);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&directory, g_free);
	g_string_free(script_log, TRUE);
	g_hash_table_unref(machines);
	g_clear_pointer(&last_name, g_free);
	g_clear_pointer(&last_error, g_free);
}

static void wait_for_answers(int count)
{
	gint64 limit = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

	while (answers < count) {
		EXPECT(g_get_monotonic_time() < limit);
		g_main_context_iteration(NULL, TRUE);
	}
}

static enum control_state state_of(const char *name)
{
	struct control_status status;

	EXPECT(control_status(control, name, &status));
	return status.state;
}

static uint32_t id_of(const char *name)
{
	struct control_status status;

	EXPECT(control_status(control, name, &status));
	return status.id;
}

TEST(control, networks_start_first_and_in_order)
{
	setup();
	control_start(control, "work", done, NULL);
	EXPECT_EQ(state_of("work"), CONTROL_STARTING);
	wait_for_answers(1);
	EXPECT(last_error == NULL);
	EXPECT_STR(script_log->str, "start net;start firewall;start work;");
	EXPECT_EQ(state_of("net"), CONTROL_RUNNING);
	control_start(control, "work", done, NULL); /* runs already */
	EXPECT_EQ(answers, 2);
	teardown();
}

TEST(control, two_who_ask_get_one_start)
{
	setup();
	control_start(control, "mail", done, NULL);
	control_start(control, "mail", done, NULL);
	wait_for_answers(2);
	EXPECT_STR(script_log->str, "start mail;");
	teardown();
}

TEST(control, a_failed_start_says_why_and_leaves_nothing)
{
	struct control_status status;

	setup();
	fail_start = "firewall";
	control_start(control, "work", done, NULL);
	wait_for_answers(1);
	EXPECT(strstr(last_error, "work needs firewall") && strstr(last_error, "no luck"));
	EXPECT(control_status(control, "firewall", &status));
	EXPECT(strstr(status.last_error, "no luck") != NULL);
	EXPECT(!has(&disk, "firewall/root-run.img") && !has(&disk, "work/root-run.img"));
	fail_start = NULL;
	control_start(control, "work", done, NULL); /* and it can be tried again */
	wait_for_answers(2);
	EXPECT(last_error == NULL);
	teardown();
}

TEST(control, stop_asks_the_guest_and_then_ends_it)
{
	setup();
	control_start(control, "mail", done, NULL);
	wait_for_answers(1);
	control_stop(control, "mail", false, done, NULL);
	EXPECT_EQ(state_of("mail"), CONTROL_STOPPING);
	control_start(control, "mail", done, NULL); /* refused meanwhile */
	EXPECT(strstr(last_error, "is stopping") != NULL);
	control_machine_died(control, id_of("mail"), false);
	wait_for_answers(3);
	EXPECT(last_error == NULL);
	EXPECT_EQ(state_of("mail"), CONTROL_STOPPED);
	EXPECT(!has(&disk, "mail/root-run.img") && has(&disk, "mail/private.img"));
	EXPECT_EQ(g_hash_table_size(machines), 0);
	teardown();
}

TEST(control, a_guest_that_does_not_stop_is_destroyed)
{
	setup();
	control_start(control, "mail", done, NULL);
	wait_for_answers(1);
	control_stop(control, "mail", false, done, NULL);
	wait_for_answers(2); /* after stop_timeout_seconds */
	EXPECT_EQ(state_of("mail"), CONTROL_STOPPED);
	EXPECT_EQ(g_hash_table_size(machines), 0);
	teardown();
}

TEST(control, a_crash_is_noticed_and_cleaned_up)
{
	setup();
	control_start(control, "mail", done, NULL);
	wait_for_answers(1);
	control_machine_died(control, id_of("mail"), true);
	control_stop(control, "mail", true, done, NULL); /* waits for the end under way */
	wait_for_answers(2);
	EXPECT_EQ(state_of("mail"), CONTROL_STOPPED);
	EXPECT(!has(&disk, "mail/root-run.img"));
	teardown();
}

TEST(control, disposables_are_limited_and_leave_nothing)
{
	g_autofree char *first = NULL;
	g_autofree char *folder = NULL;
	struct control_status status;

	setup();
	control_start_disposable(control, "mail", done, NULL);
	EXPECT(strstr(last_error, "does not allow disposables") != NULL);
	control_start_disposable(control, "work", done, NULL);
	wait_for_answers(2);
	first = g_strdup(last_name);
	folder = g_strdup_printf("%s/private-run.img", first);
	EXPECT(volume_is_disposable(first) && has(&disk, folder));
	control_start_disposable(control, "work", done, NULL);
	wait_for_answers(3);
	control_start_disposable(control, "work", done, NULL);
	EXPECT(strstr(last_error, "limit") != NULL);
	control_stop(control, first, true, done, NULL);
	wait_for_answers(5);
	EXPECT(!has(&disk, first));
	EXPECT(!control_status(control, first, &status));
	teardown();
}

TEST(control, a_disposable_starts_without_a_whole_system)
{
	setup();
	control_start(control, "mail", done, NULL);
	wait_for_answers(1);
	EXPECT_STR(last_options, "quiet");
	control_start_disposable(control, "work", done, NULL);
	wait_for_answers(2);
	EXPECT_STR(last_options, "quiet init=once");
	teardown();
}

TEST(control, a_restarted_daemon_takes_over_what_runs)
{
	struct control_status status;
	size_t count;

	setup();
	control_start(control, "mail", done, NULL);
	control_start_disposable(control, "work", done, NULL);
	wait_for_answers(2);
	control_free(control);
	open_control();
	EXPECT_EQ(state_of("mail"), CONTROL_RUNNING);
	EXPECT(has(&disk, "mail/root-run.img"));
	g_free(control_list(control, &count));
	EXPECT_EQ(count, 5); /* the disposable is gone with whoever wanted it */
	EXPECT(!control_status(control, "disp1", &status) && !has(&disk, "disp1"));
	teardown();
}

TEST(control, disposables_outlive_the_daemon_when_their_origin_is_known)
{
	struct control_status status;
	g_autofree char *path = NULL;

	setup();
	settings.disposables_folder = disk.path;
	control_start_disposable(control, "work", done, NULL);
	wait_for_answers(1);
	path = g_build_filename(disk.path, "disp1", NULL);
	EXPECT(g_file_test(path, G_FILE_TEST_IS_DIR));
	settings.disposables_folder = directory;
	g_free(path);
	path = g_build_filename(directory, "disp1", NULL);
	EXPECT(g_file_set_contents(path, "work\n", -1, NULL));
	control_free(control);
	open_control();
	EXPECT(control_status(control, "disp1", &status) && status.is_disposable);
	EXPECT_EQ(status.state, CONTROL_RUNNING);
	EXPECT_STR(status.config->name, "work");
	EXPECT(has(&disk, "disp1"));
	control_start_disposable(control, "work", done, NULL); /* its name is not used again */
	wait_for_answers(2);
	EXPECT_STR(last_name, "disp2");
	control_start_disposable(control, "work", done, NULL); /* and it counts */
	EXPECT(strstr(last_error, "limit") != NULL);
	settings.disposables_folder = NULL;
	teardown();
}

TEST(control, killed_while_it_starts)
{
	setup();
	control_start(control, "work", done, NULL);
	control_stop(control, "work", false, done, NULL); /* asking it nicely is too early */
	EXPECT(strstr(last_error, "is starting") != NULL);
	control_stop(control, "work", true, done, NULL);
	EXPECT(strstr(last_error, "was ended while it started") != NULL);
	wait_for_answers(3);
	EXPECT(last_error == NULL);
	EXPECT_EQ(state_of("work"), CONTROL_STOPPED);
	EXPECT(!has(&disk, "work/root-run.img"));
	control_start_disposable(control, "work", done, NULL);
	control_stop(control, "disp1", true, done, NULL);
	wait_for_answers(5);
	EXPECT(!has(&disk, "disp1"));
	EXPECT_EQ(g_hash_table_size(machines), 2); /* net and firewall stay */
	teardown();
}

TEST(control, nonsense_is_refused)
{
	setup();
	control_start(control, "absent", done, NULL);
	EXPECT(strstr(last_error, "not a domain") != NULL);
	control_stop(control, "mail", false, done, NULL);
	EXPECT(strstr(last_error, "not running") != NULL);
	control_start_disposable(control, "absent", done, NULL);
	control_machine_died(control, 4711, true);
	control_machine_died(control, 0, true);
	EXPECT_EQ(answers, 3);
	teardown();
}

TEST_MAIN()
