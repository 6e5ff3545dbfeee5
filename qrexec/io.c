/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qrexec/io_sandbox.h"
#include "qrexec/proto.h"

#define CHUNK_SIZE    65536
#define PIPE_SIZE     (1024 * 1024)
#define READS_A_TURN  4
#define BROKEN_PIPE   141 /* 128 + SIGPIPE, as a shell would say */
#define TIMEOUT_MAX_S 86400

void call_claim_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 0) {
		close(fd);
	}
}

/* ---- connecting ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int chosen_timeout_s;

void call_set_timeout_s(int seconds)
{
	chosen_timeout_s = seconds ? seconds : TIMEOUT_MAX_S;
}

int call_timeout_s(void)
{
	const char *text = getenv("QREXEC_CONNECT_TIMEOUT");
	int seconds = text ? atoi(text) : 0;

	if (chosen_timeout_s) {
		return chosen_timeout_s;
	}
	return seconds > 0 && seconds <= TIMEOUT_MAX_S ? seconds : 60;
}

/*
 * Waits for a change of the vchan until the deadline. 0, or -1 with errno. A change comes before
 * an abort: a short call may be over, with its data waiting for us, when we look first.
 */
static int wait_until(libvchan_t *vchan, int64_t deadline_ms, int abort_fd)
{
	struct pollfd p[2] = {{.fd = libvchan_fd_for_select(vchan), .events = POLLIN},
			      {.fd = abort_fd, .events = POLLIN}};
	int64_t left = deadline_ms - now_ms();
	int n = poll(p, 2, left > 0 ? (int)left : 0);

	if (n < 0 && errno == EINTR) {
		return 0;
	}
	if (p[0].revents) {
		return libvchan_wait(vchan);
	}
	if (n >= 0) {
		errno = n ? ECONNABORTED : ETIMEDOUT;
	}
	return -1;
}

static libvchan_t *close_keeping_errno(libvchan_t *vchan)
{
	int saved = errno;

	libvchan_close(vchan);
	errno = saved;
	return NULL;
}

libvchan_t *call_listen(int domain, int port, int buffer_size, int abort_fd)
{
	libvchan_t *v =
		libvchan_server_init(domain, port, (size_t)buffer_size, (size_t)buffer_size);
	int64_t deadline = now_ms() + call_timeout_s() * 1000;
	int why;

	while (v && libvchan_is_open(v) == VCHAN_WAITING) {
		if (!wait_until(v, deadline, abort_fd)) {
			continue;
		}
		why = errno;
		if (libvchan_is_open(v) == VCHAN_WAITING) {
			errno = why;
			return close_keeping_errno(v);
		}
	}
	return v;
}

libvchan_t *call_connect(int domain, int port, int abort_fd)
{
	int64_t deadline = now_ms() + call_timeout_s() * 1000;
	int fd, rc;
	libvchan_t *v = libvchan_client_init_async(domain, port, &fd);

	if (!v) {
		return NULL;
	}
	while ((rc = libvchan_client_init_async_finish(v, true)) > 0) {
		if (wait_until(v, deadline, abort_fd)) {
			return close_keeping_errno(v);
		}
	}
	return rc < 0 ? close_keeping_errno(v) : v;
}

int call_handshake(libvchan_t *vchan)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 4];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	struct qrexec_header header;
	unsigned int version;
	struct wire in;

	qrexec_hello_encode(&out, QREXEC_VERSION_MAX);
	libvchan_set_blocking(vchan, true);
	if (libvchan_write(vchan, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    libvchan_recv(vchan, bytes, QREXEC_HEADER_SIZE) != QREXEC_HEADER_SIZE) {
		fprintf(stderr, "qrexec: the peer left before HELLO\n");
		return -1;
	}
	in = wire_of(bytes, QREXEC_HEADER_SIZE);
	if (qrexec_header_decode(&in, QREXEC_SERVICE_TO_CALLER, QREXEC_VERSION_MAX, &header) ||
	    header.type != MSG_HELLO || libvchan_recv(vchan, bytes, 4) != 4) {
		fprintf(stderr, "qrexec: the peer did not say HELLO\n");
		return -1;
	}
	in = wire_of(bytes, 4);
	if (qrexec_hello_decode(&in, QREXEC_VERSION_MAX, &version)) {
		fprintf(stderr, "qrexec: the peer's HELLO has a version below 2\n");
		return -1;
	}
	return (int)version;
}

