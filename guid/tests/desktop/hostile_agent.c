/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An agent that means harm, for tests: valid-looking sequences, or rules broken on purpose.
 *
 *     hostile_agent WHAT      see the table at the end
 *
 * Ends with "survived" when the daemon took all of it, with "closed" when it hung up.
 */
#include "guid/channel.h"
#include "vchan/share.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GUI_PORT 6000

struct hostile {
	struct channel *channel;
	struct share_pool *pool;
	bool is_connected, is_closed;
	uint32_t acknowledged;
};

static int on_connected(void *context, uint32_t minor, const struct gui_xconf *conf)
{
	struct hostile *h = context;

	h->is_connected = true;
	return 0;
}

static int on_message(void *context, const struct gui_message *m, const char **rule)
{
	struct hostile *h = context;

	h->acknowledged += m->type == GUI_WINDOW_DUMP_ACK;
	return 0;
}

static const struct channel_handler handler = {on_connected, on_message};

/* Lets the daemon have its say; waits until it has read what was sent. */
static void turn(struct hostile *h)
{
	libvchan_t *v = channel_vchan(h->channel);

	for (;;) {
		struct pollfd p = {libvchan_fd_for_select(v), POLLIN, 0};

		if (channel_read(h->channel, 1000000) < 0 || channel_flush(h->channel) < 0) {
			h->is_closed = true;
			return;
		}
		if (channel_queued(h->channel) < 65536 && h->is_connected) {
			return;
		}
		poll(&p, 1, 1000);
		if (p.revents) {
			libvchan_wait(v);
		}
	}
}

static void send_message(struct hostile *h, const struct gui_message *m)
{
	if (!h->is_closed) {
		channel_send(h->channel, m);
		turn(h);
	}
}

static void create(struct hostile *h, uint32_t id, int32_t x, int32_t y, uint32_t width,
		   uint32_t height, bool is_or)
{
	struct gui_message m = {
		.type = GUI_CREATE, .window = id, .create = {x, y, width, height, 0, is_or}};

	send_message(h, &m);
}

static void map(struct hostile *h, uint32_t id, uint32_t transient_for, bool is_or)
{
	struct gui_message m = {.type = GUI_MAP, .window = id, .map = {transient_for, is_or}};

	send_message(h, &m);
}

static void configure(struct hostile *h, uint32_t id, int32_t x, int32_t y, uint32_t width,
		      uint32_t height, bool is_or)
{
	struct gui_message m = {
		.type = GUI_CONFIGURE, .window = id, .configure = {x, y, width, height, is_or}};

	send_message(h, &m);
}

static void bare(struct hostile *h, enum gui_type type, uint32_t id)
{
	struct gui_message m = {.type = type, .window = id};

	send_message(h, &m);
}

static void damage(struct hostile *h, uint32_t id, int32_t x, int32_t y, uint32_t width,
		   uint32_t height)
{
	struct gui_message m = {
		.type = GUI_SHMIMAGE, .window = id, .damage = {x, y, width, height}};

	send_message(h, &m);
}

static const struct share_region *dump(struct hostile *h, uint32_t id, uint32_t width,
				       uint32_t height)
{
	struct gui_message m = {.type = GUI_WINDOW_DUMP, .window = id};
	const struct share_region *region;
	int rc = share_create(h->pool, proto_dump_pages(width, height), false, &region);

	if (rc) {
		fprintf(stderr, "share_create: %s\n", strerror(-rc));
		exit(1);
	}
	memset(region->pages, 0x55, (size_t)region->page_count * SHARE_PAGE_SIZE);
	m.dump.width = width;
	m.dump.height = height;
	m.dump.ref_count = region->page_count;
	m.dump.refs = (const uint8_t *)region->refs; /* both little-endian */
	send_message(h, &m);
	return region;
}

