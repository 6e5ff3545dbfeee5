/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvchan.h over the local transport: this process is domain 0, its children are domain 1.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"
#include "vchan/libvchan.h"
#include "vchan/transport.h"

static char dir[] = "/tmp/vchan-test-XXXXXX";

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
	rmdir(dir); /* fails, harmlessly, when a test left a socket behind */
}

/* Runs body as domain 1; its return value is the exit code. */
static pid_t as_domain_1(int (*body)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		setenv("VCHAN_DOMAIN", "1", 1);
		vchan_choose_again();
		_exit(body());
	}
	return pid;
}

static int exit_code_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static int echo_client(void)
{
	libvchan_t *v = libvchan_client_init(0, 600);
	char buffer[65536];
	int n;

	if (!v) {
		return 1;
	}
	while ((n = libvchan_read(v, buffer, sizeof(buffer))) > 0) {
		if (libvchan_write(v, buffer, (size_t)n) != n) {
			return 2;
		}
	}
	libvchan_close(v);
	return 0;
}

TEST(vchan, bytes_come_back_as_sent)
{
	static uint8_t out[300000], in[300000];
	size_t i, sent = 0, got = 0;
	libvchan_t *v = libvchan_server_init(1, 600, 4096, 4096);
	pid_t pid;

	EXPECT(v);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_WAITING);
	EXPECT_EQ(libvchan_data_ready(v), 0);
	EXPECT_EQ(libvchan_buffer_space(v), 0);
	pid = as_domain_1(echo_client);
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	for (i = 0; i < sizeof(out); i++) {
		out[i] = (uint8_t)(i * 7 + (i >> 8));
	}
	libvchan_set_blocking(v, false);
	while (got < sizeof(in)) {
		int n = libvchan_write(v, out + sent, sizeof(out) - sent);

		EXPECT(n >= 0);
		sent += (size_t)n;
		n = libvchan_read(v, in + got, sizeof(in) - got);
		EXPECT(n >= 0);
		got += (size_t)n;
		if (!n) {
			EXPECT_EQ(libvchan_wait(v), 0);
		}
	}
	EXPECT(!memcmp(in, out, sizeof(in)));
	libvchan_close(v);
	EXPECT_EQ(exit_code_of(pid), 0);
}

static int late_server(void)
{
	struct timespec pause = {.tv_nsec = 30000000};
	libvchan_t *v;
	char c;

	nanosleep(&pause, NULL);
	v = libvchan_server_init(0, 601, 0, 0);
	return v && libvchan_read(v, &c, 1) == 1 && c == 'x' ? 0 : 1;
}

TEST(vchan, client_waits_for_a_late_server)
{
	pid_t pid = as_domain_1(late_server);
	libvchan_t *v = libvchan_client_init(1, 601);

	EXPECT(v);
	EXPECT_EQ(libvchan_write(v, "x", 1), 1);
	EXPECT_EQ(exit_code_of(pid), 0);
	libvchan_close(v);
}

TEST(vchan, async_client_connects_when_its_descriptor_says_so)
{
	int fd = -1, rc;
	libvchan_t *v = libvchan_client_init_async(1, 601, &fd);
	pid_t pid;

	EXPECT(v);
	EXPECT(fd >= 0);
	EXPECT_EQ(libvchan_client_init_async_finish(v, false), 1);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_WAITING);
	EXPECT_EQ(libvchan_write(v, "x", 1), -1);
	pid = as_domain_1(late_server);
	do {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		EXPECT_EQ(poll(&p, 1, 5000), 1);
		rc = libvchan_client_init_async_finish(v, false);
	} while (rc == 1);
	EXPECT_EQ(rc, 0);
	EXPECT_EQ(libvchan_write(v, "x", 1), 1);
	EXPECT_EQ(exit_code_of(pid), 0);
	libvchan_close(v);
}

static int talk_and_leave(void)
{
	libvchan_t *v = libvchan_client_init(0, 602);

	return v && libvchan_write(v, "last words", 10) == 10 ? 0 : 1;
}

TEST(vchan, data_before_the_end_can_be_read_and_then_it_ends)
{
	libvchan_t *v = libvchan_server_init(1, 602, 0, 0);
	char buffer[16];
	pid_t pid;

	EXPECT(v);
	pid = as_domain_1(talk_and_leave);
	EXPECT_EQ(exit_code_of(pid), 0);
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_DISCONNECTED);
	EXPECT_EQ(libvchan_data_ready(v), 10);
	EXPECT_EQ(libvchan_recv(v, buffer, 10), 10);
	EXPECT_EQ(libvchan_read(v, buffer, 1), -1);
	EXPECT_EQ(libvchan_write(v, buffer, 1), -1);
	libvchan_set_blocking(v, false);
	EXPECT_EQ(libvchan_recv(v, buffer, 1), -1);
	EXPECT_EQ(libvchan_send(v, buffer, 1), -1);
	libvchan_close(v);
}

/* Both ends in this process: the client's connection is made by hand. */
static libvchan_t *server_and_socket(int port, int *fd);

