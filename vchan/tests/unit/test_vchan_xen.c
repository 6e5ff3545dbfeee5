/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport over Xen with a xenstore and a libxenvchan of this file: nodes, deaths, restores.
 *
 * The xenstore is a table; a watch fires when its node, or for @releaseDomain a domain, goes or
 * changes. The rings carry nothing: that is libxenvchan's part.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#include "base/test.h"
#include "vchan/libvchan.h"

#define NODES	   16
#define TICK_MS	   3500 /* more than the transport's */
#define EPOCH_PATH "data/vchan-epoch"

/* ---- xenstore ---- */

struct xs_handle {
	int fd;
	char watched[2][96];
	bool is_open;
};

static struct {
	struct {
		char path[96], value[32];
	} nodes[NODES];
	struct xs_handle handles[8];
	bool is_peer_there;
	bool has_rival; /* the next transaction fails: somebody else was first */
	int transactions;
} store;

static void fire(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(store.handles) / sizeof(store.handles[0]); i++) {
		if (store.handles[i].is_open && (!strcmp(store.handles[i].watched[0], path) ||
						 !strcmp(store.handles[i].watched[1], path))) {
			eventfd_write(store.handles[i].fd, 1);
		}
	}
}

static void set_node(const char *path, const char *value)
{
	size_t i, free_one = NODES;

	for (i = 0; i < NODES; i++) {
		if (!strcmp(store.nodes[i].path, path)) {
			break;
		}
		free_one = !*store.nodes[i].path && free_one == NODES ? i : free_one;
	}
	i = i == NODES ? free_one : i;
	snprintf(store.nodes[i].path, sizeof(store.nodes[i].path), "%s", value ? path : "");
	snprintf(store.nodes[i].value, sizeof(store.nodes[i].value), "%s", value ? value : "");
	fire(path);
}

static const char *node(const char *path)
{
	size_t i;

	for (i = 0; i < NODES; i++) {
		if (!strcmp(store.nodes[i].path, path)) {
			return store.nodes[i].value;
		}
	}
	return NULL;
}

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *h = store.handles;

	while (h->is_open) {
		h++;
	}
	*h = (struct xs_handle){.fd = eventfd(0, EFD_NONBLOCK), .is_open = true};
	return h;
}

void xs_close(struct xs_handle *h)
{
	close(h->fd);
	h->is_open = false;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *size)
{
	const char *value = node(path);

	if (!value) {
		errno = ENOENT;
		return NULL;
	}
	*size = (unsigned int)strlen(value);
	return strdup(value);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int size)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)data);
	if (!store.has_rival) {
		set_node(path, text);
	}
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	set_node(path, NULL);
	return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	snprintf(h->watched[*h->watched[0] ? 1 : 0], sizeof(h->watched[0]), "%s", path);
	return !eventfd_write(h->fd, 1);
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	h->watched[strcmp(h->watched[0], path) ? 1 : 0][0] = 0;
	return true;
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

char **xs_check_watch(struct xs_handle *h)
{
	eventfd_t count;

	errno = EAGAIN;
	return eventfd_read(h->fd, &count) ? NULL : calloc(1, sizeof(char *));
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domain)
{
	return store.is_peer_there;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	store.transactions++;
	return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool is_aborted)
{
	if (store.has_rival && !is_aborted) {
		store.has_rival = false;
		set_node(EPOCH_PATH, "rival");
		errno = EAGAIN;
		return false;
	}
	return true;
}

/* ---- libxenvchan ---- */

static struct vchan_interface shared;
static int event_fd = -1;
static int closed_count;

static struct libxenvchan *new_ring(const char *path)
{
	struct libxenvchan *ring = calloc(1, sizeof(*ring));

	event_fd = eventfd(0, EFD_NONBLOCK);
	ring->ring = &shared;
	ring->xs_path = strdup(path);
	return ring;
}

