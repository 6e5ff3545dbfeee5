/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared pages as sealed memory files, pushed over a socket; see share.h for the packets.
 *
 * The mapping side listens and reads only inside share_map() and share_is_peer_gone(); what has
 * been announced waits in the socket. It trusts nothing that comes: packet and file are checked
 * before anything is kept, and a peer that breaks the rules is cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/wire.h"
#include "vchan/share_packet.h"
#include "vchan/share_transport.h"
#include "vchan/transport.h"

#define CONNECT_TIMEOUT_MS    5000
#define CONNECT_RETRY_NS      2000000
#define FIRST_REF	      8 /* as on Xen, where the lower ones are reserved */
#define SEND_BUFFER_BYTES     (2 * 1024 * 1024)
#define ANNOUNCED_REGIONS_MAX 1024

/* A region that the peer announced. */
struct announced {
	uint32_t first_ref;
	uint32_t page_count;
	bool is_writable;
	int fd;
	struct announced *next;
};

struct share_local {
	enum share_side side;
	struct sockaddr_un address;
	int listener_fd; /* SHARE_MAP */
	int socket_fd;	 /* the connection, or -1 */
	bool was_connected;
	/* SHARE_MAP */
	struct announced *announced;
	uint32_t announced_count;
	/* SHARE_SHOW: only grows; the address space is 16 TiB of pages */
	uint32_t next_ref;
};

static void forget_all(struct share_local *s)
{
	struct announced *a;

	while ((a = s->announced)) {
		s->announced = a->next;
		close(a->fd);
		free(a);
	}
	s->announced_count = 0;
}

static void disconnect(struct share_local *s)
{
	forget_all(s);
	if (s->socket_fd >= 0) {
		close(s->socket_fd);
		s->socket_fd = -1;
	}
}

static void local_close(void *state)
{
	struct share_local *s = state;

	disconnect(s);
	if (s->listener_fd >= 0) {
		unlink(s->address.sun_path);
		close(s->listener_fd);
	}
	free(s);
}

static int open_listener(struct share_local *s)
{
	s->listener_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener_fd < 0) {
		return -errno;
	}
	unlink(s->address.sun_path);
	if (bind(s->listener_fd, (struct sockaddr *)&s->address, sizeof(s->address)) ||
	    listen(s->listener_fd, 4)) {
		return -errno;
	}
	return 0;
}

static int local_open(int peer, int port, enum share_side side, void **state)
{
	struct share_local *s = calloc(1, sizeof(*s));
	int own = vchan_local_domain();
	int rc;

	if (!s) {
		return -ENOMEM;
	}
	s->side = side;
	s->listener_fd = s->socket_fd = -1;
	s->next_ref = FIRST_REF;
	s->address.sun_family = AF_UNIX;
	rc = vchan_local_path(s->address.sun_path, sizeof(s->address.sun_path), "share",
			      side == SHARE_SHOW ? own : peer, side == SHARE_SHOW ? peer : own,
			      port)
		     ? -errno
		     : 0;
	if (!rc && side == SHARE_MAP) {
		rc = open_listener(s);
	}
	if (rc) {
		local_close(s);
		return rc;
	}
	*state = s;
	return 0;
}

/* ---- showing side ---- */

static int connect_to_peer(struct share_local *s)
{
	struct timespec pause = {.tv_nsec = CONNECT_RETRY_NS};
	struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_MS / 1000};
	int size = SEND_BUFFER_BYTES;
	int waited_ms = 0;
	int fd;

	if (s->socket_fd >= 0) {
		return 0;
	}
	if (s->was_connected) {
		return -EPIPE;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size))) {
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	while (connect(fd, (struct sockaddr *)&s->address, sizeof(s->address))) {
		if ((errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN) ||
		    waited_ms > CONNECT_TIMEOUT_MS) {
			close(fd);
			return waited_ms > CONNECT_TIMEOUT_MS ? -ETIMEDOUT : -errno;
		}
		nanosleep(&pause, NULL);
		waited_ms += CONNECT_RETRY_NS / 1000000;
	}
	s->socket_fd = fd;
	s->was_connected = true;
	return 0;
}