static void window(struct hostile *h, uint32_t id)
{
	create(h, id, 100, 100, 300, 200, false);
	dump(h, id, 300, 200);
	map(h, id, 0, false);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what it can do ---- */

static void do_windows(struct hostile *h)
{
	uint32_t id;

	for (id = 1; id <= 100000 && !h->is_closed; id++) {
		create(h, id, (int32_t)(id * 2654435761u), -70000, id % 500, id % 400, id & 1);
		/* Each thousandth is shown: the rest costs no pixels of the desktop. */
		if (id % 1000 == 0) {
			map(h, id, 0, false);
		}
		bare(h, GUI_DESTROY, id);
	}
}

static void do_damage(struct hostile *h)
{
	double end = now() + 4;
	const struct share_region *region;
	uint32_t i = 0;

	create(h, 1, 100, 100, 1200, 700, false);
	region = dump(h, 1, 1200, 700);
	map(h, 1, 0, false);
	while (now() < end && !h->is_closed) {
		((uint32_t *)region->pages)[i % (1200 * 700)] = i;
		damage(h, 1, (int32_t)(i % 1000), (int32_t)(i % 600), 200, 100);
		i++;
	}
	printf("damages %u\n", i);
}

static void do_resize(struct hostile *h)
{
	const struct share_region *region, *old[4] = {NULL};
	uint32_t i, k;

	window(h, 1);
	for (i = 0; i < 1000 && !h->is_closed; i++) {
		uint32_t width = 100 + i * 7 % 900, height = 100 + i * 11 % 500;

		configure(h, 1, 100, 100, width, height, false);
		region = dump(h, 1, width, height);
		/* Its pages change, and go, while they may be drawn. */
		memset(region->pages, (int)i, (size_t)region->page_count * SHARE_PAGE_SIZE);
		for (k = 0; k < 5000 && h->acknowledged + 2 < i && !h->is_closed; k++) {
			usleep(1000); /* pages that it has not mapped yet must stay */
			turn(h);
		}
		if (old[i % 4]) {
			share_destroy(h->pool, old[i % 4]);
		}
		old[i % 4] = region;
	}
}

static void do_popups(struct hostile *h)
{
	uint32_t id;

	window(h, 1);
	for (id = 2; id < 60; id++) {
		create(h, id, (int32_t)(100 + id * 5), (int32_t)(100 + id * 5), 80, 40, true);
		dump(h, id, 80, 40);
		map(h, id, id - 1, true);
	}
	sleep(1);
	for (id = 2; id < 60; id += 2) {
		bare(h, GUI_DESTROY, id);
	}
	for (id = 3; id < 60; id += 2) {
		configure(h, id, INT32_MIN, INT32_MAX, 16384, 6144, true);
		bare(h, GUI_UNMAP, id);
		map(h, id, 1, true);
	}
	bare(h, GUI_DESTROY, 1);
}

/* Windows that become tray icons late, more than are shown, large ones, and ever new pictures. */
static void do_dock(struct hostile *h)
{
	double end = now() + 2;
	uint32_t id, i;

	for (id = 1; id <= 30; id++) {
		create(h, id, 0, 0, 16384, 6144, id & 1);
		dump(h, id, id == 1 ? 2000 : 64, id == 1 ? 2000 : 64);
		map(h, id, 0, id & 1);
		bare(h, GUI_DOCK, id);
		bare(h, GUI_DOCK, id);
	}
	for (i = 0; now() < end && !h->is_closed; i++) {
		id = 1 + i % 30;
		damage(h, id, 0, 0, 16384, 6144);
		if (i % 100 == 0) {
			bare(h, GUI_UNMAP, id);
			map(h, id, 0, false);
		}
	}
	for (id = 1; id <= 30; id += 2) {
		bare(h, GUI_DESTROY, id);
	}
}

static void do_titles(struct hostile *h)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = 1};
	uint32_t i, k;

	window(h, 1);
	for (i = 0; i < 2000; i++) {
		for (k = 0; k < sizeof(m.title.text) - 1; k++) {
			m.title.text[k] = (char)(i * 31 + k * 17 + 1);
		}
		memcpy(m.title.text, "\xe2\x80\xae[dom0] \033]0;", 14);
		send_message(h, &m);
	}
}

static void do_huge(struct hostile *h)
{
	create(h, 1, INT32_MIN, INT32_MIN, 16384, 6144, true);
	dump(h, 1, 64, 64);
	map(h, 1, 0, true);
	damage(h, 1, INT32_MIN, INT32_MIN, 16384, 6144);
	damage(h, 1, INT32_MAX, INT32_MAX, 16384, 6144);
	configure(h, 1, INT32_MAX, INT32_MAX, 16384, 6144, false);
	sleep(1);
	bare(h, GUI_DESTROY, 1);
}

static void do_too_many(struct hostile *h)
{
	uint32_t id;

	for (id = 1; id <= 2000 && !h->is_closed; id++) {
		create(h, id, 0, 0, 10, 10, false);
	}
}

static void do_unknown_window(struct hostile *h)
{
	map(h, 4711, 0, false);
}

static void do_foreign_pages(struct hostile *h)
{
	static const uint32_t refs[64] = {0xdeadbeef, 0xfffffff0, 1, 2, 3};
	struct gui_message m = {.type = GUI_WINDOW_DUMP, .window = 1};

	window(h, 1);
	m.dump = (struct gui_dump){64, 64, 4, (const uint8_t *)refs};
	send_message(h, &m);
}

static void do_silent(struct hostile *h)
{
	/* Connected, and never reading: the daemon must not wait for it. */
	window(h, 1);
	sleep(3);
}

static const struct {
	const char *name;
	void (*run)(struct hostile *h);
} actions[] = {
	{"windows", do_windows},
	{"damage", do_damage},
	{"resize", do_resize},
	{"popups", do_popups},
	{"dock", do_dock},
	{"titles", do_titles},
	{"huge", do_huge},
	{"too-many", do_too_many},
	{"unknown-window", do_unknown_window},
	{"foreign-pages", do_foreign_pages},
	{"silent", do_silent},
};

int main(int argc, char **argv)
{
	struct hostile h = {.channel = NULL};
	libvchan_t *vchan;
	size_t i;
	int k;

	h.pool = share_pool_open(0, GUI_PORT, SHARE_SHOW, NULL);
	vchan = h.pool ? libvchan_server_init(0, GUI_PORT, 65536, 65536) : NULL;
	h.channel = vchan ? channel_create(vchan, GUI_FROM_DAEMON, NULL, &handler, &h) : NULL;
	if (!h.channel) {
		perror("hostile_agent");
		return 1;
	}
	turn(&h);
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (argc == 2 && strcmp(actions[i].name, argv[1]) == 0) {
			actions[i].run(&h);
			for (k = 0; k < 20 && !h.is_closed; k++) {
				usleep(50000);
				turn(&h);
			}
			puts(h.is_closed ? "closed" : "survived");
			fflush(stdout);
			return 0;
		}
	}
	fputs("hostile_agent: unknown action\n", stderr);
	return 2;
}
