/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-clipboard: carries text between domains, by the user's two keystrokes only.
 *
 * The daemons of domains hand over text when the user pressed Ctrl+Shift+C in one of
 * their windows, and ask for it at Ctrl+Shift+V in another. Each paste into another domain
 * is put before the policy (qubes.ClipboardPaste), which may ask the user. Text is given
 * out once and then overwritten, also after a time. One process for a desktop session.
 */
#include "guid/clip-peer.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEEP_SECONDS	 300
#define POLICY_SOCKET	 "/run/qubes/policy.sock"
#define POLICY_SERVICE	 "qubes.ClipboardPaste+"
#define POLICY_ANSWER	 4096
#define DOMAIN_COUNT_MAX 256

struct broker;

struct domain {
	struct broker *broker;
	struct clip_peer *peer;
	char name[CLIP_NAME_MAX + 1]; /* empty before HELLO */
};

/* A question to the policy that has no answer yet. One at a time. */
struct question {
	int fd;
	guint watch;
	struct domain *target; /* NULL: it left meanwhile */
	GString *answer;
};

struct broker {
	GMainLoop *loop;
	GList *domains;
	const char *policy_socket;
	char owner[CLIP_NAME_MAX + 1];
	uint8_t *text; /* locked into memory; NULL: nothing was copied */
	uint32_t text_size;
	guint forget_timer;
	struct question *question;
};

static void text_forget(struct broker *b)
{
	if (b->forget_timer) {
		g_source_remove(b->forget_timer);
		b->forget_timer = 0;
	}
	if (b->text) {
		explicit_bzero(b->text, b->text_size);
		munlock(b->text, b->text_size);
		g_free(b->text);
		b->text = NULL;
		b->text_size = 0;
	}
	b->owner[0] = '\0';
}

static gboolean on_forget(gpointer data)
{
	struct broker *b = data;

	b->forget_timer = 0;
	text_forget(b);
	return G_SOURCE_REMOVE;
}

static void refuse(struct domain *d, const char *why)
{
	clip_peer_send(d->peer, CLIP_REFUSED, why, (uint32_t)strlen(why));
}

static void question_end(struct broker *b)
{
	struct question *q = b->question;

	if (!q) {
		return;
	}
	b->question = NULL;
	if (q->watch) {
		g_source_remove(q->watch);
	}
	close(q->fd);
	g_string_free(q->answer, TRUE);
	g_free(q);
}

static void give(struct broker *b, struct domain *d)
{
	if (!b->text) {
		refuse(d, "Nothing was copied.");
		return;
	}
	clip_peer_send(d->peer, CLIP_TEXT, b->text, b->text_size);
	text_forget(b);
}

/* A line of its own that says so, and none that says otherwise. */
static gboolean is_allowed(const char *answer)
{
	g_auto(GStrv) lines = g_strsplit(answer, "\n", -1);

	return g_strv_contains((const char *const *)lines, "result=allow") &&
	       !g_strv_contains((const char *const *)lines, "result=deny");
}

static gboolean on_policy(gint fd, GIOCondition condition, gpointer data)
{
	struct broker *b = data;
	struct question *q = b->question;
	char bytes[512];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct domain *target;

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return G_SOURCE_CONTINUE;
	}
	if (got > 0) {
		g_string_append_len(q->answer, bytes, got);
		if (q->answer->len < POLICY_ANSWER) {
			return G_SOURCE_CONTINUE;
		}
	}
	target = q->target;
	q->watch = 0;
	if (target) {
		if (got == 0 && is_allowed(q->answer->str)) {
			give(b, target);
		} else {
			refuse(target, "The policy does not allow to paste here.");
		}
	}
	question_end(b);
	return G_SOURCE_REMOVE;
}

static int socket_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void ask_policy(struct broker *b, struct domain *d)
{
	g_autofree char *text = g_strdup_printf(
		"source=%s\nintended_target=%s\nservice_and_arg=" POLICY_SERVICE "\n\n", b->owner,
		d->name);
	int fd = socket_connect(b->policy_socket);

	if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) {
		if (fd >= 0) {
			close(fd);
		}
		refuse(d, "There is no policy that could allow to paste.");
		return;
	}
	shutdown(fd, SHUT_WR);
	b->question = g_new0(struct question, 1);
	b->question->fd = fd;
	b->question->target = d;
	b->question->answer = g_string_new(NULL);
	b->question->watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, on_policy, b);
}

