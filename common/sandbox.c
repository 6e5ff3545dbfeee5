/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include <seccomp.h>

/* What the C library and our loops need whatever they do. */
static const char *const basic_calls[] = {
	/* memory */
	"brk",
	"mmap",
	"munmap",
	"mremap",
	"madvise",
	"mprotect",
	/* descriptors that are open already */
	"read",
	"write",
	"readv",
	"writev",
	"close",
	"fstat",
	"newfstatat",
	"lseek",
	"fcntl",
	"poll",
	"ppoll",
	"epoll_wait",
	"epoll_pwait",
	"epoll_ctl",
	"ioctl",
	"recvfrom",
	"sendto",
	"recvmsg",
	"sendmsg",
	"shutdown",
	"dup",
	"pread64",
	"pwrite64",
	/* time, signals, locks, the end */
	"clock_gettime",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"restart_syscall",
	"futex",
	"getpid",
	"gettid",
	"getrandom",
	"exit",
	"exit_group",
	"tgkill",
	"timerfd_settime",
	NULL,
};

static int add_calls(scmp_filter_ctx filter, const char *const *calls)
{
	int number, rc;

	for (; calls && *calls; calls++) {
		number = seccomp_syscall_resolve_name(*calls);
		if (number == __NR_SCMP_ERROR) {
			continue; /* of another architecture */
		}
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (rc && rc != -EEXIST) {
			return rc;
		}
	}
	return 0;
}

static int limit_calls(const char *const *syscalls)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter) {
		return -ENOMEM;
	}
	rc = add_calls(filter, basic_calls);
	if (!rc) {
		rc = add_calls(filter, syscalls);
	}
	if (!rc) {
		/* Also for threads that a library has started: xenstore's has one. */
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	}
	if (!rc) {
		/* A binary search instead of a list: the data path makes many calls. */
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		/* Libraries start threads: a filter that spares them keeps nobody in. */
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
		rc = seccomp_load(filter);
	}
	seccomp_release(filter);
	return rc;
}

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* Rights of Landlock's first version, which every kernel that has it knows. */
#define ALL_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static int add_path(int ruleset, const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access =
			p->is_writable ? ALL_RIGHTS & ~LANDLOCK_ACCESS_FS_EXECUTE : READ_RIGHTS,
		.parent_fd = open(p->path, O_PATH | O_CLOEXEC),
	};
	int rc;

	if (rule.parent_fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc && errno == EINVAL) {
		/* A file, not a folder: folder rights do not apply to it. */
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
		rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
				  0);
	}
	rc = rc ? -errno : 0;
	close(rule.parent_fd);
	return rc;
}

static int limit_files(const struct sandbox_path *paths)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
	int ruleset, rc = 0;

	/* The size of the first version: later members of the struct are of no use here. */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(uint64_t), 0);
	if (ruleset < 0) {
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	}
	for (; paths && paths->path && !rc; paths++) {
		rc = add_path(ruleset, paths);
	}
	if (!rc && syscall(SYS_landlock_restrict_self, ruleset, 0)) {
		rc = -errno;
	}
	close(ruleset);
	return rc;
}

int sandbox_files(const struct sandbox_path *paths)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : limit_files(paths);
}

int sandbox_calls(const char *const *syscalls)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : limit_calls(syscalls);
}

int sandbox_enter(const char *const *syscalls, const struct sandbox_path *paths)
{
	int rc = sandbox_files(paths);

	return rc ? rc : sandbox_calls(syscalls);
}
