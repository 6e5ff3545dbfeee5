/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vchan over Xen: rings in granted pages through Debian's libxenvchan.
 *
 * libxenvchan is always used without blocking, and waiting is done here, because its own wait
 * sees only the event channel: a peer that is destroyed (rather than closing) sends no event.
 * The descriptor given out is an epoll instance over the event channel and a second source that
 * tells of dead domains: in dom0 xenstore's @releaseDomain watch, in other domains (which may not
 * have that watch) a timer that asks xenstore every other second. Debian's xenstored answers
 * that question to dom0 only: a guest does not learn that another guest was destroyed, as opposed
 * to having closed, until dom0 ends the call.
 *
 * xenstore nodes: server data/vchan/<client>/<port> in its own home, removed once the client is
 * there; the client watches the node event-channel below it.
 *
 * A domain that was saved and restored has its rings in memory as they were, but the peers and the
 * event channels belong to a domain that is gone, and nothing says so. It has a new home in
 * xenstore, though: data/vchan-epoch there is a random word, written by the first connection of a
 * domain; one that finds another word than it began with, or none, was restored, and its peer is as
 * good as dead.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#include "vchan/transport.h"

#define LIFE_CHECK_SECONDS 2
#define EPOCH_NODE	   "data/vchan-epoch"
#define EPOCH_SIZE	   17 /* 16 digits */

struct xen {
	struct libvchan base;
	int peer;
	int epoll_fd;
	int timer_fd; /* outside dom0, else -1 */
	struct xs_handle *xs;
	/*
	 * For questions about the peer's life. A handle with a watch has a thread that reads for
	 * it, which a child of fork() does not have, and then waits for ever; agents fork. This one
	 * has no watch. In dom0 it is xs itself: nothing forks there.
	 */
	struct xs_handle *life;
	struct libxenvchan *ring; /* NULL while a client waits for its server */
	bool is_blocking;
	bool is_server;
	bool was_connected;
	bool is_peer_dead;
	bool is_node_removed;
	char path[64];		/* of the node: relative for a server, absolute for a client */
	char epoch[EPOCH_SIZE]; /* empty: in dom0, which is not restored, or not known */
};

static struct xen *xen_of(libvchan_t *ctrl)
{
	return (struct xen *)ctrl;
}

static void xen_close(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);

	if (v->ring) {
		libxenvchan_close(v->ring);
	}
	if (v->xs) {
		if (v->life && v->life != v->xs) {
			xs_close(v->life);
		}
		xs_close(v->xs);
	}
	if (v->timer_fd >= 0) {
		close(v->timer_fd);
	}
	if (v->epoll_fd >= 0) {
		close(v->epoll_fd);
	}
	free(v);
}