static void handle_paste(struct broker *b, struct domain *d)
{
	if (!b->text) {
		refuse(d, "Nothing was copied.");
	} else if (strcmp(b->owner, d->name) == 0) {
		give(b, d);
	} else if (b->question) {
		refuse(d, "Another paste is being decided.");
	} else {
		ask_policy(b, d);
	}
}

static void handle_copy(struct broker *b, struct domain *d, const struct clip_message *m)
{
	/* What was asked about is not what would be given now. */
	if (b->question && b->question->target) {
		refuse(b->question->target, "Something else was copied meanwhile.");
	}
	question_end(b);
	text_forget(b);
	b->text = g_malloc(m->size_bytes);
	mlock(b->text, m->size_bytes); /* if it may not, the text may reach the swap */
	memcpy(b->text, m->bytes, m->size_bytes);
	b->text_size = m->size_bytes;
	memcpy(b->owner, d->name, sizeof(b->owner));
	b->forget_timer = g_timeout_add_seconds(KEEP_SECONDS, on_forget, b);
	clip_peer_send(d->peer, CLIP_COPIED, NULL, 0);
}

static gboolean on_message(void *context, struct clip_peer *peer, const struct clip_message *m)
{
	struct domain *d = context;

	switch (m->type) {
	case CLIP_HELLO:
		if (d->name[0]) {
			return FALSE; /* who a connection is, is said once */
		}
		memcpy(d->name, m->bytes, m->size_bytes);
		return TRUE;
	case CLIP_COPY:
		if (d->name[0]) {
			handle_copy(d->broker, d, m);
		}
		return d->name[0] != '\0';
	case CLIP_PASTE:
		if (d->name[0]) {
			handle_paste(d->broker, d);
		}
		return d->name[0] != '\0';
	default:
		return FALSE;
	}
}

static void on_closed(void *context, struct clip_peer *peer)
{
	struct domain *d = context;
	struct broker *b = d->broker;

	if (b->question && b->question->target == d) {
		question_end(b);
	}
	b->domains = g_list_remove(b->domains, d);
	g_free(d);
}

static const struct clip_peer_events events = {on_message, on_closed};

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
	struct broker *b = data;
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who;
	socklen_t size = sizeof(who);
	struct domain *d;

	if (connection < 0) {
		return G_SOURCE_CONTINUE;
	}
	/* The folder keeps others out; this keeps out who got the folder's rights wrong. */
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) ||
	    (who.uid != geteuid() && who.uid != 0) ||
	    g_list_length(b->domains) >= DOMAIN_COUNT_MAX) {
		close(connection);
		return G_SOURCE_CONTINUE;
	}
	d = g_new0(struct domain, 1);
	d->broker = b;
	d->peer = clip_peer_new(connection, &events, d);
	b->domains = g_list_prepend(b->domains, d);
	return G_SOURCE_CONTINUE;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *folder = g_path_get_dirname(path);
	int fd, other;

	if (strlen(path) >= sizeof(address.sun_path) || g_mkdir_with_parents(folder, 0700)) {
		return -1;
	}
	other = socket_connect(path);
	if (other >= 0) {
		close(other);
		errno = EADDRINUSE; /* a broker is running */
		return -1;
	}
	unlink(path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(path, 0600) ||
	    listen(fd, 16)) {
		return -1;
	}
	return fd;
}

static gboolean on_terminate(gpointer data)
{
	struct broker *b = data;

	g_main_loop_quit(b->loop);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	struct broker b = {.policy_socket = POLICY_SOCKET};
	g_autofree char *path = clip_socket_path();
	int fd;

	if (argc == 2 && g_str_has_prefix(argv[1], "--policy-socket=")) {
		b.policy_socket = argv[1] + strlen("--policy-socket=");
	} else if (argc != 1) {
		fputs("Usage: mullion-clipboard [--policy-socket=PATH]\n"
		      "Carries text between domains when the user copies and pastes.\n",
		      stderr);
		return 2;
	}
	if (!path) {
		fputs("mullion-clipboard: XDG_RUNTIME_DIR is not set\n", stderr);
		return 1;
	}
	fd = listen_at(path);
	if (fd < 0) {
		fprintf(stderr, "mullion-clipboard: %s: %s\n", path, strerror(errno));
		return 1;
	}
	b.loop = g_main_loop_new(NULL, FALSE);
	g_unix_fd_add(fd, G_IO_IN, on_connection, &b);
	g_unix_signal_add(SIGTERM, on_terminate, &b);
	g_unix_signal_add(SIGINT, on_terminate, &b);
	g_main_loop_run(b.loop);
	text_forget(&b);
	unlink(path);
	return 0;
}
