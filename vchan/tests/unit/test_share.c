/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share.h over the local transport: this process is domain 0 and maps, children are domain 1 and
 * show. A hostile peer is played by hand on the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "vchan/share.h"
#include "vchan/share_packet.h"
#include "vchan/transport.h"

static char dir[] = "/tmp/share-test-XXXXXX";

__attribute__((constructor)) static void set_up(void)
{
	if (!mkdtemp(dir)) {
		abort();
	}
	setenv("VCHAN_SOCKET_DIR", dir, 1);
	setenv("VCHAN_DOMAIN", "0", 1);
}

__attribute__((destructor)) static void tear_down(void)
{
	rmdir(dir);
}

static int open_descriptors(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 2000; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

/* Shows to domain 0: 3 pages, then 2 writable ones; tells the references; waits; ends. */
static void show_and_wait(int to_parent, int from_parent)
{
	struct share_pool *pool = share_pool_open(0, 700, SHARE_SHOW, NULL);
	const struct share_region *a, *b;
	char c;

	if (!pool || share_create(pool, 3, false, &a) || share_create(pool, 2, true, &b)) {
		_exit(1);
	}
	strcpy((char *)a->pages + 2 * SHARE_PAGE_SIZE, "third page");
	strcpy(b->pages, "fourth page");
	if (write(to_parent, a->refs, 12) != 12 || write(to_parent, b->refs, 8) != 8 ||
	    read(from_parent, &c, 1) != 1) {
		_exit(2);
	}
	if (strcmp((char *)b->pages + SHARE_PAGE_SIZE, "written by the peer")) {
		_exit(3);
	}
	share_destroy(pool, a);
	if (write(to_parent, &c, 1) != 1 || read(from_parent, &c, 1) != 1) {
		_exit(4);
	}
	share_pool_close(pool);
	_exit(0);
}

TEST(share, pages_are_mapped_in_any_order_and_outlive_their_owner)
{
	struct share_pool *pool = share_pool_open(1, 700, SHARE_MAP, NULL);
	int down[2], up[2], status, before = open_descriptors();
	uint32_t refs[5], shuffled[4], wrong[2];
	void *all, *some, *rest, *none;
	char c = 'x';
	pid_t pid;

	EXPECT(pool);
	EXPECT(!share_is_peer_gone(pool));
	EXPECT(!pipe(down) && !pipe(up));
	pid = fork();
	if (pid == 0) {
		setenv("VCHAN_DOMAIN", "1", 1);
		vchan_choose_again();
		show_and_wait(up[1], down[0]);
	}
	EXPECT_EQ(read(up[0], refs, 12), 12);
	EXPECT_EQ(read(up[0], refs + 3, 8), 8);
	EXPECT_EQ(share_map(pool, refs, 5, false, &all), 0);
	EXPECT_STR((char *)all + 2 * SHARE_PAGE_SIZE, "third page");
	EXPECT_STR((char *)all + 3 * SHARE_PAGE_SIZE, "fourth page");
	shuffled[0] = refs[3];
	shuffled[1] = refs[2];
	shuffled[2] = refs[2];
	shuffled[3] = refs[0];
	EXPECT_EQ(share_map(pool, shuffled, 4, false, &some), 0);
	EXPECT_STR((char *)some, "fourth page");
	EXPECT_STR((char *)some + SHARE_PAGE_SIZE, "third page");
	EXPECT_STR((char *)some + 2 * SHARE_PAGE_SIZE, "third page");
	EXPECT_EQ(share_map(pool, refs, 5, true, &none), -EACCES);
	EXPECT_EQ(share_map(pool, refs + 3, 2, true, &rest), 0);
	strcpy((char *)rest + SHARE_PAGE_SIZE, "written by the peer");
	wrong[0] = refs[0];
	wrong[1] = refs[4] + 1;
	EXPECT_EQ(share_map(pool, wrong, 2, false, &none), -ENOENT);
	EXPECT_EQ(write(down[1], &c, 1), 1);
	EXPECT_EQ(read(up[0], &c, 1), 1);
	/* The first region was taken back: what is mapped stays, nothing new can be. */
	EXPECT_EQ(share_map(pool, refs, 1, false, &none), -ENOENT);
	EXPECT_STR((char *)all + 2 * SHARE_PAGE_SIZE, "third page");
	EXPECT_EQ(write(down[1], &c, 1), 1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT(share_is_peer_gone(pool));
	EXPECT_EQ(share_map(pool, refs + 3, 1, false, &none), -ENOENT);
	EXPECT_STR((char *)all + 3 * SHARE_PAGE_SIZE, "fourth page");
	share_unmap(pool, all);
	share_unmap(pool, NULL);
	close(down[0]), close(down[1]), close(up[0]), close(up[1]);
	EXPECT_EQ(open_descriptors(), before);
	share_pool_close(pool);
	EXPECT_EQ(open_descriptors(), before - 1);
}

static void resize_often(int to_parent, int from_parent)
{
	struct share_pool *pool = share_pool_open(0, 701, SHARE_SHOW, NULL);
	const struct share_region *r;
	int i;
	char c;

	for (i = 0; i < 3000; i++) {
		if (!pool || share_create(pool, 64, false, &r)) {
			_exit(1);
		}
		memset(r->pages, i, SHARE_PAGE_SIZE);
		if (write(to_parent, r->refs, 256) != 256 || read(from_parent, &c, 1) != 1) {
			_exit(2);
		}
		share_destroy(pool, r);
	}
	_exit(open_descriptors() > 20);
}

TEST(share, resizing_three_thousand_times_leaks_nothing)
{
	struct share_pool *pool = share_pool_open(1, 701, SHARE_MAP, NULL);
	int down[2], up[2], i, status, before;
	uint32_t refs[64];
	uint8_t *pages;
	pid_t pid;

	EXPECT(!pipe(down) && !pipe(up));
	pid = fork();
	if (pid == 0) {
		setenv("VCHAN_DOMAIN", "1", 1);
		vchan_choose_again();
		resize_often(up[1], down[0]);
	}
	close(up[1]);
	before = open_descriptors();
	for (i = 0; i < 3000; i++) {
		EXPECT_EQ(read(up[0], refs, 256), 256);
		EXPECT_EQ(share_map(pool, refs, 64, false, (void **)&pages), 0);
		EXPECT_EQ(pages[0], i & 0xff);
		share_unmap(pool, pages);
		EXPECT_EQ(write(down[1], "", 1), 1);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT(share_is_peer_gone(pool));
	EXPECT_EQ(open_descriptors(), before);
	share_pool_close(pool);
	close(down[0]), close(down[1]), close(up[0]);
}

TEST(share, limits_and_sides_are_kept)
{
	struct share_limits limits = {.page_count_max = 10, .region_count_max = 2};
	struct share_pool *map = share_pool_open(1, 702, SHARE_MAP, NULL);
	struct share_pool *show;
	const struct share_region *a, *b, *c;
	uint32_t refs[1] = {8};
	void *p;

	EXPECT_EQ(share_create(map, 1, false, &a), -EINVAL);
	EXPECT_EQ(share_map(map, refs, 0, false, &p), -EINVAL);
	EXPECT_EQ(share_map(map, refs, SHARE_PAGES_PER_REGION_MAX + 1, false, &p), -EINVAL);
	EXPECT_EQ(share_map(map, refs, 1, false, &p), -ENOENT);
	share_pool_close(map);
	EXPECT(!share_pool_open(-1, 702, SHARE_MAP, NULL));
	EXPECT(!share_pool_open(0, 702, SHARE_MAP, NULL));
	EXPECT(!share_pool_open(1, -1, SHARE_MAP, NULL));

	/* Show to domain 2: nobody reads there, the socket is only held open. */
	show = share_pool_open(2, 702, SHARE_SHOW, &limits);
	{
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		snprintf(address.sun_path, sizeof(address.sun_path), "%s/share.0.2.702.sock", dir);
		EXPECT(!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 1));
		EXPECT_EQ(share_create(show, 0, false, &a), -EINVAL);
		EXPECT_EQ(share_create(show, 11, false, &a), -ENOSPC);
		EXPECT_EQ(share_map(show, refs, 1, false, &p), -EINVAL);
		EXPECT_EQ(share_create(show, 6, false, &a), 0);
		EXPECT_EQ(share_create(show, 5, false, &b), -ENOSPC);
		EXPECT_EQ(share_create(show, 4, false, &b), 0);
		share_destroy(show, b);
		EXPECT_EQ(share_create(show, 1, false, &b), 0);
		EXPECT_EQ(share_create(show, 1, false, &c), -ENOSPC); /* third region */
		EXPECT(!share_is_peer_gone(show));
		close(fd);
		unlink(address.sun_path);
		EXPECT(share_is_peer_gone(show));
		share_destroy(show, b);
		EXPECT_EQ(share_create(show, 1, false, &b), -EPIPE);
	}
	share_pool_close(show);
	share_pool_close(NULL);
}

/* ---- a hostile peer ---- */

static int connect_as_peer(int port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/share.1.0.%d.sock", dir, port);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		abort();
	}
	return fd;
}

static void send_raw(int socket_fd, uint32_t type, uint32_t first, uint32_t count, uint32_t flags,
		     size_t size, int fd)
{
	uint32_t words[5] = {type, first, count, flags, 0};
	struct iovec iov = {.iov_base = words, .iov_len = size};
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(socket_fd, &msg, MSG_NOSIGNAL) < 0) {
		abort();
	}
}