static int watch_fd(struct xen *v, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.fd = fd}};

	return epoll_ctl(v->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

/* Own domain id from xenstore, or -1. */
static int own_domain(struct xs_handle *xs)
{
	unsigned int size;
	char *text = xs_read(xs, XBT_NULL, "domid", &size);
	char *end;
	long id;

	if (!text) {
		return -1;
	}
	id = strtol(text, &end, 10);
	if (end == text || *end || id < 0 || id >= VCHAN_DOMAIN_END) {
		id = -1;
	}
	free(text);
	return (int)id;
}

/* The word as it is, empty when there is none. False: it could not be read. */
static bool read_epoch(struct xs_handle *xs, xs_transaction_t t, char epoch[EPOCH_SIZE])
{
	unsigned int size;
	char *text = xs_read(xs, t, EPOCH_NODE, &size);

	if (!text && errno != ENOENT) {
		return false;
	}
	snprintf(epoch, EPOCH_SIZE, "%s", text ? text : "");
	free(text);
	return true;
}

/* Two first connections at once: one transaction fails, and then finds the other's word. */
static void learn_epoch(struct xen *v)
{
	xs_transaction_t t;
	uint64_t word;
	bool is_known;

	if (!read_epoch(v->life, XBT_NULL, v->epoch) || *v->epoch) {
		return; /* as it is for all connections but the first */
	}
	do {
		t = xs_transaction_start(v->life);
		if (t == XBT_NULL) {
			return;
		}
		is_known = read_epoch(v->life, t, v->epoch);
		if (is_known && !*v->epoch) {
			is_known = getrandom(&word, sizeof(word), 0) == sizeof(word);
			snprintf(v->epoch, EPOCH_SIZE, "%016llx", (unsigned long long)word);
			is_known = is_known &&
				   xs_write(v->life, t, EPOCH_NODE, v->epoch, EPOCH_SIZE - 1);
		}
		if (!is_known) {
			v->epoch[0] = 0;
		}
	} while (!xs_transaction_end(v->life, t, !is_known) && errno == EAGAIN);
}

static bool was_restored(struct xen *v)
{
	char now[EPOCH_SIZE];

	return *v->epoch && read_epoch(v->life, XBT_NULL, now) && strcmp(now, v->epoch);
}

/* Makes sure that the death of the peer wakes whoever polls. */
static int watch_life(struct xen *v, int own)
{
	struct itimerspec period = {.it_interval = {.tv_sec = LIFE_CHECK_SECONDS},
				    .it_value = {.tv_sec = LIFE_CHECK_SECONDS}};

	if (own == 0) {
		return xs_watch(v->xs, "@releaseDomain", "life") ? 0 : -1;
	}
	v->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (v->timer_fd < 0 || timerfd_settime(v->timer_fd, 0, &period, NULL)) {
		return -1;
	}
	return watch_fd(v, v->timer_fd);
}

static struct xen *xen_alloc(int peer, int port, int *own)
{
	struct xen *v;
	int saved;

	if (peer < 0 || peer >= VCHAN_DOMAIN_END || port < 0) {
		errno = EINVAL;
		return NULL;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		return NULL;
	}
	/*
	 * xs_close() ends a thread, for which the C library loads this when it is needed: in a
	 * sandbox that would be too late. Without it, only closing fails.
	 */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW);
	v->base.ops = &vchan_ops_xen;
	v->peer = peer;
	v->is_blocking = true;
	v->timer_fd = -1;
	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	v->xs = v->epoll_fd < 0 ? NULL : xs_open(0);
	if (!v->xs) {
		goto fail;
	}
	*own = own_domain(v->xs);
	if (*own < 0 || *own == peer) {
		errno = EINVAL; /* a domain cannot grant pages to itself */
		goto fail;
	}
	v->life = *own == 0 ? v->xs : xs_open(0);
	if (!v->life || watch_life(v, *own) || watch_fd(v, xs_fileno(v->xs))) {
		goto fail;
	}
	if (*own) {
		learn_epoch(v);
	}
	return v;

fail:
	saved = errno;
	xen_close(&v->base);
	errno = saved;
	return NULL;
}

/* Only dom0 may ask xenstore for this; whoever may not learns nothing, and goes on. */
static bool is_domain_there(struct xen *v)
{
	if (was_restored(v)) {
		return false;
	}
	if (v->peer == 0) {
		return true;
	}
	errno = 0;
	return xs_is_domain_introduced(v->life, (unsigned int)v->peer) || errno == EACCES;
}

static libvchan_t *xen_server_init(int domain, int port, size_t read_min, size_t write_min)
{
	struct xen *v;
	int own, saved;

	v = xen_alloc(domain, port, &own);
	if (!v) {
		return NULL;
	}
	v->is_server = true;
	snprintf(v->path, sizeof(v->path), "data/vchan/%d/%d", domain, port);
	v->ring = libxenvchan_server_init(NULL, domain, v->path, read_min, write_min);
	if (!v->ring) {
		goto fail;
	}
	v->ring->blocking = 0;
	if (watch_fd(v, libxenvchan_fd_for_select(v->ring))) {
		goto fail;
	}
	return &v->base;

fail:
	saved = errno;
	xen_close(&v->base);
	errno = saved;
	return NULL;
}

