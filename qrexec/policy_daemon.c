/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-policyd: answers "may this domain call that service there" on /run/qubes/policy.sock.
 *
 * Everything is in memory; files are read again when they change. Where the policy says ask, the
 * question goes to the program in the user's session (mullion-ask) over a second socket; so do
 * notices of denied calls. Without such a program, ask means deny.
 *
 * Text of the second socket, lines key=value and an empty line:
 *   to the program    ask=NUMBER source= source_label= service= argument= target= (as asked for)
 *		       candidate=NAME LABEL (each) default=NAME;   cancel=NUMBER;
 *		       notify=allow|deny source= service= argument= target= reason=
 *   from the program  NUMBER NAME, or NUMBER - for no; one line
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "qrexec/policy.h"
#include "qrexec/proto.h"
#include "qrexec/query.h"

#define POLICY_FOLDER	 "/etc/qubes/policy.d"
#define DOMAINS_FILE	 "/run/mullion/domains"
#define POLICY_SOCKET	 "/run/qubes/policy.sock"
#define ASK_SOCKET	 "/run/qubes/policy-ask.sock"
#define QUESTION_MAX	 (QREXEC_SERVICE_SIZE_MAX + 1024)
#define CONNECTIONS_MAX	 4096
#define ASK_LINE_MAX	 256
#define ASK_MESSAGE_SIZE (128 * 1024)

enum source_kind {
	SOURCE_SIGNAL,
	SOURCE_INOTIFY,
	SOURCE_POLICY,
	SOURCE_ASK,
	SOURCE_ASKER,
	SOURCE_CONN
};

struct source {
	enum source_kind kind;
	int fd;
};

/* One who asks. */
struct connection {
	struct source source;
	unsigned int number;
	char *text;
	size_t size;
	bool is_waiting;      /* for the user */
	struct answer answer; /* what to say if the user agrees */
	struct policy_verdict *verdict;
	struct connection *next;
};

static struct {
	const char *folder, *domains_file, *policy_path, *ask_path;
	int epoll_fd;
	struct source signal, inotify, policy_listener, ask_listener, asker;
	char asker_line[ASK_LINE_MAX];
	size_t asker_size;
	struct policy *policy; /* NULL: broken, everything is denied */
	char fault[600];
	struct domain_list domains;
	int domains_watch; /* its events do not concern the policy */
	struct connection *connections;
	unsigned int connection_count, next_number;
	bool must_end;
} d = {.folder = POLICY_FOLDER,
       .domains_file = DOMAINS_FILE,
       .policy_path = POLICY_SOCKET,
       .ask_path = ASK_SOCKET,
       .asker = {.kind = SOURCE_ASKER, .fd = -1}};

static void watch(struct source *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = s}};

	if (epoll_ctl(d.epoll_fd, EPOLL_CTL_ADD, s->fd, &ev)) {
		perror("mullion-policyd: epoll");
		exit(1);
	}
}

/* ---- the program in the session ---- */

static void drop_asker(void);

