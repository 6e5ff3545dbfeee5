/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte pipe between two domains: the libvchan API.
 *
 * Names and results are those of Qubes OS's libvchan, so that programs written for it compile
 * and work. Two transports, chosen once for a process at its first *_init: when both
 * VCHAN_SOCKET_DIR and VCHAN_DOMAIN are set, sockets in that folder ("local", see
 * transport_local.c); otherwise Xen, through libxenvchan.
 *
 * How to wait: the descriptor of libvchan_fd_for_select() becomes readable when something
 * changed (data came, space came, the peer connected or left) and stays so until libvchan_wait().
 * It tells *changes*: after libvchan_wait() read until libvchan_data_ready() is 0 (or remember
 * that you did not) before polling again, on both transports.
 *
 *     poll(fd_for_select)  ->  libvchan_wait()  ->  while (libvchan_data_ready() > 0) read
 *
 * One thread for one libvchan_t. Functions that return int return -1 on error, with errno.
 */
#ifndef LIBVCHAN_H
#define LIBVCHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int EVTCHN;

#define VCHAN_DISCONNECTED 0 /* the peer closed, or its domain is gone */
#define VCHAN_CONNECTED	   1
#define VCHAN_WAITING	   2 /* a server without client yet, or an async client without server */

typedef struct libvchan libvchan_t;

/*
 * Offers a vchan to `domain`; returns at once, in state VCHAN_WAITING. read_min and write_min are
 * the smallest acceptable ring sizes in bytes. NULL with errno on failure.
 */
libvchan_t *libvchan_server_init(int domain, int port, size_t read_min, size_t write_min);

/* Connects; blocks until the server is there. NULL with errno; ECONNABORTED: the domain died. */
libvchan_t *libvchan_client_init(int domain, int port);

/*
 * The same without blocking: whenever *watch_fd is readable call ..._finish(), which returns 0
 * once connected, 1 to be called again, negative on error. In either case libvchan_close() frees.
 */
libvchan_t *libvchan_client_init_async(int domain, int port, EVTCHN *watch_fd);
int libvchan_client_init_async_finish(libvchan_t *ctrl, bool blocking);

/*
 * write: blocking, all of it (returns size); in non-blocking mode what fits, maybe 0.
 * send:  all or nothing: size, or 0 in non-blocking mode when it does not fit now.
 * read:  between 1 and size bytes; in non-blocking mode maybe 0.
 * recv:  exactly size bytes; or 0 in non-blocking mode while fewer are there.
 * Data that came before the peer left can still be read. -1 afterwards; EMSGSIZE for a send or
 * recv that can never fit.
 */
int libvchan_write(libvchan_t *ctrl, const void *data, size_t size);
int libvchan_send(libvchan_t *ctrl, const void *data, size_t size);
int libvchan_read(libvchan_t *ctrl, void *data, size_t size);
int libvchan_recv(libvchan_t *ctrl, void *data, size_t size);

/* Blocks until something changes and takes note of it. 0, or -1. */
int libvchan_wait(libvchan_t *ctrl);

/* Ends the connection and frees; what was written stays readable for the peer. NULL is allowed. */
void libvchan_close(libvchan_t *ctrl);

EVTCHN libvchan_fd_for_select(libvchan_t *ctrl);
int libvchan_is_open(libvchan_t *ctrl);

/* Bytes that can be read, or written, without blocking. */
int libvchan_data_ready(libvchan_t *ctrl);
int libvchan_buffer_space(libvchan_t *ctrl);

/* A new vchan is in blocking mode. */
void libvchan_set_blocking(libvchan_t *ctrl, bool blocking);

#ifdef __cplusplus
}
#endif

#endif