static libvchan_t *xen_client_start(int domain, int port)
{
	struct xen *v;
	char node[96];
	int own, saved;

	v = xen_alloc(domain, port, &own);
	if (!v) {
		return NULL;
	}
	snprintf(v->path, sizeof(v->path), "/local/domain/%d/data/vchan/%d/%d", domain, own, port);
	snprintf(node, sizeof(node), "%s/event-channel", v->path);
	/* xenstore fires a new watch once at the start, so a server already there is seen. */
	if (!xs_watch(v->xs, node, "server")) {
		saved = errno;
		xen_close(&v->base);
		errno = saved;
		return NULL;
	}
	return &v->base;
}

static void drain_watches(struct xen *v)
{
	char **event;

	while ((event = xs_check_watch(v->xs))) {
		free(event);
	}
}

static int xen_client_finish(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);
	char node[96];
	unsigned int size;
	char *text;

	if (v->ring) {
		return 0;
	}
	drain_watches(v);
	if (!is_domain_there(v)) {
		errno = ECONNABORTED;
		return -1;
	}
	snprintf(node, sizeof(node), "%s/event-channel", v->path);
	text = xs_read(v->xs, XBT_NULL, node, &size);
	if (!text) {
		return 1;
	}
	free(text);
	v->ring = libxenvchan_client_init(NULL, v->peer, v->path);
	if (!v->ring) {
		/* A node that a dead server left; a live one will write it anew. */
		return 1;
	}
	v->ring->blocking = 0;
	v->was_connected = true;
	xs_unwatch(v->xs, node, "server");
	return watch_fd(v, libxenvchan_fd_for_select(v->ring)) ? -1 : 0;
}

/* The node has done its work when the client is there; a later server may need its name. */
static void remove_node(struct xen *v)
{
	if (!v->is_server || v->is_node_removed || v->ring->ring->cli_live != 1) {
		return;
	}
	xs_rm(v->xs, XBT_NULL, v->path);
	v->is_node_removed = true;
	v->was_connected = true;
	/* libxenvchan_close() would remove it again, and maybe that of a later server. */
	free(v->ring->xs_path);
	v->ring->xs_path = NULL;
}

static int xen_wait(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);
	struct epoll_event ev[3];
	uint64_t ticks;
	int i, count;

	do {
		count = epoll_wait(v->epoll_fd, ev, 3, -1);
	} while (count < 0 && errno == EINTR);
	if (count < 0) {
		return -1;
	}
	for (i = 0; i < count; i++) {
		if (v->ring && ev[i].data.fd == libxenvchan_fd_for_select(v->ring)) {
			if (libxenvchan_wait(v->ring)) {
				return -1;
			}
			continue;
		}
		if (ev[i].data.fd == v->timer_fd) {
			(void)!read(v->timer_fd, &ticks, sizeof(ticks));
		} else {
			drain_watches(v);
		}
		if (!is_domain_there(v)) {
			v->is_peer_dead = true;
		}
	}
	if (v->ring) {
		remove_node(v);
	}
	return 0;
}

static int xen_is_open(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);
	int state;

	if (v->is_peer_dead) {
		return VCHAN_DISCONNECTED;
	}
	if (!v->ring) {
		return VCHAN_WAITING;
	}
	state = libxenvchan_is_open(v->ring); /* a byte that the peer wrote */
	if (state == VCHAN_DISCONNECTED) {
		return VCHAN_DISCONNECTED;
	}
	if (state == VCHAN_WAITING && !v->was_connected) {
		return VCHAN_WAITING;
	}
	v->was_connected = true;
	return VCHAN_CONNECTED;
}

/* Between two attempts of a blocking call. 0 to try again, -1 when there is no sense in it. */
static int wait_for_change(struct xen *v)
{
	if (xen_is_open(&v->base) == VCHAN_DISCONNECTED) {
		errno = ECONNRESET;
		return -1;
	}
	return xen_wait(&v->base);
}

