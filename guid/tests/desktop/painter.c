/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Wayland program that draws as fast as it may: for tests and bench/.
 *
 *     painter WIDTH HEIGHT PART SECONDS [RESIZES]
 *
 * Each frame changes the PART x PART pixels in the upper left corner (0: everything),
 * when the compositor says so. With RESIZES each of that many frames has another size
 * (up to WIDTH x HEIGHT), and SECONDS begin after them. The last line counts frames, the
 * longest wait, and waits in which a 60 Hz monitor would have shown another frame.
 *
 * With PART -1 it draws once, then for each key pressed and each finger that touches, and says
 * so, with times of the monotonic clock: "key CODE TIME", "touch FINGER down|up|motion|cancel X Y
 * TIME", and "shown TIME" when the picture after it is on the screen.
 *
 * With PART -2 it draws black and white columns, one pixel each of the monitor's.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <wayland-client.h>

#include "xdg-shell-client-protocol.h"

#define SCALE_MAX    2
#define LATE_SECONDS 0.025 /* one and a half frames of a 60 Hz monitor: one was left out */

struct buffer {
	struct wl_buffer *wl;
	uint32_t *pixels;
	bool is_busy;
};

struct painter {
	struct wl_display *display;
	struct wl_compositor *compositor;
	struct wl_shm *shm;
	struct xdg_wm_base *shell;
	struct wl_seat *seat;
	struct wl_surface *surface;
	struct wl_shm_pool *pool;
	char *pixels;
	struct buffer buffers[3];
	int width, height, part, resizes;
	int frames, late;
	bool is_listening, is_waiting, is_striped;
	int scale; /* pixels a unit, of what it draws */
	double started, last, longest;
	bool is_configured;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_ping(void *data, struct xdg_wm_base *shell, uint32_t serial)
{
	xdg_wm_base_pong(shell, serial);
}

static const struct xdg_wm_base_listener shell_listener = {on_ping};

static void draw(struct painter *p);

/* ---- input ---- */

static void draw_for_input(struct painter *p)
{
	p->is_waiting = true;
	draw(p);
}

static void on_keymap(void *data, struct wl_keyboard *k, uint32_t format, int32_t fd, uint32_t size)
{
	close(fd);
}

static void on_focus(void *data, struct wl_keyboard *k, uint32_t serial, struct wl_surface *surface,
		     struct wl_array *keys)
{
	puts("focus");
}

static void on_unfocus(void *data, struct wl_keyboard *k, uint32_t serial,
		       struct wl_surface *surface)
{
}

static void on_key(void *data, struct wl_keyboard *k, uint32_t serial, uint32_t time, uint32_t code,
		   uint32_t state)
{
	if (state == WL_KEYBOARD_KEY_STATE_PRESSED) {
		printf("key %u %.4f\n", code, now());
		draw_for_input(data);
	}
}

static void on_modifiers(void *data, struct wl_keyboard *k, uint32_t serial, uint32_t depressed,
			 uint32_t latched, uint32_t locked, uint32_t group)
{
}

static const struct wl_keyboard_listener keyboard_listener = {
	.keymap = on_keymap,
	.enter = on_focus,
	.leave = on_unfocus,
	.key = on_key,
	.modifiers = on_modifiers,
};

static void on_down(void *data, struct wl_touch *t, uint32_t serial, uint32_t time,
		    struct wl_surface *surface, int32_t id, wl_fixed_t x, wl_fixed_t y)
{
	printf("touch %d down %.0f %.0f %.4f\n", id, wl_fixed_to_double(x), wl_fixed_to_double(y),
	       now());
	draw_for_input(data);
}

static void on_up(void *data, struct wl_touch *t, uint32_t serial, uint32_t time, int32_t id)
{
	printf("touch %d up 0 0 %.4f\n", id, now());
}

static void on_touch_motion(void *data, struct wl_touch *t, uint32_t time, int32_t id, wl_fixed_t x,
			    wl_fixed_t y)
{
	printf("touch %d motion %.0f %.0f %.4f\n", id, wl_fixed_to_double(x), wl_fixed_to_double(y),
	       now());
}

static void on_touch_frame(void *data, struct wl_touch *t)
{
}

static void on_cancel(void *data, struct wl_touch *t)
{
	printf("touch 0 cancel 0 0 %.4f\n", now());
}

static const struct wl_touch_listener touch_listener = {
	.down = on_down,
	.up = on_up,
	.motion = on_touch_motion,
	.frame = on_touch_frame,
	.cancel = on_cancel,
};

static void on_capabilities(void *data, struct wl_seat *seat, uint32_t capabilities)
{
	if (capabilities & WL_SEAT_CAPABILITY_KEYBOARD) {
		wl_keyboard_add_listener(wl_seat_get_keyboard(seat), &keyboard_listener, data);
	}
	if (capabilities & WL_SEAT_CAPABILITY_TOUCH) {
		wl_touch_add_listener(wl_seat_get_touch(seat), &touch_listener, data);
	}
}

static void on_seat_name(void *data, struct wl_seat *seat, const char *name)
{
}

static const struct wl_seat_listener seat_listener = {on_capabilities, on_seat_name};

/* ---- the monitor ---- */

static void on_geometry(void *data, struct wl_output *output, int32_t x, int32_t y, int32_t width,
			int32_t height, int32_t subpixel, const char *make, const char *model,
			int32_t transform)
{
}

static void on_mode(void *data, struct wl_output *output, uint32_t flags, int32_t width,
		    int32_t height, int32_t refresh)
{
}

static void on_scale(void *data, struct wl_output *output, int32_t scale)
{
	struct painter *p = data;

	if (scale != p->scale && scale <= SCALE_MAX) {
		printf("scale %d\n", scale);
		p->scale = scale;
	}
}

static void on_output_done(void *data, struct wl_output *output)
{
}

static const struct wl_output_listener output_listener = {
	.geometry = on_geometry,
	.mode = on_mode,
	.scale = on_scale,
	.done = on_output_done,
};

/* ---- the window ---- */

static void on_global(void *data, struct wl_registry *registry, uint32_t name,
		      const char *interface, uint32_t version)
{
	struct painter *p = data;

	if (strcmp(interface, "wl_compositor") == 0) {
		p->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, "wl_shm") == 0) {
		p->shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
	} else if (strcmp(interface, "xdg_wm_base") == 0) {
		p->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
		xdg_wm_base_add_listener(p->shell, &shell_listener, p);
	} else if (strcmp(interface, "wl_output") == 0 && p->is_striped) {
		wl_output_add_listener(wl_registry_bind(registry, name, &wl_output_interface, 2),
				       &output_listener, p);
	} else if (strcmp(interface, "wl_seat") == 0 && p->is_listening) {
		p->seat = wl_registry_bind(registry, name, &wl_seat_interface, 3);
		wl_seat_add_listener(p->seat, &seat_listener, p);
	}
}

