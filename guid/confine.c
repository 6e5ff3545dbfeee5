/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/confine.h"

#include "common/sandbox.h"

#include <stdio.h>
#include <stdlib.h>

#define PATHS_MAX 32

int confine_files(bool is_gpu_used)
{
	struct sandbox_path paths[PATHS_MAX] = {
		/* fonts, icons, cursors, themes, keyboard data; libraries that GTK loads late */
		{"/usr/share", false},
		{"/usr/lib", false},
		{"/lib", false},
		{"/lib64", false},
		{"/usr/local/share", false},
		{"/var/cache/fontconfig", false},
		/* fontconfig, GTK settings, names and time zone, the linker's cache */
		{"/etc", false},
		/* what GLib and Mesa look up about themselves */
		{"/proc/self", false},
		{"/sys/devices/system/cpu", false},
		{"/dev/null", true},
		{"/dev/urandom", false},
		/* grants and event channels, the store */
		{"/dev/xen", true},
		{"/run/xenstored", true},
		{"/proc/xen", true},
	};
	const char *folder;
	char cache[512], runtime[512];
	int count = 14;

	folder = getenv("XDG_CACHE_HOME");
	if (!folder && getenv("HOME")) {
		snprintf(cache, sizeof(cache), "%s/.cache/fontconfig", getenv("HOME"));
		folder = cache;
	}
	if (folder) {
		paths[count++] = (struct sandbox_path){folder, false};
	}
	/* X11's cookie; connecting to the display's socket needs no right on files */
	if (getenv("XAUTHORITY")) {
		paths[count++] = (struct sandbox_path){getenv("XAUTHORITY"), false};
	}
	/* the local transport's sockets are made there */
	if (getenv("VCHAN_SOCKET_DIR")) {
		paths[count++] = (struct sandbox_path){getenv("VCHAN_SOCKET_DIR"), true};
	}
	folder = getenv("XDG_RUNTIME_DIR");
	if (folder) {
		snprintf(runtime, sizeof(runtime), "%s/mullion", folder);
		paths[count++] = (struct sandbox_path){runtime, true};
	}
	if (is_gpu_used) {
		paths[count++] = (struct sandbox_path){"/dev/dri", true};
		paths[count++] = (struct sandbox_path){"/sys/dev", false};
		paths[count++] = (struct sandbox_path){"/sys/devices", false};
	}
	return sandbox_files(paths);
}

int confine_calls(void)
{
	static const char *const calls[] = {
		/* reading fonts, icons and cursors, which GTK does when it first needs them */
		"open",
		"openat",
		"stat",
		"lstat",
		"statx",
		"fstatfs",
		"statfs",
		"access",
		"faccessat",
		"faccessat2",
		"getdents64",
		"readlink",
		"readlinkat",
		"getcwd",
		"fadvise64",
		"flock",
		/* window buffers for the compositor */
		"memfd_create",
		"ftruncate",
		"fallocate",
		/* the main loop, and pipes for the clipboard */
		"eventfd2",
		"pipe2",
		"epoll_create1",
		"timerfd_create",
		"select",
		"pselect6",
		/* worker threads of GLib and GTK; no programs: there is no execve */
		"clone",
		"clone3",
		"set_robust_list",
		"rseq",
		"set_tid_address",
		"prctl",
		"sched_yield",
		"sched_getaffinity",
		"sched_setattr",
		"sched_getattr",
		"get_robust_list",
		"membarrier",
		/* what GLib asks about itself */
		"getuid",
		"geteuid",
		"getgid",
		"getegid",
		"getppid",
		"uname",
		"sysinfo",
		"prlimit64",
		"getrusage",
		"times",
		"clock_getres",
		/* the X11 back-end of GTK, when the desktop is one */
		"getpeername",
		"getsockname",
		"getsockopt",
		"shmget",
		"shmat",
		"shmctl",
		"shmdt",
		/* the display's socket goes on; accept: pages of the local transport */
		"accept4",
		"unlink",
		"writev",
		"setsockopt",
		NULL,
	};

	return sandbox_calls(calls);
}
