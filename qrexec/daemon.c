/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-daemon: one for each domain, in dom0.
 *
 * Four kinds of process, so that nothing that a guest sends is read with dom0's rights:
 *   this one	  ports, clients of dom0, policy questions; reads only checked structs of the
 *		  parser; sandboxed, with nothing but its folder of sockets
 *   starter	  starts the others, as this one cannot (daemon_starter.c)
 *   parser	  holds the control vchan, sandboxed (parser.c)
 *   connector	  one for each allowed call, brings the two ends together (connect.c); when
 *		  dom0 itself is the target it starts the service and then is sandboxed, too
 * When the agent goes, the parser ends, and a new one waits for the next agent.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "qrexec/connect.h"
#include "qrexec/daemon_calls.h"
#include "qrexec/daemon_clients.h"
#include "qrexec/daemon_starter.h"
#include "qrexec/parser.h"

#define POLICY_SOCKET "/run/qubes/policy.sock"

/* A message that the parser has no room for yet. */
struct queued {
	struct queued *next;
	size_t size;
	uint8_t bytes[];
};

struct daemon the_daemon = {
	.socket_dir = QREXEC_SOCKET_DIR, .policy_socket = POLICY_SOCKET, .user = "user"};

static struct {
	struct queued *first, **end;
} queue;

void daemon_watch(struct source *s, uint32_t events, int op)
{
	struct epoll_event ev = {.events = events, .data = {.ptr = s}};

	if (epoll_ctl(the_daemon.epoll_fd, op, s->fd, &ev)) {
		perror("qrexec-daemon: epoll");
		exit(1);
	}
}

/*
 * Removed by hand: a child that was just forked still has a copy of the descriptor, and as long as
 * it has, epoll would go on reporting it to us.
 */
