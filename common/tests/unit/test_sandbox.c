/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process may after it entered the sandbox; each case tries it in a child. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "common/sandbox.h"

static char dir[] = "/tmp/sandbox-test-XXXXXX";
static char open_file[64], closed_file[64], open_dir[64];

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		abort();
	}
	close(fd);
}

__attribute__((constructor)) static void set_up(void)
{
	if (!mkdtemp(dir)) {
		abort();
	}
	snprintf(open_dir, sizeof(open_dir), "%s/open", dir);
	snprintf(open_file, sizeof(open_file), "%s/open/file", dir);
	snprintf(closed_file, sizeof(closed_file), "%s/closed", dir);
	if (mkdir(open_dir, 0700)) {
		abort();
	}
	write_file(open_file);
	write_file(closed_file);
}

__attribute__((destructor)) static void tear_down(void)
{
	unlink(open_file);
	unlink(closed_file);
	rmdir(open_dir);
	rmdir(dir);
}

/* The errno of what body tried, in a child that entered the sandbox before; 0 when it could. */
static int try_inside(const char *const *calls, const struct sandbox_path *paths, int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		_exit(sandbox_enter(calls, paths) ? 255 : body() ? errno : 0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return -1;
	}
	return WEXITSTATUS(status);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static int read_open(void)
{
	return open(open_file, O_RDONLY | O_CLOEXEC) < 0;
}

static int write_open(void)
{
	return open(open_file, O_WRONLY | O_CLOEXEC) < 0;
}

static int read_closed(void)
{
	return open(closed_file, O_RDONLY | O_CLOEXEC) < 0;
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int make_inet_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int start_program(void)
{
	char *arguments[] = {"true", NULL};

	return execv("/bin/true", arguments);
}

static int start_process(void)
{
	return syscall(SYS_fork) < 0;
}

static int look_at_another(void)
{
	return syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0) < 0;
}

static int use_what_is_open(void)
{
	return write(2, "", 0) < 0;
}

TEST(sandbox, what_is_not_listed_is_refused)
{
	EXPECT_EQ(try_inside(NULL, NULL, read_open), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, make_socket), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, make_inet_socket), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, start_program), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, start_process), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, look_at_another), EPERM);
	EXPECT_EQ(try_inside(NULL, NULL, use_what_is_open), 0);
}

TEST(sandbox, a_listed_call_is_allowed)
{
	static const char *const calls[] = {"socket", NULL};

	EXPECT_EQ(try_inside(calls, NULL, make_socket), 0);
	EXPECT_EQ(try_inside(calls, NULL, start_program), EPERM);
}

/* The call is allowed, so what refuses is Landlock. */
TEST(sandbox, files_are_refused_but_for_the_listed_folders)
{
	static const char *const calls[] = {"open", "openat", NULL};
	const struct sandbox_path readable[] = {{.path = open_dir}, {0}};
	const struct sandbox_path writable[] = {{.path = open_dir, .is_writable = true}, {0}};
	const struct sandbox_path one_file[] = {{.path = open_file}, {0}};
	const struct sandbox_path missing[] = {
		{.path = "/no/such/folder"}, {.path = open_dir}, {0}};

	if (!has_landlock()) {
		printf("SKIP: this kernel has no Landlock\n");
		return;
	}
	EXPECT_EQ(try_inside(calls, NULL, read_open), EACCES);
	EXPECT_EQ(try_inside(calls, readable, read_open), 0);
	EXPECT_EQ(try_inside(calls, readable, write_open), EACCES);
	EXPECT_EQ(try_inside(calls, readable, read_closed), EACCES);
	EXPECT_EQ(try_inside(calls, writable, write_open), 0);
	EXPECT_EQ(try_inside(calls, writable, read_closed), EACCES);
	EXPECT_EQ(try_inside(calls, one_file, read_open), 0);
	EXPECT_EQ(try_inside(calls, one_file, read_closed), EACCES);
	EXPECT_EQ(try_inside(calls, missing, read_open), 0);
}

static sem_t has_begun, is_confined;
static int errno_of_thread;

static void *another_thread(void *data)
{
	sem_post(&has_begun);
	sem_wait(&is_confined);
	errno_of_thread = make_socket() ? errno : 0;
	return data;
}

static int in_another_thread(void)
{
	errno = errno_of_thread;
	return errno_of_thread != 0;
}

/* xenstore's library has one, which reads what others wrote. */
TEST(sandbox, threads_that_are_there_already_are_confined_too)
{
	pid_t pid = fork();
	pthread_t thread;
	int status;

	if (pid == 0) {
		if (sem_init(&has_begun, 0, 0) || sem_init(&is_confined, 0, 0) ||
		    pthread_create(&thread, NULL, another_thread, NULL) || sem_wait(&has_begun) ||
		    sandbox_enter(NULL, NULL)) {
			_exit(255);
		}
		sem_post(&is_confined);
		pthread_join(thread, NULL);
		_exit(in_another_thread() ? errno : 0);
	}
	EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), EPERM);
}

TEST_MAIN()