static int memory_file(int page_count, unsigned int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)page_count * SHARE_PAGE_SIZE) ||
	    fcntl(fd, F_ADD_SEALS, seals)) {
		abort();
	}
	return fd;
}

TEST(share, every_broken_packet_cuts_the_peer_off)
{
	int good = memory_file(4, F_SEAL_SHRINK), unsealed = memory_file(4, F_SEAL_GROW);
	int plain = open("/tmp", O_TMPFILE | O_RDWR, 0600), zero = open("/dev/zero", O_RDWR);
	int pipe_fds[2], fd, before;
	struct share_pool *pool = share_pool_open(1, 703, SHARE_MAP, NULL);
	uint32_t refs[1] = {100};
	void *p;
	size_t i;

	EXPECT(!pipe(pipe_fds));
	EXPECT(!ftruncate(plain, 4 * SHARE_PAGE_SIZE));
	const struct {
		const char *what;
		uint32_t type, first, count, flags;
		size_t size;
		int fd;
	} bad[] = {
		{"unknown type", 3, 100, 4, 0, 16, good},
		{"type 0", 0, 100, 4, 0, 16, good},
		{"too short", 1, 100, 4, 0, 12, good},
		{"too long", 1, 100, 4, 0, 20, good},
		{"no pages", 1, 100, 0, 0, 16, good},
		{"too many pages", 1, 100, SHARE_PAGES_PER_REGION_MAX + 1, 0, 16, good},
		{"references wrap", 1, 0xfffffffe, 4, 0, 16, good},
		{"unknown flag", 1, 100, 4, 2, 16, good},
		{"file shorter than announced", 1, 100, 5, 0, 16, good},
		{"file may shrink", 1, 100, 4, 0, 16, unsealed},
		{"ordinary file", 1, 100, 4, 0, 16, plain},
		{"device", 1, 100, 4, 0, 16, zero},
		{"pipe", 1, 100, 4, 0, 16, pipe_fds[0]},
		{"no descriptor", 1, 100, 4, 0, 16, -1},
		{"descriptor with hide", 2, 100, 4, 0, 16, good},
		{"hide of nothing", 2, 100, 4, 0, 16, -1},
	};
	before = open_descriptors();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = connect_as_peer(703);
		send_raw(fd, bad[i].type, bad[i].first, bad[i].count, bad[i].flags, bad[i].size,
			 bad[i].fd);
		if (share_map(pool, refs, 1, false, &p) >= 0) {
			TEST_FAIL("accepted: %s", bad[i].what);
		}
		EXPECT(share_is_peer_gone(pool));
		EXPECT_EQ(send(fd, "", 1, MSG_NOSIGNAL), -1); /* we hung up */
		close(fd);
		EXPECT_EQ(open_descriptors(), before);
	}
	/* The same packet without fault is taken, twice the same references are not. */
	fd = connect_as_peer(703);
	send_raw(fd, 1, 100, 4, 0, 16, good);
	EXPECT_EQ(share_map(pool, refs, 1, false, &p), 0);
	send_raw(fd, 1, 103, 4, 0, 16, good);
	EXPECT_EQ(share_map(pool, refs, 1, false, &p), -EPROTO);
	close(fd);
	share_pool_close(pool);
	close(good), close(unsealed), close(plain), close(zero);
	close(pipe_fds[0]), close(pipe_fds[1]);
}

TEST(share, a_peer_that_starts_again_replaces_itself)
{
	int good = memory_file(4, F_SEAL_SHRINK);
	struct share_pool *pool = share_pool_open(1, 704, SHARE_MAP, NULL);
	uint32_t refs[1] = {100};
	void *p;
	int a, b;

	a = connect_as_peer(704);
	send_raw(a, 1, 100, 4, 0, 16, good);
	EXPECT_EQ(share_map(pool, refs, 1, false, &p), 0);
	b = connect_as_peer(704);
	send_raw(b, 1, 200, 4, 0, 16, good);
	EXPECT_EQ(share_map(pool, refs, 1, false, &p), -ENOENT);
	refs[0] = 203;
	EXPECT_EQ(share_map(pool, refs, 1, false, &p), 0);
	close(a), close(b), close(good);
	share_pool_close(pool);
}

TEST_MAIN()