static void on_global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
}

static const struct wl_registry_listener registry_listener = {on_global, on_global_remove};

static void on_release(void *data, struct wl_buffer *wl)
{
	struct buffer *b = data;

	b->is_busy = false;
}

static const struct wl_buffer_listener buffer_listener = {on_release};

/* The same pixels, as a picture of another size. */
static void buffer_resize(struct painter *p, struct buffer *b, int width, int height)
{
	wl_buffer_destroy(b->wl);
	b->wl = wl_shm_pool_create_buffer(p->pool, (int32_t)((char *)b->pixels - p->pixels), width,
					  height, p->width * p->scale * 4, WL_SHM_FORMAT_XRGB8888);
	wl_buffer_add_listener(b->wl, &buffer_listener, b);
}

static int buffers_create(struct painter *p)
{
	size_t scale = p->is_striped ? SCALE_MAX : 1;
	size_t size = (size_t)p->width * (size_t)p->height * 4 * scale * scale;
	int fd = memfd_create("painter", MFD_CLOEXEC), i;

	if (fd < 0 || ftruncate(fd, (off_t)(size * 3))) {
		return -errno;
	}
	p->pixels = mmap(NULL, size * 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p->pixels == MAP_FAILED) {
		return -errno;
	}
	memset(p->pixels, 0x60, size * 3);
	p->pool = wl_shm_create_pool(p->shm, fd, (int32_t)(size * 3));
	for (i = 0; i < 3; i++) {
		struct buffer *b = &p->buffers[i];

		b->pixels = (uint32_t *)(void *)(p->pixels + size * (size_t)i);
		b->wl = wl_shm_pool_create_buffer(p->pool, (int32_t)(size * (size_t)i), p->width,
						  p->height, p->width * 4, WL_SHM_FORMAT_XRGB8888);
		wl_buffer_add_listener(b->wl, &buffer_listener, b);
	}
	close(fd);
	return 0;
}

static const struct wl_callback_listener frame_listener;

static void stripes_draw(struct painter *p, struct buffer *b)
{
	int width = p->width * p->scale, height = p->height * p->scale, i;

	buffer_resize(p, b, width, height);
	for (i = 0; i < width * height; i++) {
		b->pixels[i] = i % width & 1 ? 0xffffffff : 0xff000000;
	}
	wl_surface_set_buffer_scale(p->surface, p->scale);
}