struct libxenvchan *libxenvchan_server_init(struct xentoollog_logger *logger, int domain,
					    const char *path, size_t read_min, size_t write_min)
{
	shared.srv_live = 1;
	shared.cli_live = 2;
	set_node(path, "ring");
	return new_ring(path);
}

struct libxenvchan *libxenvchan_client_init(struct xentoollog_logger *logger, int domain,
					    const char *path)
{
	shared.srv_live = shared.cli_live = 1;
	return new_ring(path);
}

void libxenvchan_close(struct libxenvchan *ring)
{
	if (ring->xs_path) {
		set_node(ring->xs_path, NULL);
	}
	closed_count++;
	close(event_fd);
	free(ring->xs_path);
	free(ring);
}

int libxenvchan_fd_for_select(struct libxenvchan *ring)
{
	return event_fd;
}

int libxenvchan_wait(struct libxenvchan *ring)
{
	eventfd_t count;

	return eventfd_read(event_fd, &count) ? -1 : 0;
}

int libxenvchan_is_open(struct libxenvchan *ring)
{
	return shared.cli_live;
}

int libxenvchan_read(struct libxenvchan *ring, void *data, size_t size)
{
	return 0;
}

int libxenvchan_recv(struct libxenvchan *ring, void *data, size_t size)
{
	return 0;
}

int libxenvchan_write(struct libxenvchan *ring, const void *data, size_t size)
{
	return 0;
}

int libxenvchan_send(struct libxenvchan *ring, const void *data, size_t size)
{
	return 0;
}

int libxenvchan_data_ready(struct libxenvchan *ring)
{
	return 0;
}

int libxenvchan_buffer_space(struct libxenvchan *ring)
{
	return 0;
}

/* ---- cases ---- */

static void in_domain(const char *own)
{
	memset(&store, 0, sizeof(store));
	closed_count = 0;
	store.is_peer_there = true;
	set_node("domid", own);
	unsetenv("VCHAN_SOCKET_DIR");
}

static void client_comes(void)
{
	shared.cli_live = 1;
	eventfd_write(event_fd, 1);
}

/* Waits as a loop would, until its state is another one or nothing came for some time. */
static int state_after_events(libvchan_t *v)
{
	struct pollfd p = {.fd = libvchan_fd_for_select(v), .events = POLLIN};
	int state = libvchan_is_open(v), i;

	for (i = 0; i < 3 && libvchan_is_open(v) == state && poll(&p, 1, TICK_MS) == 1; i++) {
		if (libvchan_wait(v)) {
			break;
		}
	}
	return libvchan_is_open(v);
}

static libvchan_t *connected_server(void)
{
	libvchan_t *v = libvchan_server_init(0, 512, 4096, 4096);

	if (v) {
		client_comes();
		(void)libvchan_wait(v);
	}
	return v;
}

TEST(vchan_xen, the_servers_node_goes_when_the_client_has_come)
{
	libvchan_t *v;

	in_domain("5");
	v = libvchan_server_init(0, 512, 4096, 4096);
	EXPECT(v && node("data/vchan/0/512"));
	EXPECT_EQ(libvchan_is_open(v), VCHAN_WAITING);
	EXPECT(node("data/vchan/0/512"));
	client_comes();
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	EXPECT(!node("data/vchan/0/512"));
	/* A later server's is left alone. */
	set_node("data/vchan/0/512", "later");
	libvchan_close(v);
	EXPECT(node("data/vchan/0/512"));
	EXPECT_EQ(closed_count, 1);
}

TEST(vchan_xen, a_domain_does_not_connect_to_itself)
{
	in_domain("5");
	EXPECT(!libvchan_server_init(5, 512, 4096, 4096) && errno == EINVAL);
	EXPECT(!libvchan_client_init(5, 512) && errno == EINVAL);
}