static int send_packet(struct share_local *s, const struct share_packet *packet, int fd)
{
	uint8_t bytes[SHARE_PACKET_SIZE];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	share_packet_encode(packet, bytes);
	if (fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(s->socket_fd, &msg, MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN) {
			return -ETIMEDOUT;
		}
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
	return 0;
}

/* A file that the peer gets: for a reader one that cannot be mapped writable. */
static int descriptor_for_peer(int fd, bool may_peer_write)
{
	char path[32];

	if (may_peer_write) {
		return dup(fd);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int create_file(uint32_t page_count, bool may_peer_write, void **pages, int *fd_for_peer)
{
	size_t size = (size_t)page_count * SHARE_PAGE_SIZE;
	int fd = memfd_create("share", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0) {
		return -errno;
	}
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		rc = -errno;
		goto close_fd;
	}
	*pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*pages == MAP_FAILED) {
		rc = -errno;
		goto close_fd;
	}
	*fd_for_peer = descriptor_for_peer(fd, may_peer_write);
	if (*fd_for_peer < 0) {
		rc = -errno;
		munmap(*pages, size);
		goto close_fd;
	}
	rc = 0;

close_fd:
	close(fd);
	return rc;
}

static int local_show(void *state, struct share_shown *shown, bool may_peer_write)
{
	struct share_local *s = state;
	struct share_packet packet = {.type = SHARE_PACKET_SHOW,
				      .page_count = shown->region.page_count,
				      .is_writable = may_peer_write};
	uint32_t i;
	int fd = -1, rc;

	if (s->next_ref > UINT32_MAX - shown->region.page_count) {
		return -ENOSPC; /* 16 TiB have been shown: the program opens a new pool */
	}
	rc = connect_to_peer(s);
	if (rc) {
		return rc;
	}
	rc = create_file(shown->region.page_count, may_peer_write, &shown->region.pages, &fd);
	if (rc) {
		return rc;
	}
	packet.first_ref = s->next_ref;
	rc = send_packet(s, &packet, fd);
	close(fd);
	if (rc) {
		munmap(shown->region.pages, (size_t)shown->region.page_count * SHARE_PAGE_SIZE);
		return rc;
	}
	for (i = 0; i < shown->region.page_count; i++) {
		shown->refs[i] = s->next_ref++;
	}
	return 0;
}

static void local_hide(void *state, struct share_shown *shown)
{
	struct share_local *s = state;
	struct share_packet packet = {.type = SHARE_PACKET_HIDE,
				      .first_ref = shown->region.refs[0],
				      .page_count = shown->region.page_count};

	munmap(shown->region.pages, (size_t)shown->region.page_count * SHARE_PAGE_SIZE);
	if (s->socket_fd >= 0) {
		/* A peer that is gone, or does not read, has no more to forget. */
		(void)send_packet(s, &packet, -1);
	}
}

/* ---- mapping side ---- */

static struct announced *find(struct share_local *s, uint32_t ref)
{
	struct announced *a;

	for (a = s->announced; a; a = a->next) {
		if (ref >= a->first_ref && ref - a->first_ref < a->page_count) {
			return a;
		}
	}
	return NULL;
}

/*
 * A file that cannot make us die or stall: ordinary shared memory (no huge pages, whose pool may
 * be empty), as long as announced, never to be shortened.
 */
static bool is_file_safe(int fd, uint32_t page_count)
{
	struct stat st;
	struct statfs fs;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       st.st_size >= (off_t)page_count * SHARE_PAGE_SIZE && !fstatfs(fd, &fs) &&
	       fs.f_type == TMPFS_MAGIC;
}

/* Takes over fd on success. */
static int handle_show(struct share_local *s, const struct share_packet *packet, int fd)
{
	struct announced *a;

	if (s->announced_count >= ANNOUNCED_REGIONS_MAX || !is_file_safe(fd, packet->page_count)) {
		return -EPROTO;
	}
	for (a = s->announced; a; a = a->next) {
		if (packet->first_ref < a->first_ref + a->page_count &&
		    a->first_ref < packet->first_ref + packet->page_count) {
			return -EPROTO;
		}
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		return -ENOMEM;
	}
	a->first_ref = packet->first_ref;
	a->page_count = packet->page_count;
	a->is_writable = packet->is_writable;
	a->fd = fd;
	a->next = s->announced;
	s->announced = a;
	s->announced_count++;
	return 0;
}

static int handle_hide(struct share_local *s, const struct share_packet *packet)
{
	struct announced **link, *a;

	for (link = &s->announced; *link; link = &(*link)->next) {
		a = *link;
		if (a->first_ref == packet->first_ref && a->page_count == packet->page_count) {
			*link = a->next;
			close(a->fd);
			free(a);
			s->announced_count--;
			return 0;
		}
	}
	return -EPROTO;
}

/* One packet. 1 handled, 0 none there, negative when the connection is to be ended. */
static int receive_packet(struct share_local *s)
{
	uint8_t bytes[SHARE_PACKET_SIZE + 1];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	struct share_packet packet;
	struct cmsghdr *c;
	int fd = -1;
	ssize_t n;
	int rc;

	n = recvmsg(s->socket_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	}
	if (n == 0) {
		return -EPIPE;
	}
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len >= CMSG_LEN(sizeof(int))) {
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	}
	rc = share_packet_decode(bytes, (size_t)n, &packet);
	if (!rc && fd < 0 && packet.type == SHARE_PACKET_SHOW && (msg.msg_flags & MSG_CTRUNC)) {
		return 1; /* we are out of descriptors: this region stays unknown */
	}
	if (!rc && (fd >= 0) != (packet.type == SHARE_PACKET_SHOW)) {
		rc = -EPROTO;
	}
	if (!rc && packet.type == SHARE_PACKET_SHOW) {
		rc = handle_show(s, &packet, fd);
		fd = rc ? fd : -1;
	} else if (!rc) {
		rc = handle_hide(s, &packet);
	}
	if (fd >= 0) {
		close(fd);
	}
	return rc ? rc : 1;
}