static void draw(struct painter *p)
{
	int part_width = p->part > 0 ? p->part : p->width;
	int part_height = p->part > 0 ? p->part : p->height;
	struct buffer *b = NULL;
	uint32_t colour = 0xff000000 | (uint32_t)p->frames * 0x010305;
	int i, x, y;
	double t = now();

	for (i = 0; i < 3 && !b; i++) {
		b = p->buffers[i].is_busy ? NULL : &p->buffers[i];
	}
	if (p->frames > 1 && t - p->last > p->longest) {
		p->longest = t - p->last;
	}
	p->late += p->frames > 1 && t - p->last > LATE_SECONDS;
	p->last = t;
	wl_callback_add_listener(wl_surface_frame(p->surface), &frame_listener, p);
	if (b && p->resizes > 0) {
		buffer_resize(p, b, p->width - p->resizes % 97, p->height - p->resizes % 89);
		p->started = t;
		if (--p->resizes == 0) {
			puts("resized");
			fflush(stdout);
		}
	}
	if (b && p->is_striped) {
		stripes_draw(p, b);
		part_width = part_height = INT32_MAX;
	} else if (b) {
		for (y = 0; y < part_height; y++) {
			for (x = 0; x < part_width; x++) {
				b->pixels[y * p->width + x] = colour;
			}
		}
	}
	if (b) {
		b->is_busy = true;
		p->frames++;
		wl_surface_attach(p->surface, b->wl, 0, 0);
		wl_surface_damage_buffer(p->surface, 0, 0, part_width, part_height);
	}
	wl_surface_commit(p->surface);
}

static void on_frame(void *data, struct wl_callback *callback, uint32_t time_ms)
{
	struct painter *p = data;

	wl_callback_destroy(callback);
	if (!p->is_listening) {
		draw(p);
	} else if (p->is_waiting) {
		p->is_waiting = false;
		printf("shown %.4f\n", now());
	}
}

static const struct wl_callback_listener frame_listener = {on_frame};

static void on_configure(void *data, struct xdg_surface *surface, uint32_t serial)
{
	struct painter *p = data;

	xdg_surface_ack_configure(surface, serial);
	if (!p->is_configured) {
		p->is_configured = true;
		p->started = now();
		draw(p);
	}
}

static const struct xdg_surface_listener surface_listener = {on_configure};

static void on_toplevel_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
				  int32_t height, struct wl_array *states)
{
}

static void on_close(void *data, struct xdg_toplevel *toplevel)
{
	exit(0);
}

static const struct xdg_toplevel_listener toplevel_listener = {
	.configure = on_toplevel_configure,
	.close = on_close,
};

int main(int argc, char **argv)
{
	struct painter p = {.width = 0};
	struct xdg_surface *xdg;
	struct xdg_toplevel *toplevel;
	double seconds;

	if (argc != 5 && argc != 6) {
		fputs("Usage: painter WIDTH HEIGHT PART SECONDS [RESIZES]\n", stderr);
		return 2;
	}
	p.width = atoi(argv[1]);
	p.height = atoi(argv[2]);
	p.part = atoi(argv[3]);
	p.is_listening = p.part == -1;
	p.is_striped = p.part == -2;
	p.scale = 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	seconds = atof(argv[4]);
	p.resizes = argc == 6 ? atoi(argv[5]) : 0;
	p.display = wl_display_connect(NULL);
	if (!p.display) {
		perror("painter: no display");
		return 1;
	}
	wl_registry_add_listener(wl_display_get_registry(p.display), &registry_listener, &p);
	wl_display_roundtrip(p.display);
	if (!p.compositor || !p.shm || !p.shell || buffers_create(&p)) {
		fputs("painter: the compositor lacks something\n", stderr);
		return 1;
	}
	p.surface = wl_compositor_create_surface(p.compositor);
	xdg = xdg_wm_base_get_xdg_surface(p.shell, p.surface);
	xdg_surface_add_listener(xdg, &surface_listener, &p);
	toplevel = xdg_surface_get_toplevel(xdg);
	xdg_toplevel_add_listener(toplevel, &toplevel_listener, &p);
	xdg_toplevel_set_title(toplevel, "painter");
	wl_surface_commit(p.surface);
	while (wl_display_dispatch(p.display) >= 0 &&
	       (!p.is_configured || now() - p.started < seconds)) {
	}
	printf("frames %d seconds %.3f longest_ms %.1f late %d\n", p.frames, now() - p.started,
	       p.longest * 1000, p.late);
	return 0;
}