/* ---- where data goes ---- */

enum sink_kind {
	SINK_NONBLOCK, /* our own open file description, non-blocking */
	SINK_SOCKET,
	SINK_SHARED, /* somebody else's too: only written to when it has room */
	SINK_FILE,   /* never blocks for long */
};

struct sink {
	int fd;		/* -1: closed */
	int also_close; /* the original of a descriptor that was opened again, or -1 */
	enum sink_kind kind;
};

/* Our own view of a pipe, so that O_NONBLOCK does not hit the others who have it open. */
static void sink_open(struct sink *s, int fd)
{
	struct stat st;
	char path[32];
	int again;

	*s = (struct sink){.fd = fd, .also_close = -1, .kind = SINK_SHARED};
	if (fd < 0 || fstat(fd, &st)) {
		return;
	}
	if (S_ISREG(st.st_mode)) {
		s->kind = SINK_FILE;
	} else if (S_ISSOCK(st.st_mode)) {
		s->kind = SINK_SOCKET;
	} else if (S_ISFIFO(st.st_mode)) {
		/* Only fewer system calls depend on this. */
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		again = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (again >= 0) {
			s->fd = again;
			s->also_close = fd;
			s->kind = SINK_NONBLOCK;
		}
	}
}

/* Bytes taken, 0 when it has no room now, -1 when it never will. */
static ssize_t sink_write(const struct sink *s, const uint8_t *data, size_t size)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	ssize_t n;

	switch (s->kind) {
	case SINK_SOCKET:
		n = send(s->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case SINK_SHARED:
		if (poll(&p, 1, 0) == 0) {
			return 0;
		}
		/* A pipe that polls writable takes this much without blocking. */
		n = write(s->fd, data, size < 4096 ? size : 4096);
		break;
	default:
		n = write(s->fd, data, size);
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	return n;
}

static void sink_close(struct sink *s, int source_fd)
{
	if (s->fd < 0) {
		return;
	}
	if (s->fd == source_fd) {
		shutdown(s->fd, SHUT_WR); /* a socket: the other direction goes on */
	} else {
		if (s->kind == SINK_SOCKET) {
			shutdown(s->fd, SHUT_WR);
		}
		close(s->fd);
	}
	if (s->also_close >= 0) {
		close(s->also_close);
	}
	s->fd = s->also_close = -1;
}

/* ---- the call ---- */

struct call {
	struct call_io io;
	unsigned int version;
	struct sink sink;
	struct sink errors; /* caller only */
	int source_fd;	    /* -1 after its end */
	int error_fd;	    /* service only; -1 after its end */
	int pid_fd;	    /* -1 when the program has been waited for, or there is none */
	bool has_source_eof_sent;
	bool is_writable;  /* the vchan still takes data */
	bool is_exit_sent; /* service */
	int exit_code;
	bool is_over;
	/* To the vchan: header and body of one message, or a part not yet taken. */
	uint8_t out[QREXEC_HEADER_SIZE + CHUNK_SIZE];
	size_t out_at, out_end;
	/* From the vchan. */
	uint8_t in[2 * (QREXEC_HEADER_SIZE + CHUNK_SIZE)];
	size_t in_at, in_end;
	enum qrexec_type body_type; /* while body_left > 0 */
	uint32_t body_left;
	bool may_have_more; /* the vchan was not read until it was empty */
};

static void finish(struct call *c, int exit_code)
{
	c->exit_code = exit_code;
	c->is_over = true;
}

static void put_message(struct call *c, enum qrexec_type type, size_t size)
{
	struct wire_out out = wire_out_of(c->out, QREXEC_HEADER_SIZE);

	qrexec_header_encode(&out, type, (uint32_t)size);
	c->out_at = 0;
	c->out_end = QREXEC_HEADER_SIZE + size;
}

static void put_exit_code(struct call *c, int code)
{
	struct wire_out out = wire_out_of(c->out, sizeof(c->out));

	qrexec_exit_code_encode(&out, (uint32_t)code);
	c->out_at = 0;
	c->out_end = out.size;
	c->exit_code = code;
	c->is_exit_sent = true;
}

static void flush_out(struct call *c)
{
	int n;

	if (c->out_at == c->out_end) {
		return;
	}
	n = c->is_writable ? libvchan_write(c->io.vchan, c->out + c->out_at, c->out_end - c->out_at)
			   : -1;
	if (n < 0) {
		/* The peer is gone; what it sent before may still be there to read. */
		c->is_writable = false;
		c->out_at = c->out_end = 0;
		return;
	}
	c->out_at += (size_t)n;
}

/* Reads one piece of a local descriptor into the empty out buffer. */
static void read_local(struct call *c, int *fd, enum qrexec_type type)
{
	size_t room = qrexec_chunk_size_max(c->version);
	ssize_t n = read(*fd, c->out + QREXEC_HEADER_SIZE, room);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		n = 0;
		if (*fd == c->sink.fd) {
			shutdown(*fd, SHUT_RD);
		} else {
			close(*fd);
		}
		*fd = -1;
	}
	put_message(c, type, (size_t)n);
	flush_out(c);
}

