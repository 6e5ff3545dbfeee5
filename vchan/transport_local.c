/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vchan over a UNIX stream socket: development and tests without a hypervisor.
 *
 * The server listens on $VCHAN_SOCKET_DIR/vchan.<server>.<client>.<port>.sock, accepts one
 * connection and removes the file; a client tries again while the file is missing or refuses.
 * The bytes are raw. Whoever may write to the folder may be any domain: this transport keeps
 * nobody apart.
 *
 * Waiting is made to look like an event channel. The descriptor given out is an epoll instance
 * that watches the socket edge-triggered: it becomes readable when something changed and stays
 * so until local_wait() takes the event. Space is watched only while a writer lacked some.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "vchan/transport.h"

/* What the kernel accounts is about twice this: payload and its own headers. */
#define SOCKET_BUFFER_BYTES (1024 * 1024)

/* A client looks for its server after 0.2 ms first and every 20 ms at last. */
#define RETRY_FIRST_NS 200000
#define RETRY_LAST_NS  20000000

enum local_state {
	LOCAL_LISTENING,
	LOCAL_CONNECTING,
	LOCAL_CONNECTED,
};

struct local {
	struct libvchan base;
	enum local_state state;
	int epoll_fd;
	int socket_fd; /* connection; while LOCAL_LISTENING the listener */
	int timer_fd;  /* LOCAL_CONNECTING only, else -1 */
	long retry_ns;
	int send_capacity; /* bytes that the kernel accounts at most for unread data */
	bool is_blocking;
	bool is_space_watched;
	struct sockaddr_un address;
};

static struct local *local_of(libvchan_t *ctrl)
{
	return (struct local *)ctrl;
}

static int watch(struct local *v, int op, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data = {.fd = fd}};

	return epoll_ctl(v->epoll_fd, op, fd, &ev);
}

static void local_close(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);

	if (v->state == LOCAL_LISTENING) {
		unlink(v->address.sun_path);
	}
	if (v->socket_fd >= 0) {
		close(v->socket_fd);
	}
	if (v->timer_fd >= 0) {
		close(v->timer_fd);
	}
	if (v->epoll_fd >= 0) {
		close(v->epoll_fd);
	}
	free(v);
}

static struct local *local_alloc(int server, int client, int port)
{
	struct local *v;

	if (vchan_local_domain() < 0) {
		errno = EINVAL;
		return NULL;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		return NULL;
	}
	v->base.ops = &vchan_ops_local;
	v->state = LOCAL_CONNECTING;
	v->socket_fd = v->timer_fd = v->epoll_fd = -1;
	v->is_blocking = true;
	v->address.sun_family = AF_UNIX;
	if (vchan_local_path(v->address.sun_path, sizeof(v->address.sun_path), "vchan", server,
			     client, port)) {
		goto fail;
	}
	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (v->epoll_fd < 0) {
		goto fail;
	}
	return v;

fail:
	local_close(&v->base);
	return NULL;
}

/*
 * The socket becomes the connection. Cannot lose events: ADD reports what is already there.
 * has_event: the caller did not come from local_wait(), so the descriptor, which is readable
 * because somebody connected, has to stay so (an empty socket is writable).
 */
static int adopt_connection(struct local *v, int fd, bool has_event)
{
	uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET | (has_event ? EPOLLOUT : 0);
	int size = SOCKET_BUFFER_BYTES;
	socklen_t length = sizeof(v->send_capacity);

	/* Without the right to exceed the system's limit, the limit is what we get. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size))) {
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &v->send_capacity, &length) ||
	    watch(v, EPOLL_CTL_ADD, fd, events)) {
		return -1;
	}
	v->is_space_watched = has_event;
	v->socket_fd = fd;
	v->state = LOCAL_CONNECTED;
	return 0;
}

static libvchan_t *local_server_init(int domain, int port, size_t read_min, size_t write_min)
{
	struct local *v = local_alloc(vchan_local_domain(), domain, port);
	int saved;

	if (!v) {
		return NULL;
	}
	v->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (v->socket_fd < 0) {
		goto fail;
	}
	/* As on Xen, where a new server overwrites the node that a dead one left. */
	unlink(v->address.sun_path);
	if (bind(v->socket_fd, (struct sockaddr *)&v->address, sizeof(v->address))) {
		goto fail;
	}
	v->state = LOCAL_LISTENING;
	if (listen(v->socket_fd, 1) || watch(v, EPOLL_CTL_ADD, v->socket_fd, EPOLLIN)) {
		goto fail;
	}
	return &v->base;

fail:
	saved = errno;
	local_close(&v->base);
	errno = saved;
	return NULL;
}