/* Takes in everything that the peer has announced so far. 0, or the reason for a cut. */
static int receive_all(struct share_local *s)
{
	int fd, rc = 0;

	for (;;) {
		if (s->socket_fd < 0) {
			fd = accept4(s->listener_fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0) {
				return rc == -EPIPE ? 0 : rc;
			}
			s->socket_fd = fd;
			s->was_connected = true;
		}
		do {
			rc = receive_packet(s);
		} while (rc > 0);
		if (rc == 0) {
			/* A newer connection means that the peer started again. */
			fd = accept4(s->listener_fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0) {
				return 0;
			}
			disconnect(s);
			s->socket_fd = fd;
			continue;
		}
		disconnect(s);
	}
}

/* How many of refs[] from the first one on are consecutive pages of one file. */
static uint32_t run_length(const struct announced *a, const uint32_t *refs, uint32_t ref_count)
{
	uint32_t left = a->page_count - (refs[0] - a->first_ref);
	uint32_t n = 1;

	while (n < ref_count && n < left && refs[n] == refs[0] + n) {
		n++;
	}
	return n;
}

static int map_runs(struct share_local *s, uint8_t *at, const uint32_t *refs, uint32_t ref_count,
		    bool is_writable)
{
	int prot = PROT_READ | (is_writable ? PROT_WRITE : 0);
	struct announced *a;
	uint32_t n;

	for (; ref_count; ref_count -= n, refs += n, at += (size_t)n * SHARE_PAGE_SIZE) {
		a = find(s, refs[0]);
		if (!a) {
			return -ENOENT;
		}
		if (is_writable && !a->is_writable) {
			return -EACCES;
		}
		n = run_length(a, refs, ref_count);
		if (mmap(at, (size_t)n * SHARE_PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, a->fd,
			 (off_t)(refs[0] - a->first_ref) * SHARE_PAGE_SIZE) == MAP_FAILED) {
			return -errno;
		}
	}
	return 0;
}

static int local_map(void *state, const uint32_t *refs, uint32_t ref_count, bool is_writable,
		     void **out)
{
	struct share_local *s = state;
	size_t size = (size_t)ref_count * SHARE_PAGE_SIZE;
	void *pages;
	int rc;

	rc = receive_all(s);
	if (rc) {
		return rc;
	}
	pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pages == MAP_FAILED) {
		return -errno;
	}
	rc = map_runs(s, pages, refs, ref_count, is_writable);
	if (rc) {
		munmap(pages, size);
		return rc;
	}
	*out = pages;
	return 0;
}

static void local_unmap(void *state, void *pages, uint32_t page_count)
{
	munmap(pages, (size_t)page_count * SHARE_PAGE_SIZE);
}

static bool local_is_peer_gone(void *state)
{
	struct share_local *s = state;
	struct pollfd p = {.fd = s->socket_fd, .events = POLLRDHUP};

	if (s->side == SHARE_MAP) {
		(void)receive_all(s);
		return s->was_connected && s->socket_fd < 0;
	}
	return s->socket_fd >= 0 && poll(&p, 1, 0) > 0;
}

const struct share_ops share_ops_local = {
	.open = local_open,
	.close = local_close,
	.show = local_show,
	.hide = local_hide,
	.map = local_map,
	.unmap = local_unmap,
	.is_peer_gone = local_is_peer_gone,
};