static bool tell_asker(const char *text, size_t size)
{
	if (d.asker.fd < 0) {
		return false;
	}
	if (send(d.asker.fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size) {
		/* It does not read: half a message would be worse than none. */
		drop_asker();
		return false;
	}
	return true;
}

/* Shown to the user: the argument can be long, and is not needed whole. */
static void notify(bool is_allowed, const struct query *q, const char *target, const char *reason)
{
	char text[2048];
	const char *plus = memchr(q->service, '+', q->service_length);
	int name = (int)(plus ? (size_t)(plus - q->service) : q->service_length);
	int argument = plus ? (int)(q->service_length - (size_t)name) : 0;
	int size;

	size = snprintf(
		text, sizeof(text),
		"notify=%s\nsource=%s\nservice=%.*s\nargument=%.*s\ntarget=%s\nreason=%s\n\n",
		is_allowed ? "allow" : "deny", q->source, name > 200 ? 200 : name, q->service,
		argument > 200 ? 200 : argument, plus ? plus : "", target, reason);
	if (size > 0 && (size_t)size < sizeof(text)) {
		(void)tell_asker(text, (size_t)size);
	}
}

/* Until it is whole again nothing works, and not everybody reads logs. */
static void say_broken(void)
{
	char text[800];
	int size = snprintf(text, sizeof(text),
			    "notify=deny\nsource=dom0\nservice=*\nargument=\ntarget=\n"
			    "reason=The policy is broken: %s\n\n",
			    d.fault);

	(void)tell_asker(text, (size_t)size);
}

/* ---- policy and domains ---- */

static void load_policy(void)
{
	struct policy_error error;
	struct policy *fresh = NULL;

	policy_destroy(d.policy);
	d.policy = NULL;
	if (!policy_load(&policy_files, d.folder, &fresh, &error)) {
		d.policy = fresh;
		d.fault[0] = 0;
		fprintf(stderr, "mullion-policyd: %zu rules in force\n", fresh->rule_count);
		return;
	}
	snprintf(d.fault, sizeof(d.fault), "%s:%d:%d: %s", error.file, error.line, error.column,
		 error.text);
	fprintf(stderr,
		"mullion-policyd: POLICY BROKEN, EVERY CALL IS DENIED until this is corrected:\n"
		"mullion-policyd: %s\n",
		d.fault);
	say_broken();
}

static void load_domains(void)
{
	struct domain_list fresh;
	char *text = NULL;
	int line = 0, rc;

	rc = policy_files.read_file(NULL, d.domains_file, &text);
	if (!rc) {
		rc = domain_list_parse(text, &fresh, &line);
		free(text);
	}
	if (rc) {
		fprintf(stderr, "mullion-policyd: %s:%d: %s: the old list stays\n", d.domains_file,
			line, strerror(-rc));
		return;
	}
	domain_list_fini(&d.domains);
	d.domains = fresh;
}

static void watch_files(void)
{
	uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
			   IN_ATTRIB | IN_DELETE_SELF;
	char folder[512], *slash;
	size_t i;

	/* Also the folders of included files: what is watched twice is one watch. */
	inotify_add_watch(d.inotify.fd, d.folder, changes);
	snprintf(folder, sizeof(folder), "%s", d.domains_file);
	slash = strrchr(folder, '/');
	if (slash) {
		*slash = 0;
		d.domains_watch =
			inotify_add_watch(d.inotify.fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO);
	}
	for (i = 0; d.policy && i < d.policy->file_count; i++) {
		snprintf(folder, sizeof(folder), "%s", d.policy->files[i]);
		slash = strrchr(folder, '/');
		if (slash) {
			*slash = 0;
			inotify_add_watch(d.inotify.fd, folder, changes);
		}
	}
}

static void handle_changes(void)
{
	char events[4096] __attribute__((aligned(8)));
	const struct inotify_event *e;
	bool has_policy_changed = false;
	ssize_t size;
	char *at;

	while ((size = read(d.inotify.fd, events, sizeof(events))) > 0) {
		for (at = events; at < events + size; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)at;
			has_policy_changed |= e->wd != d.domains_watch;
		}
	}
	load_domains();
	if (has_policy_changed) {
		load_policy();
		watch_files();
	}
}

/* ---- those who ask ---- */

static void end_connection(struct connection *c)
{
	struct connection **link;
	char text[64];

	for (link = &d.connections; *link != c; link = &(*link)->next) {
	}
	*link = c->next;
	if (c->is_waiting) {
		(void)tell_asker(text,
				 (size_t)snprintf(text, sizeof(text), "cancel=%u\n\n", c->number));
	}
	close(c->source.fd);
	free(c->verdict);
	free(c->text);
	free(c);
	d.connection_count--;
}