TEST(vchan_xen, dom0_hears_of_a_peers_death)
{
	libvchan_t *v;
	char byte;

	in_domain("0");
	set_node("/local/domain/7/data/vchan/0/512/event-channel", "9");
	v = libvchan_client_init(7, 512);
	EXPECT(v);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	store.is_peer_there = false;
	fire("@releaseDomain");
	EXPECT_EQ(state_after_events(v), VCHAN_DISCONNECTED);
	EXPECT_EQ(libvchan_read(v, &byte, 1), -1);
	EXPECT_EQ(libvchan_write(v, &byte, 1), -1);
	libvchan_close(v);
}

TEST(vchan_xen, a_client_of_a_domain_that_is_gone_gives_up)
{
	in_domain("0");
	store.is_peer_there = false;
	EXPECT(!libvchan_client_init(7, 512) && errno == ECONNABORTED);
}

TEST(vchan_xen, the_first_connection_writes_the_epoch_and_others_keep_it)
{
	libvchan_t *first, *second;
	char epoch[32];

	in_domain("5");
	first = libvchan_server_init(0, 512, 4096, 4096);
	EXPECT(first && node(EPOCH_PATH) && strlen(node(EPOCH_PATH)) == 16);
	snprintf(epoch, sizeof(epoch), "%s", node(EPOCH_PATH));
	EXPECT_EQ(store.transactions, 1);
	libvchan_close(first);
	second = libvchan_server_init(0, 513, 4096, 4096);
	EXPECT(second);
	EXPECT_STR(node(EPOCH_PATH), epoch);
	EXPECT_EQ(store.transactions, 1);
	libvchan_close(second);
	in_domain("0"); /* dom0 is not restored */
	second = libvchan_server_init(7, 513, 4096, 4096);
	EXPECT(second && !node(EPOCH_PATH));
	libvchan_close(second);
}

TEST(vchan_xen, of_two_first_connections_one_takes_the_others_epoch)
{
	libvchan_t *v;

	in_domain("5");
	store.has_rival = true;
	v = connected_server();
	EXPECT(v);
	EXPECT_STR(node(EPOCH_PATH), "rival");
	EXPECT_EQ(store.transactions, 2);
	EXPECT_EQ(state_after_events(v), VCHAN_CONNECTED); /* it is not taken for a restore */
	libvchan_close(v);
}

TEST(vchan_xen, a_restored_domain_finds_its_peers_gone)
{
	libvchan_t *v, *again;
	char byte;

	in_domain("5");
	v = connected_server();
	EXPECT(v);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	set_node(EPOCH_PATH, NULL); /* a new home in xenstore */
	set_node("domid", "6");
	EXPECT_EQ(state_after_events(v), VCHAN_DISCONNECTED);
	EXPECT_EQ(libvchan_read(v, &byte, 1), -1);
	libvchan_close(v);
	again = connected_server();
	EXPECT(again && node(EPOCH_PATH));
	EXPECT_EQ(libvchan_is_open(again), VCHAN_CONNECTED);
	libvchan_close(again);
}

TEST(vchan_xen, another_epoch_is_a_restore_too)
{
	libvchan_t *v;

	in_domain("5");
	v = connected_server();
	EXPECT(v);
	set_node(EPOCH_PATH, "0123456789abcdef"); /* by a connection that was quicker */
	EXPECT_EQ(state_after_events(v), VCHAN_DISCONNECTED);
	libvchan_close(v);
}

TEST(vchan_xen, a_client_that_waits_while_its_domain_is_restored_gives_up)
{
	libvchan_t *v;
	int fd;

	in_domain("5");
	v = libvchan_client_init_async(0, 600, &fd);
	EXPECT(v);
	EXPECT_EQ(libvchan_client_init_async_finish(v, true), 1);
	set_node(EPOCH_PATH, NULL);
	EXPECT(libvchan_client_init_async_finish(v, true) < 0 && errno == ECONNABORTED);
	libvchan_close(v);
}

TEST_MAIN()