/* 0 when nobody has connected yet or somebody just did. */
static int try_accept(struct local *v, bool has_event)
{
	int listener = v->socket_fd;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -1;
	}
	/* The file goes before the listener, so that a newer server's file is never removed. */
	unlink(v->address.sun_path);
	(void)epoll_ctl(v->epoll_fd, EPOLL_CTL_DEL, listener, NULL);
	if (adopt_connection(v, fd, has_event)) {
		close(fd);
		return -1;
	}
	close(listener);
	return 0;
}

static libvchan_t *local_client_start(int domain, int port)
{
	struct local *v = local_alloc(domain, vchan_local_domain(), port);
	struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
	int saved;

	if (!v) {
		return NULL;
	}
	v->retry_ns = RETRY_FIRST_NS;
	v->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (v->timer_fd < 0 || timerfd_settime(v->timer_fd, 0, &soon, NULL) ||
	    watch(v, EPOLL_CTL_ADD, v->timer_fd, EPOLLIN)) {
		saved = errno;
		local_close(&v->base);
		errno = saved;
		return NULL;
	}
	return &v->base;
}

static int retry_later(struct local *v)
{
	struct itimerspec next = {.it_value = {.tv_nsec = v->retry_ns}};

	if (v->retry_ns < RETRY_LAST_NS) {
		v->retry_ns *= 2;
	}
	return timerfd_settime(v->timer_fd, 0, &next, NULL) ? -1 : 1;
}

static int local_client_finish(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);
	int fd, saved;

	if (v->state == LOCAL_CONNECTED) {
		return 0;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&v->address, sizeof(v->address))) {
		saved = errno;
		close(fd);
		errno = saved;
		switch (errno) {
		case ENOENT:
		case ECONNREFUSED:
		case EAGAIN:
		case EINTR:
			return retry_later(v);
		}
		return -1;
	}
	if (adopt_connection(v, fd, false)) {
		close(fd);
		return -1;
	}
	(void)epoll_ctl(v->epoll_fd, EPOLL_CTL_DEL, v->timer_fd, NULL);
	close(v->timer_fd);
	v->timer_fd = -1;
	return 0;
}

