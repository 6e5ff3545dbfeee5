/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transport does for libvchan.h; vchan.c calls through one such table.
 *
 * Every function has the contract of its namesake in libvchan.h. A transport embeds
 * struct libvchan as the first member of its own struct and fills `ops`.
 */
#pragma once

#include "vchan/libvchan.h"

struct vchan_ops {
	libvchan_t *(*server_init)(int domain, int port, size_t read_min, size_t write_min);
	libvchan_t *(*client_start)(int domain, int port);
	/* 0 connected, 1 not yet (and the descriptor will become readable), -1 with errno. */
	int (*client_finish)(libvchan_t *ctrl);
	int (*write)(libvchan_t *ctrl, const void *data, size_t size);
	int (*send)(libvchan_t *ctrl, const void *data, size_t size);
	int (*read)(libvchan_t *ctrl, void *data, size_t size);
	int (*recv)(libvchan_t *ctrl, void *data, size_t size);
	int (*wait)(libvchan_t *ctrl);
	void (*close)(libvchan_t *ctrl);
	int (*fd)(libvchan_t *ctrl);
	int (*is_open)(libvchan_t *ctrl);
	int (*data_ready)(libvchan_t *ctrl);
	int (*buffer_space)(libvchan_t *ctrl);
	void (*set_blocking)(libvchan_t *ctrl, bool is_blocking);
};

struct libvchan {
	const struct vchan_ops *ops;
};

extern const struct vchan_ops vchan_ops_local;
extern const struct vchan_ops vchan_ops_xen;

/* Domain ids that a real domain can have end below this (Xen: DOMID_FIRST_RESERVED). */
#define VCHAN_DOMAIN_END 0x7ff0

/* True when the process uses the local transport; decided once, at the first call. */
bool vchan_is_local(void);

/* For a child process that plays another domain (tests): choose again from the environment. */
void vchan_choose_again(void);

/* The folder of the local transport, and the own domain id from VCHAN_DOMAIN or -1. */
const char *vchan_local_dir(void);
int vchan_local_domain(void);

/*
 * Writes "<folder>/<kind>.<server>.<client>.<port>.sock" into path. 0, or -1 with errno EINVAL
 * (an id out of range, or both the same) or ENAMETOOLONG.
 */
int vchan_local_path(char *path, size_t capacity_bytes, const char *kind, int server, int client,
		     int port);