void daemon_unwatch(struct source *s)
{
	(void)epoll_ctl(the_daemon.epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
}

/* ---- to the agent, through the parser ---- */

static void flush_queue(void)
{
	struct queued *q;

	while ((q = queue.first)) {
		if (send(the_daemon.parser.fd, q->bytes, q->size, MSG_DONTWAIT | MSG_NOSIGNAL) <
		    0) {
			if (errno == EAGAIN) {
				daemon_watch(&the_daemon.parser, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			}
			return; /* a dead parser shows as the end of its socket */
		}
		queue.first = q->next;
		free(q);
	}
	queue.end = &queue.first;
	daemon_watch(&the_daemon.parser, EPOLLIN, EPOLL_CTL_MOD);
}

/* Bounded by the number of clients and calls, which are bounded themselves. */
bool daemon_send_to_agent(const struct wire_out *message)
{
	struct queued *q = malloc(sizeof(*q) + message->size);

	if (!q) {
		return false;
	}
	q->next = NULL;
	q->size = message->size;
	memcpy(q->bytes, message->bytes, message->size);
	*queue.end = q;
	queue.end = &q->next;
	flush_queue();
	return true;
}

void daemon_send_refused(const char *ident)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + QREXEC_IDENT_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	qrexec_refused_encode(&out, ident);
	(void)daemon_send_to_agent(&out);
}

/* ---- the agent ---- */

static void start_parser(void)
{
	int pair[2], size = 1024 * 1024;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		perror("qrexec-daemon: socketpair");
		exit(1);
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	the_daemon.parser_start = time(NULL);
	the_daemon.parser_pid = starter_start(START_PARSER, NULL, pair[1]);
	if (the_daemon.parser_pid < 0) {
		fprintf(stderr, "qrexec-daemon: %s: cannot start a parser\n", the_daemon.name);
		exit(1);
	}
	close(pair[1]);
	the_daemon.parser = (struct source){.kind = SOURCE_PARSER, .fd = pair[0]};
	queue.end = &queue.first;
	daemon_watch(&the_daemon.parser, EPOLLIN, EPOLL_CTL_ADD);
}

/*
 * The agent is gone: whoever waits for it would wait for ever. Established calls go on; their
 * ports are free again, and used in turn, so that they are not hit soon.
 */
static void forget_agent(void)
{
	struct queued *q;

	the_daemon.is_ready = false;
	daemon_unwatch(&the_daemon.parser);
	while ((q = queue.first)) {
		queue.first = q->next;
		free(q);
	}
	clients_end_all();
	calls_end_all();
	ports_clear(&the_daemon.ports);
}

static void handle_report(const uint8_t *bytes, size_t size)
{
	struct parser_report r;
	void *owner;

	if (!parser_report_is_valid(&r, bytes, size)) {
		fprintf(stderr, "qrexec-daemon: %s: impossible report of its parser\n",
			the_daemon.name);
		starter_kill(the_daemon.parser_pid);
		return;
	}
	switch (r.kind) {
	case PARSER_READY:
		if (!the_daemon.is_quiet) {
			fprintf(stderr, "qrexec-daemon: %s: agent connected, version %u\n",
				the_daemon.name, r.version);
		}
		the_daemon.is_ready = true;
		clients_run_waiting();
		break;
	case PARSER_TRIGGER:
		if (the_daemon.is_ready) {
			calls_start(&r.trigger);
		}
		break;
	case PARSER_TERMINATED:
		if (ports_release(&the_daemon.ports, &r.place, &owner)) {
			if (owner) {
				clients_end(owner); /* tells it that the call is over */
			}
			clients_run_waiting();
		}
		break;
	}
}

static void handle_parser(uint32_t events)
{
	static uint8_t bytes[sizeof(struct parser_report) + QREXEC_SERVICE_SIZE_MAX];
	ssize_t n;
	int i;

	if (events & EPOLLOUT) {
		flush_queue();
	}
	/* Some at a time: clients have their turn between. */
	for (i = 0; i < 16; i++) {
		n = recv(the_daemon.parser.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0) {
			break;
		}
		handle_report(bytes, (size_t)n);
	}
	if (i < 16 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		forget_agent();
		start_parser();
	}
}

/* ---- processes ---- */

static void handle_child(pid_t pid, int status)
{
	if (pid == the_daemon.parser_pid && WIFEXITED(status) && WEXITSTATUS(status) == 3) {
		fprintf(stderr, "qrexec-daemon: %s: the domain is gone\n", the_daemon.name);
		the_daemon.must_end = true;
		return;
	}
	calls_child_ended(pid, status);
}

static void handle_signals(void)
{
	struct signalfd_siginfo info;

	while (read(the_daemon.signal.fd, &info, sizeof(info)) == sizeof(info)) {
		the_daemon.must_end = true;
	}
}

static void handle_starter(void)
{
	int status;
	pid_t pid;

	while (starter_ended(&pid, &status)) {
		handle_child(pid, status);
	}
}

/* ---- start ---- */

static char socket_path[108], socket_link[108];

/* The socket gets its name when somebody listens: whoever waits for the name may call at once. */
static void open_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];

	if (snprintf(socket_path, sizeof(socket_path), "%s/qrexec.%s", the_daemon.socket_dir,
		     the_daemon.name) >= (int)sizeof(socket_path) ||
	    snprintf(socket_link, sizeof(socket_link), "%s/qrexec.%d", the_daemon.socket_dir,
		     the_daemon.domain) >= (int)sizeof(socket_link)) {
		fprintf(stderr, "qrexec-daemon: %s: path too long\n", the_daemon.socket_dir);
		exit(2);
	}
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/.qrexec.%d",
		     the_daemon.socket_dir, (int)getpid()) >= (int)sizeof(address.sun_path)) {
		fprintf(stderr, "qrexec-daemon: %s: path too long\n", the_daemon.socket_dir);
		exit(2);
	}
	snprintf(name, sizeof(name), "qrexec.%s", the_daemon.name);
	unlink(address.sun_path);
	unlink(socket_link);
	the_daemon.listener = (struct source){
		.kind = SOURCE_LISTENER,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	umask(0007); /* dom0's user is in the group */
	if (the_daemon.listener.fd < 0 ||
	    bind(the_daemon.listener.fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(the_daemon.listener.fd, 1024) || rename(address.sun_path, socket_path) ||
	    symlink(name, socket_link)) {
		perror(socket_path);
		exit(1);
	}
	daemon_watch(&the_daemon.listener, EPOLLIN, EPOLL_CTL_ADD);
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	the_daemon.signal = (struct source){.kind = SOURCE_SIGNAL,
					    .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
	daemon_watch(&the_daemon.signal, EPOLLIN, EPOLL_CTL_ADD);
}

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-daemon [options] DOMAIN-ID DOMAIN-NAME [DEFAULT-USER]\n"
	      "  -D, --direct           stay in the foreground, log to stderr\n"
	      "  -q, --quiet            only errors\n"
	      "  --socket-dir=DIR       where to listen (default " QREXEC_SOCKET_DIR ")\n"
	      "  --policy-socket=PATH   the policy process (default " POLICY_SOCKET ")\n"
	      "  --policy-program=PATH  a program instead of the policy process\n"
	      "  --uuid=UUID            also listen as qrexec.uuid:UUID\n"
	      "  --until-idle=SECONDS   end with the last call, or when none came within SECONDS\n",
	      code ? stderr : stdout);
	exit(code);
}

static bool is_direct;
static const char *uuid;