static bool is_connected(struct xen *v)
{
	if (!v->ring) {
		errno = ENOTCONN;
		return false;
	}
	return true;
}

static int xen_write(libvchan_t *ctrl, const void *data, size_t size)
{
	struct xen *v = xen_of(ctrl);
	size_t done = 0;
	int n;

	if (!is_connected(v)) {
		return -1;
	}
	for (;;) {
		if (v->is_peer_dead) {
			errno = ECONNRESET;
			return -1;
		}
		n = libxenvchan_write(v->ring, (const uint8_t *)data + done, size - done);
		if (n < 0) {
			errno = errno ? errno : ECONNRESET;
			return -1;
		}
		done += (size_t)n;
		if (done == size || !v->is_blocking) {
			return (int)done;
		}
		if (wait_for_change(v)) {
			return -1;
		}
	}
}

static int xen_send(libvchan_t *ctrl, const void *data, size_t size)
{
	struct xen *v = xen_of(ctrl);
	int n;

	if (!is_connected(v)) {
		return -1;
	}
	if (size > (size_t)1 << v->ring->write.order) {
		errno = EMSGSIZE;
		return -1;
	}
	for (;;) {
		n = v->is_peer_dead ? -1 : libxenvchan_send(v->ring, data, size);
		if (n < 0) {
			errno = ECONNRESET;
			return -1;
		}
		if (n || !size || !v->is_blocking) {
			return n;
		}
		if (wait_for_change(v)) {
			return -1;
		}
	}
}

static int xen_read(libvchan_t *ctrl, void *data, size_t size)
{
	struct xen *v = xen_of(ctrl);
	int n;

	if (!is_connected(v)) {
		return -1;
	}
	for (;;) {
		n = libxenvchan_read(v->ring, data, size);
		if (n < 0 || (n == 0 && v->is_peer_dead)) {
			errno = ECONNRESET;
			return -1;
		}
		if (n || !size || !v->is_blocking) {
			return n;
		}
		if (wait_for_change(v)) {
			return -1;
		}
	}
}

static int xen_recv(libvchan_t *ctrl, void *data, size_t size)
{
	struct xen *v = xen_of(ctrl);
	size_t done = 0;
	int n;

	if (!is_connected(v)) {
		return -1;
	}
	if (!v->is_blocking) {
		if (size > (size_t)1 << v->ring->read.order) {
			errno = EMSGSIZE;
			return -1;
		}
		n = libxenvchan_recv(v->ring, data, size);
		if (n < 0 || (n == 0 && size && v->is_peer_dead)) {
			errno = ECONNRESET;
			return -1;
		}
		return n;
	}
	while (done < size) {
		n = xen_read(ctrl, (uint8_t *)data + done, size - done);
		if (n < 0) {
			return -1;
		}
		done += (size_t)n;
	}
	return (int)size;
}

static int xen_fd(libvchan_t *ctrl)
{
	return xen_of(ctrl)->epoll_fd;
}

static int xen_data_ready(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);

	return v->ring ? libxenvchan_data_ready(v->ring) : 0;
}

static int xen_buffer_space(libvchan_t *ctrl)
{
	struct xen *v = xen_of(ctrl);

	return v->ring ? libxenvchan_buffer_space(v->ring) : 0;
}

static void xen_set_blocking(libvchan_t *ctrl, bool is_blocking)
{
	xen_of(ctrl)->is_blocking = is_blocking;
}

const struct vchan_ops vchan_ops_xen = {
	.server_init = xen_server_init,
	.client_start = xen_client_start,
	.client_finish = xen_client_finish,
	.write = xen_write,
	.send = xen_send,
	.read = xen_read,
	.recv = xen_recv,
	.wait = xen_wait,
	.close = xen_close,
	.fd = xen_fd,
	.is_open = xen_is_open,
	.data_ready = xen_data_ready,
	.buffer_space = xen_buffer_space,
	.set_blocking = xen_set_blocking,
};