static void filter(uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if ((data[i] < 0x20 || data[i] > 0x7e) && !strchr("\t\n\r\b\a", data[i])) {
			data[i] = '_';
		} else if (!data[i]) {
			data[i] = '_'; /* strchr() finds the terminator */
		}
	}
}

/* Up to size bytes of a body go to a sink. How many were taken; all of them by a closed one. */
static size_t deliver(struct call *c, struct sink *sink, bool is_filtered, uint8_t *data,
		      size_t size)
{
	ssize_t n;

	if (sink->fd < 0) {
		return size;
	}
	if (is_filtered) {
		filter(data, size);
	}
	n = sink_write(sink, data, size);
	if (n >= 0) {
		return (size_t)n;
	}
	if (sink == &c->sink && c->io.is_sink_own) {
		finish(c, BROKEN_PIPE);
	}
	sink_close(sink, c->source_fd);
	return size;
}

static void protocol_error(struct call *c, const char *what)
{
	fprintf(stderr, "qrexec: data connection: %s\n", what);
	finish(c, QREXEC_EXIT_PROBLEM);
}

static void handle_end_of_input(struct call *c)
{
	sink_close(&c->sink, c->source_fd);
	if (c->io.is_service && c->io.exit_on_client_eof && !c->is_exit_sent) {
		c->io.exit_on_service_eof = true;
		if (c->source_fd >= 0) {
			close(c->source_fd);
			c->source_fd = -1;
		}
	}
}

/* A header is at in_at. False when more bytes are needed. */
static bool handle_header(struct call *c)
{
	struct wire in = wire_of(c->in + c->in_at, QREXEC_HEADER_SIZE);
	struct qrexec_header header;
	uint32_t code;

	if (c->in_end - c->in_at < QREXEC_HEADER_SIZE) {
		return false;
	}
	if (qrexec_header_decode(
		    &in, c->io.is_service ? QREXEC_CALLER_TO_SERVICE : QREXEC_SERVICE_TO_CALLER,
		    c->version, &header) ||
	    header.type == MSG_HELLO) {
		protocol_error(c, "message of an unknown type or an impossible size");
		return false;
	}
	if (header.type == MSG_DATA_EXIT_CODE) {
		if (c->in_end - c->in_at < QREXEC_HEADER_SIZE + header.size) {
			return false;
		}
		in = wire_of(c->in + c->in_at + QREXEC_HEADER_SIZE, header.size);
		if (qrexec_exit_code_decode(&in, &code)) {
			protocol_error(c, "exit code of a wrong length");
			return false;
		}
		finish(c, (int)(code & 0xff));
		return false;
	}
	c->in_at += QREXEC_HEADER_SIZE;
	c->body_type = header.type;
	c->body_left = header.size;
	if (!header.size && header.type != MSG_DATA_STDERR) {
		handle_end_of_input(c);
	}
	return true;
}