TEST(vchan, wait_takes_the_event_and_a_change_brings_it_back)
{
	int fd;
	libvchan_t *v = server_and_socket(603, &fd);
	char c;

	EXPECT(is_readable(libvchan_fd_for_select(v)));
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	EXPECT(!is_readable(libvchan_fd_for_select(v)));
	EXPECT_EQ(write(fd, "ab", 2), 2);
	EXPECT(is_readable(libvchan_fd_for_select(v)));
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT(!is_readable(libvchan_fd_for_select(v))); /* though the data is still there */
	EXPECT_EQ(libvchan_data_ready(v), 2);
	EXPECT_EQ(libvchan_read(v, &c, 1), 1);
	EXPECT_EQ(c, 'a');
	close(fd);
	EXPECT(is_readable(libvchan_fd_for_select(v)));
	libvchan_close(v);
}

TEST(vchan, send_and_recv_are_all_or_nothing)
{
	static uint8_t data[65544], sink[8 << 20];
	int fd, n, space, total = 0;
	libvchan_t *v = server_and_socket(604, &fd);

	libvchan_set_blocking(v, false);
	EXPECT_EQ(libvchan_is_open(v), VCHAN_CONNECTED);
	EXPECT_EQ(libvchan_wait(v), 0);
	for (;;) {
		space = libvchan_buffer_space(v);
		n = libvchan_send(v, data, sizeof(data));
		EXPECT(n == 0 || n == sizeof(data));
		EXPECT_EQ(n != 0, space >= (int)sizeof(data));
		total += n;
		if (!n) {
			break;
		}
	}
	EXPECT(total >= 2 * (int)sizeof(data));
	EXPECT(!is_readable(libvchan_fd_for_select(v)));
	while (total > 0) {
		n = (int)read(fd, sink, sizeof(sink));
		EXPECT(n > 0);
		total -= n;
	}
	EXPECT_EQ(total, 0);
	EXPECT(is_readable(libvchan_fd_for_select(v))); /* space came back */
	EXPECT_EQ(libvchan_wait(v), 0);
	EXPECT(!is_readable(libvchan_fd_for_select(v)));
	EXPECT_EQ(libvchan_send(v, sink, sizeof(sink)), -1);
	EXPECT_EQ(errno, EMSGSIZE);

	EXPECT_EQ(write(fd, "abc", 3), 3);
	EXPECT_EQ(libvchan_recv(v, sink, 4), 0);
	EXPECT_EQ(write(fd, "d", 1), 1);
	EXPECT_EQ(libvchan_recv(v, sink, 4), 4);
	EXPECT(!memcmp(sink, "abcd", 4));
	EXPECT_EQ(libvchan_recv(v, sink, sizeof(sink)), -1);
	EXPECT_EQ(errno, EMSGSIZE);
	close(fd);
	libvchan_close(v);
}

TEST(vchan, a_second_server_takes_the_place_of_a_dead_one)
{
	char path[200];
	libvchan_t *a = libvchan_server_init(1, 605, 0, 0);
	libvchan_t *b;
	int fd;

	EXPECT(a);
	snprintf(path, sizeof(path), "%s/vchan.0.1.605.sock", dir);
	EXPECT_EQ(access(path, F_OK), 0);
	b = server_and_socket(605, &fd);
	EXPECT_EQ(libvchan_is_open(b), VCHAN_CONNECTED);
	EXPECT_EQ(libvchan_is_open(a), VCHAN_WAITING);
	EXPECT(access(path, F_OK) && errno == ENOENT); /* gone once the client is there */
	close(fd);
	libvchan_close(a);
	libvchan_close(b);
}

TEST(vchan, ids_out_of_range_are_refused)
{
	int fd;

	EXPECT(!libvchan_server_init(-1, 600, 0, 0));
	EXPECT_EQ(errno, EINVAL);
	EXPECT(!libvchan_server_init(VCHAN_DOMAIN_END, 600, 0, 0));
	EXPECT(!libvchan_server_init(0, 600, 0, 0)); /* itself */
	EXPECT(!libvchan_server_init(1, -1, 0, 0));
	EXPECT(!libvchan_client_init(0, 600));
	EXPECT(!libvchan_client_init_async(70000, 600, &fd));
}

static int bad_domain(void)
{
	static const char *const bad[] = {"-1", "x", "1x", " 1", "32752", "999999999999"};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			setenv("VCHAN_DOMAIN", bad[i], 1);
			vchan_choose_again();
			_exit(libvchan_server_init(2, 600, 0, 0) || errno != EINVAL);
		}
		if (exit_code_of(pid)) {
			return 1;
		}
	}
	return 0;
}

TEST(vchan, an_own_domain_that_is_no_number_is_refused)
{
	pid_t pid = fork(); /* before the choice is made in a child of its own */

	if (pid == 0) {
		_exit(bad_domain());
	}
	EXPECT_EQ(exit_code_of(pid), 0);
}

TEST(vchan, closing_nothing_is_allowed)
{
	libvchan_close(NULL);
}

#include <sys/socket.h>
#include <sys/un.h>

static libvchan_t *server_and_socket(int port, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	libvchan_t *v = libvchan_server_init(1, port, 0, 0);

	*fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/vchan.0.1.%d.sock", dir, port);
	if (!v || connect(*fd, (struct sockaddr *)&address, sizeof(address))) {
		abort();
	}
	return v;
}

TEST_MAIN()
