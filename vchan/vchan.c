/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The API of libvchan.h: chooses the transport once, then passes calls on. */
#include "vchan/libvchan.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vchan/transport.h"

static struct {
	bool is_local;
	char dir[PATH_MAX];
	int domain;
} choice;
static pthread_once_t choice_once = PTHREAD_ONCE_INIT;

/* A decimal number below end, or -1: no sign, no space, nothing behind it. */
static int parse_id(const char *text, int end)
{
	int x = 0;

	if (!*text || strlen(text) > 5) {
		return -1;
	}
	for (; *text; text++) {
		if (*text < '0' || *text > '9') {
			return -1;
		}
		x = x * 10 + (*text - '0');
	}
	return x < end ? x : -1;
}

static void choose(void)
{
	const char *dir = getenv("VCHAN_SOCKET_DIR");
	const char *domain = getenv("VCHAN_DOMAIN");

	choice.is_local = false;
	choice.domain = -1;
	if (!dir || !*dir || !domain || !*domain) {
		return;
	}
	choice.is_local = true;
	choice.domain = parse_id(domain, VCHAN_DOMAIN_END);
	snprintf(choice.dir, sizeof(choice.dir), "%s", dir);
}

void vchan_choose_again(void)
{
	choice_once = (pthread_once_t)PTHREAD_ONCE_INIT;
}

bool vchan_is_local(void)
{
	pthread_once(&choice_once, choose);
	return choice.is_local;
}

const char *vchan_local_dir(void)
{
	pthread_once(&choice_once, choose);
	return choice.dir;
}

int vchan_local_domain(void)
{
	pthread_once(&choice_once, choose);
	return choice.domain;
}

int vchan_local_path(char *path, size_t capacity_bytes, const char *kind, int server, int client,
		     int port)
{
	int length;

	if (server < 0 || server >= VCHAN_DOMAIN_END || client < 0 || client >= VCHAN_DOMAIN_END ||
	    server == client || port < 0) {
		errno = EINVAL;
		return -1;
	}
	length = snprintf(path, capacity_bytes, "%s/%s.%d.%d.%d.sock", vchan_local_dir(), kind,
			  server, client, port);
	if (length < 0 || (size_t)length >= capacity_bytes) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static const struct vchan_ops *transport(void)
{
	return vchan_is_local() ? &vchan_ops_local : &vchan_ops_xen;
}

libvchan_t *libvchan_server_init(int domain, int port, size_t read_min, size_t write_min)
{
	return transport()->server_init(domain, port, read_min, write_min);
}

libvchan_t *libvchan_client_init(int domain, int port)
{
	libvchan_t *ctrl;
	int rc, saved;

	ctrl = transport()->client_start(domain, port);
	if (!ctrl) {
		return NULL;
	}
	while ((rc = ctrl->ops->client_finish(ctrl)) > 0) {
		if (ctrl->ops->wait(ctrl)) {
			rc = -1;
			break;
		}
	}
	if (rc < 0) {
		saved = errno;
		ctrl->ops->close(ctrl);
		errno = saved;
		return NULL;
	}
	return ctrl;
}

libvchan_t *libvchan_client_init_async(int domain, int port, EVTCHN *watch_fd)
{
	libvchan_t *ctrl = transport()->client_start(domain, port);

	if (ctrl) {
		*watch_fd = ctrl->ops->fd(ctrl);
	}
	return ctrl;
}

int libvchan_client_init_async_finish(libvchan_t *ctrl, bool blocking)
{
	int rc = ctrl->ops->client_finish(ctrl);

	if (rc == 0) {
		ctrl->ops->set_blocking(ctrl, blocking);
	}
	return rc;
}

/* The results are ints, so a larger request cannot be answered. */
static bool is_size_valid(size_t size)
{
	if (size > INT_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	return true;
}

int libvchan_write(libvchan_t *ctrl, const void *data, size_t size)
{
	return is_size_valid(size) ? ctrl->ops->write(ctrl, data, size) : -1;
}

int libvchan_send(libvchan_t *ctrl, const void *data, size_t size)
{
	return is_size_valid(size) ? ctrl->ops->send(ctrl, data, size) : -1;
}

int libvchan_read(libvchan_t *ctrl, void *data, size_t size)
{
	return is_size_valid(size) ? ctrl->ops->read(ctrl, data, size) : -1;
}

int libvchan_recv(libvchan_t *ctrl, void *data, size_t size)
{
	return is_size_valid(size) ? ctrl->ops->recv(ctrl, data, size) : -1;
}

int libvchan_wait(libvchan_t *ctrl)
{
	return ctrl->ops->wait(ctrl);
}

void libvchan_close(libvchan_t *ctrl)
{
	if (ctrl) {
		ctrl->ops->close(ctrl);
	}
}

EVTCHN libvchan_fd_for_select(libvchan_t *ctrl)
{
	return ctrl->ops->fd(ctrl);
}

int libvchan_is_open(libvchan_t *ctrl)
{
	return ctrl->ops->is_open(ctrl);
}

int libvchan_data_ready(libvchan_t *ctrl)
{
	return ctrl->ops->data_ready(ctrl);
}

int libvchan_buffer_space(libvchan_t *ctrl)
{
	return ctrl->ops->buffer_space(ctrl);
}

void libvchan_set_blocking(libvchan_t *ctrl, bool blocking)
{
	ctrl->ops->set_blocking(ctrl, blocking);
}