/* Works through what has been read. Stops at a sink without room. */
static void handle_input(struct call *c)
{
	size_t size, taken;

	while (!c->is_over) {
		if (!c->body_left) {
			if (!handle_header(c)) {
				break;
			}
			continue;
		}
		size = c->in_end - c->in_at;
		size = size < c->body_left ? size : c->body_left;
		if (!size) {
			break;
		}
		if (c->body_type == MSG_DATA_STDERR) {
			taken = deliver(c, &c->errors, c->io.filter_errors, c->in + c->in_at, size);
		} else {
			taken = deliver(c, &c->sink, c->io.filter_output, c->in + c->in_at, size);
		}
		if (!taken) {
			break;
		}
		c->in_at += taken;
		c->body_left -= (uint32_t)taken;
	}
	if (c->in_at == c->in_end) {
		c->in_at = c->in_end = 0;
	}
}

static bool has_pending_body(const struct call *c)
{
	return c->body_left && c->in_at < c->in_end;
}

static void read_vchan(struct call *c)
{
	int n, turns;

	c->may_have_more = false;
	for (turns = 0; !c->is_over && !has_pending_body(c); turns++) {
		if (turns == READS_A_TURN) {
			c->may_have_more = true; /* the other direction has its turn first */
			return;
		}
		/* Less than a header or an exit code is left: make room behind it. */
		memmove(c->in, c->in + c->in_at, c->in_end - c->in_at);
		c->in_end -= c->in_at;
		c->in_at = 0;
		n = libvchan_read(c->io.vchan, c->in + c->in_end, sizeof(c->in) - c->in_end);
		if (n < 0) {
			finish(c, QREXEC_EXIT_PROBLEM);
			return;
		}
		if (n == 0) {
			return;
		}
		c->in_end += (size_t)n;
		handle_input(c);
	}
}

static void reap(struct call *c)
{
	int status;

	if (waitpid(c->io.pid, &status, WNOHANG) != c->io.pid) {
		return;
	}
	c->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	close(c->pid_fd);
	c->pid_fd = -1;
}

/* When the program is done and everything it said was sent, its exit code goes. */
static void end_service(struct call *c)
{
	if (c->out_at < c->out_end) {
		return;
	}
	if (c->is_exit_sent || !c->is_writable) {
		finish(c, c->exit_code);
		return;
	}
	if (c->source_fd < 0 && ((c->pid_fd < 0 && c->error_fd < 0) || c->io.exit_on_service_eof)) {
		put_exit_code(c, c->exit_code);
		flush_out(c);
		if (c->out_at == c->out_end) {
			finish(c, c->exit_code);
		}
	}
}

static short source_events(const struct call *c, int fd)
{
	return fd >= 0 && c->out_at == c->out_end && c->is_writable ? POLLIN : 0;
}

static void wait_for_work(struct call *c, struct pollfd p[5])
{
	bool is_blocked = has_pending_body(c);
	const struct sink *blocked = c->body_type == MSG_DATA_STDERR ? &c->errors : &c->sink;
	short events;

	p[0] = (struct pollfd){.fd = libvchan_fd_for_select(c->io.vchan), .events = POLLIN};
	events = source_events(c, c->source_fd);
	p[1] = (struct pollfd){.fd = events ? c->source_fd : -1, .events = events};
	events = source_events(c, c->error_fd);
	p[2] = (struct pollfd){.fd = events ? c->error_fd : -1, .events = events};
	p[3] = (struct pollfd){.fd = is_blocked ? blocked->fd : -1, .events = POLLOUT};
	p[4] = (struct pollfd){.fd = c->pid_fd, .events = POLLIN};
	/* Interrupted: nothing is ready, the loop comes back. */
	(void)poll(p, 5, c->may_have_more ? 0 : -1);
}