static int local_wait(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);
	struct epoll_event ev;
	uint64_t ticks;
	int count;

	do {
		count = epoll_wait(v->epoll_fd, &ev, 1, -1);
	} while (count < 0 && errno == EINTR);
	if (count < 0) {
		return -1;
	}
	switch (v->state) {
	case LOCAL_LISTENING:
		return try_accept(v, false);
	case LOCAL_CONNECTING:
		/* Read, so that the descriptor is quiet until the timer is set again. */
		return read(v->timer_fd, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN ? -1 : 0;
	case LOCAL_CONNECTED:
		break;
	}
	if ((ev.events & EPOLLOUT) && v->is_space_watched) {
		v->is_space_watched = false;
		return watch(v, EPOLL_CTL_MOD, v->socket_fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
	}
	return 0;
}

/* MOD reports space that appeared in between, so no wake-up is lost. */
static void watch_space(struct local *v)
{
	if (!v->is_space_watched) {
		v->is_space_watched = !watch(v, EPOLL_CTL_MOD, v->socket_fd,
					     EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	}
}

/* Before I/O: a waiting server accepts, blocking if asked to. 1 connected, 0 not, -1 error. */
static int need_connection(struct local *v)
{
	while (v->state != LOCAL_CONNECTED) {
		if (v->state == LOCAL_CONNECTING) {
			errno = ENOTCONN;
			return -1;
		}
		if (v->is_blocking ? local_wait(&v->base) : try_accept(v, true)) {
			return -1;
		}
		if (!v->is_blocking && v->state != LOCAL_CONNECTED) {
			return 0;
		}
	}
	return 1;
}

/*
 * The kernel takes a new piece of up to 36 KiB whenever less than send_capacity is accounted, and
 * accounts up to 5 KiB more than the payload for each; so a quarter kept free makes sure that
 * what is said to fit is taken at once.
 */
static int free_space(struct local *v)
{
	int unread = 0;

	if (ioctl(v->socket_fd, SIOCOUTQ, &unread)) {
		return -1;
	}
	if (unread > v->send_capacity / 4) {
		watch_space(v); /* below that the kernel reports "writable" already */
	}
	return unread >= v->send_capacity ? 0 : (v->send_capacity - unread) / 4 * 3;
}

/* Sends all of it, blocking. */
static int send_all(struct local *v, const uint8_t *data, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = send(v->socket_fd, data + done, size - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -1;
		}
		done += (size_t)n;
	}
	return (int)size;
}

static int local_write(libvchan_t *ctrl, const void *data, size_t size)
{
	struct local *v = local_of(ctrl);
	int rc = need_connection(v);
	ssize_t n;

	if (rc <= 0) {
		return rc;
	}
	if (v->is_blocking) {
		return send_all(v, data, size);
	}
	n = send(v->socket_fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		return -1;
	}
	if (n < (ssize_t)size) {
		watch_space(v);
	}
	return n < 0 ? 0 : (int)n;
}

static int local_send(libvchan_t *ctrl, const void *data, size_t size)
{
	struct local *v = local_of(ctrl);
	int rc = need_connection(v);
	int space;

	if (rc <= 0) {
		return rc;
	}
	if (size > (size_t)v->send_capacity / 2) {
		errno = EMSGSIZE;
		return -1;
	}
	if (!v->is_blocking) {
		space = free_space(v);
		if (space < 0) {
			return -1;
		}
		if ((size_t)space < size) {
			return 0;
		}
	}
	return send_all(v, data, size);
}

static int local_read(libvchan_t *ctrl, void *data, size_t size)
{
	struct local *v = local_of(ctrl);
	int rc = need_connection(v);
	ssize_t n;

	if (rc <= 0 || !size) {
		return rc < 0 ? -1 : 0;
	}
	do {
		n = recv(v->socket_fd, data, size, v->is_blocking ? 0 : MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		return 0;
	}
	if (n == 0) {
		errno = ECONNRESET;
		return -1;
	}
	return (int)n;
}

static int local_data_ready(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);
	int count = 0;

	if (v->state == LOCAL_LISTENING && try_accept(v, true)) {
		return -1;
	}
	if (v->state != LOCAL_CONNECTED) {
		return 0;
	}
	return ioctl(v->socket_fd, FIONREAD, &count) ? -1 : count;
}

static int local_recv(libvchan_t *ctrl, void *data, size_t size)
{
	struct local *v = local_of(ctrl);
	int rc = need_connection(v);
	size_t done = 0;
	int ready;

	if (rc <= 0) {
		return rc;
	}
	if (!v->is_blocking) {
		/* The peer's buffer is as large as ours; more than it holds never arrives. */
		if (size > (size_t)v->send_capacity / 2) {
			errno = EMSGSIZE;
			return -1;
		}
		ready = local_data_ready(ctrl);
		if (ready < 0 || (size_t)ready < size) {
			return ready < 0 || libvchan_is_open(ctrl) == VCHAN_DISCONNECTED ? -1 : 0;
		}
	}
	while (done < size) {
		rc = local_read(ctrl, (uint8_t *)data + done, size - done);
		if (rc < 0) {
			return -1;
		}
		done += (size_t)rc;
	}
	return (int)size;
}

static int local_fd(libvchan_t *ctrl)
{
	return local_of(ctrl)->epoll_fd;
}

static int local_is_open(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);
	struct pollfd p;

	if (v->state == LOCAL_LISTENING && try_accept(v, true)) {
		return VCHAN_DISCONNECTED;
	}
	if (v->state != LOCAL_CONNECTED) {
		return VCHAN_WAITING;
	}
	p = (struct pollfd){.fd = v->socket_fd, .events = POLLRDHUP};
	if (poll(&p, 1, 0) < 0) {
		return VCHAN_DISCONNECTED;
	}
	return p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL) ? VCHAN_DISCONNECTED
								      : VCHAN_CONNECTED;
}

static int local_buffer_space(libvchan_t *ctrl)
{
	struct local *v = local_of(ctrl);

	if (v->state == LOCAL_LISTENING && try_accept(v, true)) {
		return -1;
	}
	return v->state == LOCAL_CONNECTED ? free_space(v) : 0;
}

static void local_set_blocking(libvchan_t *ctrl, bool is_blocking)
{
	local_of(ctrl)->is_blocking = is_blocking;
}

const struct vchan_ops vchan_ops_local = {
	.server_init = local_server_init,
	.client_start = local_client_start,
	.client_finish = local_client_finish,
	.write = local_write,
	.send = local_send,
	.read = local_read,
	.recv = local_recv,
	.wait = local_wait,
	.close = local_close,
	.fd = local_fd,
	.is_open = local_is_open,
	.data_ready = local_data_ready,
	.buffer_space = local_buffer_space,
	.set_blocking = local_set_blocking,
};