static void give_answer(struct connection *c, const struct answer *a)
{
	char text[1024];
	int size = answer_format(a, text, sizeof(text)); /* *a may be part of *c, which goes */

	if (size > 0) {
		/* Into an empty buffer: all or the asker is gone. */
		(void)!send(c->source.fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	c->is_waiting = false;
	end_connection(c);
}

static const char *label_of(const char *name)
{
	const struct domain_info *info;

	info = domain_list_find(&d.domains, strncmp(name, "@dispvm:", 8) ? name : name + 8);
	return info && *info->label ? info->label : "black";
}

/* False when nobody can be asked. */
static bool ask_user(struct connection *c, const struct query *q, const struct policy_call *call)
{
	struct policy_verdict *v = c->verdict;
	FILE *out;
	char *text = NULL;
	size_t size = 0, i;
	bool is_sent;

	out = open_memstream(&text, &size);
	if (!out) {
		return false;
	}
	fprintf(out,
		"ask=%u\nsource=%s\nsource_label=%s\nservice=%.200s\nargument=%.200s\ntarget=%s\n",
		c->number, q->source, label_of(q->source), call->service, call->argument,
		call->target);
	for (i = 0; i < v->candidate_count; i++) {
		fprintf(out, "candidate=%s %s\n", v->candidates[i], label_of(v->candidates[i]));
	}
	if (v->default_candidate >= 0) {
		fprintf(out, "default=%s\n", v->candidates[v->default_candidate]);
	}
	fputs("\n", out);
	fclose(out);
	is_sent = tell_asker(text, size);
	free(text);
	c->is_waiting = is_sent;
	return is_sent;
}

static void fill_answer(struct answer *a, const struct policy_verdict *v, const char *asked_for)
{
	*a = (struct answer){.is_allowed = true, .is_autostart = v->rule->is_autostart};
	snprintf(a->user, sizeof(a->user), "%s", *v->rule->user ? v->rule->user : "DEFAULT");
	snprintf(a->target, sizeof(a->target), "%s", v->target);
	snprintf(a->target_uuid, sizeof(a->target_uuid), "%s%s", *v->target_uuid ? "uuid:" : "",
		 v->target_uuid);
	snprintf(a->requested_target, sizeof(a->requested_target), "%s", asked_for);
}

static void log_verdict(const struct policy_verdict *v, const struct query *q)
{
	static const char *const words[] = {"allow", "deny", "ask"};

	fprintf(stderr, "mullion-policyd: %s: %.*s: %s -> %s: %s (%s:%d)\n", words[v->action],
		(int)(q->service_length > 200 ? 200 : q->service_length), q->service, q->source,
		*q->target ? q->target : "@default", v->reason, v->rule ? v->rule->file : "-",
		v->rule ? v->rule->line : 0);
}

static void decide(struct connection *c, const struct query *q, const struct policy_call *call)
{
	struct answer denied = {0};
	struct policy_verdict *v = c->verdict;

	policy_evaluate(d.policy, &d.domains, call, v);
	if (*q->requested_source && strcmp(q->requested_source, q->source)) {
		v->action = POLICY_DENY; /* nobody may speak for another domain yet */
		v->reason = "no relay is configured";
	}
	if (v->action == POLICY_ASK && q->is_yes_assumed) {
		v->action = POLICY_ALLOW;
		snprintf(v->target, sizeof(v->target), "%s",
			 v->candidates[v->default_candidate < 0 ? 0 : v->default_candidate]);
	}
	if (!q->is_evaluation_only) {
		log_verdict(v, q);
	}
	if (v->action == POLICY_ALLOW) {
		fill_answer(&c->answer, v, call->target);
		if (v->is_notified && !q->is_evaluation_only) {
			notify(true, q, v->target, v->reason);
		}
		give_answer(c, &c->answer);
		return;
	}
	if (v->action == POLICY_ASK && !q->is_evaluation_only) {
		/* Now, as the rule may be gone when the user answers. */
		fill_answer(&c->answer, v, call->target);
		v->rule = NULL;
		if (ask_user(c, q, call)) {
			free(c->text); /* nothing points into it any more */
			c->text = NULL;
			return;
		}
		fprintf(stderr, "mullion-policyd: nobody to ask in the session\n");
		v->reason = "nobody could be asked";
		v->is_notified = true;
	}
	if (v->is_notified && !q->is_evaluation_only) {
		notify(false, q, call->target, v->reason);
	}
	give_answer(c, &denied);
}

static void handle_question(struct connection *c)
{
	struct answer denied = {0};
	struct policy_call call = {0};
	struct query q;
	char *service, *argument;
	const char *plus;

	if (query_parse(c->text, c->size, &q)) {
		fprintf(stderr, "mullion-policyd: not a question\n");
		give_answer(c, &denied);
		return;
	}
	if (!d.policy) {
		fprintf(stderr, "mullion-policyd: denied, as the policy is broken: %s\n", d.fault);
		if (!q.is_evaluation_only) {
			notify(false, &q, q.target, d.fault);
		}
		give_answer(c, &denied);
		return;
	}
	plus = memchr(q.service, '+', q.service_length);
	service = strndup(q.service, plus ? (size_t)(plus - q.service) : q.service_length);
	argument =
		plus ? strndup(plus, q.service_length - (size_t)(plus - q.service)) : strdup("+");
	c->verdict = calloc(1, sizeof(*c->verdict));
	if (!service || !argument || !c->verdict) {
		give_answer(c, &denied);
	} else {
		call = (struct policy_call){.source = q.source,
					    .target = *q.target ? q.target : "@default",
					    .service = service,
					    .argument = argument};
		decide(c, &q, &call);
	}
	free(service);
	free(argument);
}

static void handle_connection(struct connection *c)
{
	ssize_t n;
	char unexpected;

	if (c->is_waiting) {
		/* It left, or talks too much: both end it. */
		(void)!recv(c->source.fd, &unexpected, 1, MSG_DONTWAIT);
		end_connection(c);
		return;
	}
	n = c->size < QUESTION_MAX
		    ? recv(c->source.fd, c->text + c->size, QUESTION_MAX - c->size, MSG_DONTWAIT)
		    : -1;
	if (n < 0 && c->size < QUESTION_MAX && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		end_connection(c);
		return;
	}
	c->size += (size_t)n;
	if (query_is_complete(c->text, c->size)) {
		handle_question(c);
	}
}

static void accept_connection(void)
{
	int fd = accept4(d.policy_listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c;

	if (fd < 0) {
		return;
	}
	c = d.connection_count < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c) {
		c->text = malloc(QUESTION_MAX); /* touched only as far as it is filled */
	}
	if (!c || !c->text) {
		free(c);
		close(fd);
		return;
	}
	c->source = (struct source){.kind = SOURCE_CONN, .fd = fd};
	c->number = d.next_number++;
	c->next = d.connections;
	d.connections = c;
	d.connection_count++;
	watch(&c->source);
}

/* ---- answers of the user ---- */

static void handle_choice(const char *line)
{
	struct answer denied = {0};
	struct connection *c;
	const struct domain_info *target;
	struct policy_verdict *v;
	char name[DOMAIN_NAME_SIZE + 16], end;
	unsigned int number;
	size_t i;

	if (sscanf(line, "%u %79s%c", &number, name, &end) != 2) {
		drop_asker();
		return;
	}
	for (c = d.connections; c && (c->number != number || !c->is_waiting); c = c->next) {
	}
	if (!c) {
		return; /* it was cancelled */
	}
	v = c->verdict;
	for (i = 0; i < v->candidate_count && strcmp(v->candidates[i], name); i++) {
	}
	if (i == v->candidate_count) {
		/* "-", or what was not offered: this process decides, not the window. */
		give_answer(c, &denied);
		return;
	}
	target = domain_list_find(&d.domains, name);
	snprintf(c->answer.target, sizeof(c->answer.target), "%s", name);
	snprintf(c->answer.target_uuid, sizeof(c->answer.target_uuid), "%s%s",
		 target && *target->uuid ? "uuid:" : "", target ? target->uuid : "");
	give_answer(c, &c->answer);
}

static void drop_asker(void)
{
	struct answer denied = {0};
	struct connection *c, *next;

	if (d.asker.fd < 0) {
		return;
	}
	close(d.asker.fd);
	d.asker.fd = -1;
	d.asker_size = 0;
	for (c = d.connections; c; c = next) {
		next = c->next;
		if (c->is_waiting) {
			give_answer(c, &denied);
		}
	}
}

static void handle_asker(void)
{
	char *newline;
	ssize_t n;

	n = recv(d.asker.fd, d.asker_line + d.asker_size, ASK_LINE_MAX - 1 - d.asker_size,
		 MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			drop_asker();
		}
		return;
	}
	d.asker_size += (size_t)n;
	d.asker_line[d.asker_size] = 0;
	while (d.asker.fd >= 0 && (newline = strchr(d.asker_line, '\n'))) {
		*newline = 0;
		handle_choice(d.asker_line);
		if (d.asker.fd >= 0) {
			d.asker_size -= (size_t)(newline + 1 - d.asker_line);
			memmove(d.asker_line, newline + 1, d.asker_size + 1);
		}
	}
	if (d.asker_size == ASK_LINE_MAX - 1) {
		drop_asker(); /* no line is that long */
	}
}

static void accept_asker(void)
{
	int fd = accept4(d.ask_listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		return;
	}
	drop_asker(); /* a session that starts again */
	d.asker.fd = fd;
	watch(&d.asker);
	if (!d.policy) {
		say_broken();
	}
}

/* ---- start ---- */

static void open_listener(struct source *s, enum source_kind kind, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct group *group = getgrnam("qubes");

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "mullion-policyd: %s: path too long\n", path);
		exit(2);
	}
	strcpy(address.sun_path, path);
	unlink(path);
	umask(0007);
	*s = (struct source){.kind = kind,
			     .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(s->fd, 1024)) {
		perror(path);
		exit(1);
	}
	if (group && chown(path, (uid_t)-1, group->gr_gid)) {
		perror(path);
	}
	watch(s);
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d.signal = (struct source){.kind = SOURCE_SIGNAL,
				   .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
	watch(&d.signal);
}