static void step(struct call *c)
{
	struct pollfd p[5] = {0};

	wait_for_work(c, p);
	if (p[0].revents && libvchan_wait(c->io.vchan)) {
		finish(c, QREXEC_EXIT_PROBLEM);
		return;
	}
	flush_out(c);
	/* Errors first: there are few, and they explain the output. */
	if (p[2].revents && c->out_at == c->out_end) {
		read_local(c, &c->error_fd, MSG_DATA_STDERR);
	}
	if (p[1].revents && c->out_at == c->out_end) {
		read_local(c, &c->source_fd, c->io.is_service ? MSG_DATA_STDOUT : MSG_DATA_STDIN);
	}
	if (p[4].revents) {
		reap(c);
	}
	handle_input(c);
	read_vchan(c);
	if (c->io.is_service && !c->is_over) {
		end_service(c);
	}
}

static void open_ends(struct call *c)
{
	const struct call_io *io = &c->io;

	c->source_fd = io->source_fd;
	c->error_fd = c->pid_fd = -1;
	c->errors.fd = c->errors.also_close = -1;
	if (io->source_fd >= 0) {
		(void)fcntl(io->source_fd, F_SETPIPE_SZ, PIPE_SIZE); /* not a pipe: no matter */
	}
	sink_open(&c->sink, io->sink_fd);
	if (io->is_service) {
		c->error_fd = io->error_fd;
		if (io->pid > 0) {
			c->pid_fd = pidfd_open(io->pid, 0);
		}
	} else {
		sink_open(&c->errors, io->error_fd);
	}
}

static void close_ends(struct call *c)
{
	int source = c->source_fd;

	if (source >= 0) {
		close(source);
	}
	c->source_fd = -1;
	if (c->sink.fd == source) {
		c->sink.fd = -1;
	}
	sink_close(&c->sink, -1);
	if (c->errors.fd >= 0 && c->errors.also_close >= 0) {
		close(c->errors.fd); /* the original is our stderr and stays */
	}
	if (c->error_fd >= 0) {
		close(c->error_fd);
	}
	if (c->pid_fd >= 0) {
		close(c->pid_fd);
	}
}

int call_run(const struct call_io *io)
{
	struct call *c;
	int version = call_handshake(io->vchan);
	int exit_code;

	c = version < 0 ? NULL : calloc(1, sizeof(*c));
	if (!c) {
		return QREXEC_EXIT_PROBLEM;
	}
	signal(SIGPIPE, SIG_IGN);
	c->io = *io;
	c->version = (unsigned int)version;
	c->is_writable = true;
	libvchan_set_blocking(io->vchan, false);
	open_ends(c);
	call_sandbox();
	while (!c->is_over) {
		step(c);
	}
	exit_code = c->exit_code;
	close_ends(c);
	free(c);
	return exit_code;
}

void call_fail(libvchan_t *vchan, int exit_code, const char *why)
{
	uint8_t bytes[1024];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	size_t size = strnlen(why, 512);

	if (call_handshake(vchan) < 0) {
		return;
	}
	qrexec_header_encode(&out, MSG_DATA_STDERR, (uint32_t)size);
	wire_put_bytes(&out, why, size);
	qrexec_header_encode(&out, MSG_DATA_STDOUT, 0);
	qrexec_header_encode(&out, MSG_DATA_STDERR, 0);
	qrexec_exit_code_encode(&out, (uint32_t)exit_code);
	(void)!libvchan_write(vchan, bytes, out.size);
}
