/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes with a domain: the gate's answers, what policy and the qrexec daemons find, and that a
 * disposable ends with its lease. Real sockets and files, scripted machines.
 */
#include "domains/companions.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/test.h"
#include "domains/tests/unit/scripted_machines.h"
#include "domains/tests/unit/volume_world.h"
#include "qrexec/domain_list.h"

static struct world disk;
static struct registry *registry;
static struct control *control;
static struct companions *companions;
static char *folder, *disposables_folder;

static void describe(const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/%s" CONFIG_SUFFIX, folder, name);

	EXPECT(g_file_set_contents(path, text, -1, NULL));
}

static void changed(const struct control_status *status, void *data)
{
	companions_changed(companions, status);
}

static void open_daemon(void)
{
	g_autoptr(GError) error = NULL;

	settings.disposables_folder = disposables_folder;
	companions = companions_new(folder, folder, NULL, &error);
	EXPECT(companions != NULL);
	control = control_new(registry, &disk.store, &scripted, &settings, changed, NULL, NULL);
	EXPECT(control != NULL);
	EXPECT(companions_attach(companions, control, &error));
}

static void close_daemon(void)
{
	companions_detach(companions);
	control_free(control);
	companions_free(companions);
}

static void setup(void)
{
	static const char *const names[] = {"debian", "work", "mail"};
	g_autofree char *image = NULL;
	size_t i;

	world_open(&disk);
	image = g_build_filename(disk.path, "image", NULL);
	folder = g_dir_make_tmp("mullion-companions-XXXXXX", NULL);
	disposables_folder = g_build_filename(folder, "disposables", NULL);
	describe("debian", "[domain]\nkind=template\n");
	describe("work", "[domain]\nkind=app\ntemplate=debian\n[disposable]\nallowed=true\n");
	describe("mail", "[domain]\nkind=app\ntemplate=debian\nlabel=green\ndisposables=work\n");
	EXPECT(g_file_set_contents(image, "system", -1, NULL));
	for (i = 0; i < G_N_ELEMENTS(names); i++) {
		EXPECT(volume_create(&disk.store, names[i], 4096, i == 0 ? "image" : NULL, NULL));
	}
	registry = registry_open(folder, NULL);
	script_log = g_string_new(NULL);
	machines = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	fail_start = NULL;
	open_daemon();
}

static void teardown(void)
{
	close_daemon();
	registry_close(registry);
	world_close(&disk);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&folder, g_free);
	g_clear_pointer(&disposables_folder, g_free);
	g_string_free(script_log, TRUE);
	g_hash_table_unref(machines);
	settings.disposables_folder = NULL;
}

/* --- the other ends --- */

static struct sockaddr_un address_of(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
	return address;
}