static void handle_signals(void)
{
	struct signalfd_siginfo info;

	while (read(d.signal.fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			load_domains();
			load_policy();
		} else {
			d.must_end = true;
		}
	}
}

static void enter_sandbox(void)
{
	static const char *const calls[] = {
		"accept4", /* its two sockets; no others can be made: no network */
		"openat",
		"open",
		"getdents64",
		"statx",
		"access",	     /* read policy again */
		"inotify_add_watch", /* see that it changed */
		NULL,
	};
	char domains_folder[512], *slash;
	struct sandbox_path paths[] = {
		{d.folder, false},	   /* the policy */
		{"/etc/qubes-rpc", false}, /* files that it may include */
		{"/etc/qubes", false},
		{domains_folder, false}, /* who is there */
		{0},
	};
	int rc;

	snprintf(domains_folder, sizeof(domains_folder), "%s", d.domains_file);
	slash = strrchr(domains_folder, '/');
	if (slash) {
		*slash = 0;
	}
	rc = sandbox_enter(calls, paths);
	if (rc) {
		fprintf(stderr, "mullion-policyd: cannot enter the sandbox: %s\n", strerror(-rc));
		exit(1);
	}
}

static void parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"policy-dir", required_argument, NULL, 'p'},
		{"domains", required_argument, NULL, 'd'},
		{"socket", required_argument, NULL, 's'},
		{"ask-socket", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			d.folder = optarg;
			break;
		case 'd':
			d.domains_file = optarg;
			break;
		case 's':
			d.policy_path = optarg;
			break;
		case 'a':
			d.ask_path = optarg;
			break;
		default:
			fprintf(opt == 'h' ? stdout : stderr,
				"usage: mullion-policyd [--policy-dir=DIR] [--domains=FILE] "
				"[--socket=PATH] [--ask-socket=PATH]\n");
			exit(opt == 'h' ? 0 : 2);
		}
	}
}

static void dispatch(struct source *s)
{
	switch (s->kind) {
	case SOURCE_SIGNAL:
		handle_signals();
		break;
	case SOURCE_INOTIFY:
		handle_changes();
		break;
	case SOURCE_POLICY:
		accept_connection();
		break;
	case SOURCE_ASK:
		accept_asker();
		break;
	case SOURCE_ASKER:
		handle_asker();
		break;
	case SOURCE_CONN:
		handle_connection((struct connection *)s);
		break;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event ev;
	int line;

	parse_arguments(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	d.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	open_signals();
	d.inotify = (struct source){.kind = SOURCE_INOTIFY,
				    .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
	watch(&d.inotify);
	open_listener(&d.policy_listener, SOURCE_POLICY, d.policy_path);
	open_listener(&d.ask_listener, SOURCE_ASK, d.ask_path);
	if (domain_list_parse("", &d.domains, &line)) {
		return 1;
	}
	enter_sandbox();
	load_domains();
	load_policy();
	watch_files();
	while (!d.must_end) {
		/* One at a time: an event may free what another one in a batch points to. */
		if (epoll_wait(d.epoll_fd, &ev, 1, -1) == 1) {
			dispatch(ev.data.ptr);
		}
	}
	return 0;
}