static void parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"direct", no_argument, NULL, 'D'},
		{"quiet", no_argument, NULL, 'q'},
		{"socket-dir", required_argument, NULL, 's'},
		{"policy-socket", required_argument, NULL, 'P'},
		{"policy-program", required_argument, NULL, 'p'},
		{"uuid", required_argument, NULL, 'u'},
		{"until-idle", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char *end;
	long id;
	int opt;

	while ((opt = getopt_long(argc, argv, "hqp:Du:", options, NULL)) != -1) {
		switch (opt) {
		case 'D':
			is_direct = true;
			break;
		case 'q':
			the_daemon.is_quiet = true;
			break;
		case 's':
			the_daemon.socket_dir = optarg;
			break;
		case 'P':
			the_daemon.policy_socket = optarg;
			break;
		case 'p':
			the_daemon.policy_program = optarg;
			break;
		case 'u':
			uuid = optarg;
			break;
		case 'i':
			the_daemon.first_call_seconds = atoi(optarg);
			if (the_daemon.first_call_seconds < 1) {
				usage(2);
			}
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	if (argc - optind < 2 || argc - optind > 3) {
		usage(2);
	}
	id = strtol(argv[optind], &end, 10);
	if (*end || id < 1 || id >= 0x7ff0 || !qrexec_is_name(argv[optind + 1], "") ||
	    strlen(argv[optind + 1]) > 31) {
		fprintf(stderr, "qrexec-daemon: not a domain: %s %s\n", argv[optind],
			argv[optind + 1]);
		exit(2);
	}
	the_daemon.domain = (int)id;
	the_daemon.name = argv[optind + 1];
	the_daemon.user = argc - optind == 3 ? argv[optind + 2] : the_daemon.user;
	the_daemon.ports.remote = (unsigned int)id;
}

/* A second name for those who know the domain by its UUID. */
static void link_uuid(char path[108], bool is_there)
{
	char name[64];

	if (!uuid || snprintf(path, 108, "%s/qrexec.uuid:%s", the_daemon.socket_dir, uuid) >= 108) {
		return;
	}
	unlink(path);
	snprintf(name, sizeof(name), "qrexec.%s", the_daemon.name);
	if (is_there && symlink(name, path)) {
		perror(path);
	}
}

/* For a domain that exists for its calls only. */
static bool is_over(void)
{
	static time_t start;

	start = start ? start : time(NULL);
	if (!the_daemon.first_call_seconds) {
		return false;
	}
	return the_daemon.had_call ? !calls_count() && ports_are_idle(&the_daemon.ports)
				   : time(NULL) - start >= the_daemon.first_call_seconds;
}

static void dispatch(struct source *s, uint32_t events)
{
	switch (s->kind) {
	case SOURCE_SIGNAL:
		handle_signals();
		break;
	case SOURCE_LISTENER:
		clients_accept();
		break;
	case SOURCE_STARTER:
		handle_starter();
		break;
	case SOURCE_PARSER:
		handle_parser(events);
		break;
	case SOURCE_CLIENT:
		clients_read(s);
		break;
	case SOURCE_CALL:
		calls_answer(s);
		break;
	}
}

static void enter_sandbox(void)
{
	static const char *const calls[] = {
		"accept4",		    /* clients */
		"socket",     "connect",    /* the policy process */
		"socketpair", "setsockopt", /* a new parser's socket */
		"pipe2",		    /* a policy program's output */
		"unlink",		    /* its own sockets, at the end */
		NULL,
	};
	const struct sandbox_path paths[] = {{.path = the_daemon.socket_dir, .is_writable = true},
					     {0}};
	int rc = sandbox_enter(calls, paths);

	if (rc) {
		fprintf(stderr, "qrexec-daemon: cannot enter the sandbox: %s\n", strerror(-rc));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event ev;
	char uuid_path[108];

	parse_arguments(argc, argv);
	if (!is_direct && daemon(0, 1)) {
		perror("qrexec-daemon: daemon");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	starter_begin();
	the_daemon.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	open_signals();
	daemon_watch(&the_daemon.starter, EPOLLIN, EPOLL_CTL_ADD);
	start_parser();
	open_socket();
	link_uuid(uuid_path, true);
	enter_sandbox();
	while (!the_daemon.must_end && !is_over()) {
		/* One at a time: an event may free what another one in a batch points to. */
		if (epoll_wait(the_daemon.epoll_fd, &ev, 1,
			       the_daemon.first_call_seconds ? 1000 : -1) == 1) {
			dispatch(ev.data.ptr, ev.events);
		}
	}
	link_uuid(uuid_path, false);
	unlink(socket_path);
	unlink(socket_link);
	return 0;
}