static int ask(const char *line)
{
	struct sockaddr_un address = address_of("start.sock");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	EXPECT(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	EXPECT_EQ(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	return fd;
}

/* What has come when the line is whole or the other end has left. */
static char *answer_to(const char *line)
{
	static char text[512];
	gint64 limit = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
	size_t have = 0;
	int fd = ask(line);

	while (have == 0 || !memchr(text, '\n', have)) {
		ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);

		EXPECT(g_get_monotonic_time() < limit);
		if (n == 0) {
			break;
		}
		have += n > 0 ? (size_t)n : 0;
		g_main_context_iteration(NULL, FALSE);
	}
	close(fd);
	text[have] = 0;
	return text;
}

static int listen_as(const char *name)
{
	struct sockaddr_un address = address_of(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	EXPECT(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
	return fd;
}

static int accept_lease(int listener)
{
	gint64 limit = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0) {
		EXPECT(g_get_monotonic_time() < limit);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	return fd;
}

static void wait_until_gone(const char *name)
{
	gint64 limit = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
	struct control_status status;

	while (control_status(control, name, &status)) {
		EXPECT(g_get_monotonic_time() < limit);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

static char *text_of(const char *subfolder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, subfolder, name, NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void load_list(struct domain_list *list)
{
	g_autofree char *text = NULL;
	int line;

	while (g_main_context_iteration(NULL, FALSE)) {
	}
	text = text_of("", "domains");
	EXPECT(text != NULL);
	EXPECT_EQ(domain_list_parse(text, list, &line), 0);
}

TEST(companions, policy_learns_of_domains)
{
	struct domain_list list;
	const struct domain_info *work, *mail;

	setup();
	load_list(&list);
	work = domain_list_find(&list, "work");
	mail = domain_list_find(&list, "mail");
	EXPECT(work && mail && domain_list_find(&list, "debian"));
	EXPECT(work->is_template_for_dispvms && !work->is_running);
	EXPECT_STR(work->default_dispvm, "work");
	EXPECT(!mail->is_template_for_dispvms);
	EXPECT_STR(mail->default_dispvm, "work");
	EXPECT_STR(mail->label, "green");
	domain_list_fini(&list);
	EXPECT_STR(answer_to("mail\n"), "ok mail\n");
	load_list(&list);
	EXPECT(domain_list_find(&list, "mail")->is_running);
	domain_list_fini(&list);
	teardown();
}

TEST(companions, the_gate_starts_and_refuses)
{
	g_autofree char *environment = NULL;

	setup();
	next_id = 0;
	EXPECT_STR(answer_to("mail\n"), "ok mail\n");
	EXPECT_STR(answer_to("mail\n"), "ok mail\n"); /* runs already */
	environment = text_of("qrexec", "mail");
	EXPECT_STR(environment, "DOMAIN_ID=1\nDEFAULT_USER=user\nOPTIONS=\n");
	EXPECT(g_str_has_prefix(answer_to("absent\n"), "error absent "));
	EXPECT(g_str_has_prefix(answer_to("\n"), "error "));
	EXPECT(g_str_has_prefix(answer_to("@dispvm:\n"), "error "));
	EXPECT(g_str_has_prefix(answer_to("@dispvm:mail\n"), "error mail does not allow"));
	EXPECT(g_str_has_prefix(answer_to("../mail\n"), "error "));
	fail_start = "work";
	EXPECT(g_str_has_prefix(answer_to("work\n"), "error no luck with work"));
	teardown();
}

TEST(companions, who_asks_too_much_gets_nothing)
{
	g_autofree char *line = g_strnfill(5000, 'a');
	g_autofree char *whole = g_strconcat(line, "\n", NULL);
	int fd;

	setup();
	EXPECT_STR(answer_to(whole), "");
	fd = ask("mail\n"); /* and leaves before the answer */
	close(fd);
	EXPECT_STR(answer_to("work\n"), "ok work\n");
	teardown();
}

TEST(companions, a_disposable_ends_with_its_daemon)
{
	g_autofree char *environment = NULL;
	g_autofree char *base = NULL;
	struct domain_list list;
	int listener, lease;

	setup();
	listener = listen_as("qrexec.disp1");
	EXPECT_STR(answer_to("@dispvm:work\n"), "ok disp1\n");
	environment = text_of("qrexec", "disp1");
	base = text_of("disposables", "disp1");
	EXPECT(strstr(environment, "OPTIONS=--until-idle=") != NULL);
	EXPECT_STR(base, "work");
	lease = accept_lease(listener);
	load_list(&list);
	EXPECT_STR(domain_list_find(&list, "disp1")->type, "DispVM");
	EXPECT_STR(domain_list_find(&list, "disp1")->dispvm_template, "work");
	domain_list_fini(&list);
	EXPECT_EQ(g_hash_table_size(machines), 1);
	EXPECT_EQ(send(lease, "greeting", 8, 0), 8); /* what it says does not matter */
	close(lease);
	wait_until_gone("disp1");
	EXPECT_EQ(g_hash_table_size(machines), 0);
	EXPECT(!has(&disk, "disp1"));
	EXPECT(text_of("qrexec", "disp1") == NULL && text_of("disposables", "disp1") == NULL);
	load_list(&list);
	EXPECT(domain_list_find(&list, "disp1") == NULL);
	domain_list_fini(&list);
	close(listener);
	teardown();
}

TEST(companions, a_restarted_daemon_keeps_the_lease)
{
	struct control_status status;
	int listener, lease;

	setup();
	listener = listen_as("qrexec.disp1");
	EXPECT_STR(answer_to("@dispvm:work\n"), "ok disp1\n");
	lease = accept_lease(listener);
	close_daemon();
	close(lease);
	open_daemon();
	EXPECT(control_status(control, "disp1", &status) && status.state == CONTROL_RUNNING);
	EXPECT(has(&disk, "disp1"));
	lease = accept_lease(listener);
	close(lease);
	wait_until_gone("disp1");
	EXPECT_EQ(g_hash_table_size(machines), 0);
	EXPECT(!has(&disk, "disp1"));
	close(listener);
	teardown();
}

TEST(companions, a_dead_disposable_takes_its_lease_along)
{
	int listener, lease;
	char ignored;

	setup();
	listener = listen_as("qrexec.disp1");
	EXPECT_STR(answer_to("@dispvm:work\n"), "ok disp1\n");
	lease = accept_lease(listener);
	control_machine_died(control, next_id, true);
	wait_until_gone("disp1");
	EXPECT_EQ(recv(lease, &ignored, 1, 0), 0);
	EXPECT(!has(&disk, "disp1"));
	close(lease);
	close(listener);
	teardown();
}

TEST_MAIN()
