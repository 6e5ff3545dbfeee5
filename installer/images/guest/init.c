/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first program of an app domain: the whole initrd beside the modules.
 *
 * Loads the modules listed in /modules in that order (a line: path, then options), waits for the
 * disks, mounts the root disk and becomes a program of it. A general initrd takes seconds for what
 * is known here beforehand: one kernel, Xen's block front-end, ext4 on /dev/xvda. It waits for all
 * disks that the toolstack gave, so that nothing later has to wait for udev to see them.
 *
 * Command line: mullion.root=DEVICE (default /dev/xvda), mullion.init=PROGRAM (default, and when
 * the root disk has no such program, /sbin/init).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULE_LIST  "/modules"
#define DISKS	     "/sys/bus/xen/devices"
#define DISK_WAIT_MS 20000

static void die(const char *what, const char *name)
{
	fprintf(stderr, "mullion-init: %s %s: %s\n", what, name, strerror(errno));
	sync();
	sleep(1); /* the console ring is read by another domain */
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void mount_or_die(const char *from, const char *to, const char *type, unsigned long flags)
{
	if (mount(from, to, type, flags, NULL)) {
		die("mounting", to);
	}
}

static void load_module(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) && errno != EEXIST)) {
		die("loading", path);
	}
	close(fd);
}

static void load_modules(void)
{
	char line[256], *options;
	FILE *list = fopen(MODULE_LIST, "re");

	if (!list) {
		die("opening", MODULE_LIST);
	}
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		options = line + strcspn(line, " ");
		if (*options) {
			*options++ = 0;
		}
		load_module(line, options);
	}
	fclose(list);
}

/* The value of an option of the command line, or the default. out may be cut, and then is wrong. */
static void read_option(const char *name, const char *usual, char *out, size_t size)
{
	static char line[4096];
	FILE *file = fopen("/proc/cmdline", "re");
	size_t length = strlen(name);
	char *word, *state;

	snprintf(out, size, "%s", usual);
	if (file && fgets(line, sizeof(line), file)) {
		for (word = strtok_r(line, " \n", &state); word;
		     word = strtok_r(NULL, " \n", &state)) {
			if (strncmp(word, name, length) == 0 && word[length] == '=') {
				snprintf(out, size, "%s", word + length + 1);
			}
		}
	}
	if (file) {
		fclose(file);
	}
}

static int is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* The toolstack's disks are vbd-* on Xen's bus; each has a folder "block" when it is usable. */
static int are_disks_there(void)
{
	char path[sizeof(DISKS) + 256 + sizeof("/block")];
	DIR *disks = opendir(DISKS);
	struct dirent *entry;
	int is_complete = 1;

	if (!disks) {
		return 1;
	}
	while ((entry = readdir(disks))) {
		if (strncmp(entry->d_name, "vbd-", 4) == 0) {
			snprintf(path, sizeof(path), DISKS "/%s/block", entry->d_name);
			is_complete &= is_there(path);
		}
	}
	closedir(disks);
	return is_complete;
}

static void wait_for_disks(const char *root)
{
	int waited_ms;

	for (waited_ms = 0; !is_there(root) || !are_disks_there(); waited_ms++) {
		if (waited_ms == DISK_WAIT_MS) {
			if (is_there(root)) {
				return; /* a start without one of its disks can still say so */
			}
			errno = ENODEV;
			die("waiting for", root);
		}
		usleep(1000);
	}
}

int main(void)
{
	char device[64], program[256];

	mount_or_die("dev", "/dev", "devtmpfs", MS_NOSUID);
	mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	mount_or_die("sys", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	load_modules();
	read_option("mullion.root", "/dev/xvda", device, sizeof(device));
	read_option("mullion.init", "/sbin/init", program, sizeof(program));
	wait_for_disks(device);
	mount_or_die(device, "/root", "ext4", MS_NOATIME);
	if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) ||
	    mount("/proc", "/root/proc", NULL, MS_MOVE, NULL) ||
	    mount("/sys", "/root/sys", NULL, MS_MOVE, NULL) || chdir("/root") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".")) {
		die("changing to", device);
	}
	execl(program, program, NULL);
	execl("/sbin/init", "/sbin/init", NULL);
	die("starting", "/sbin/init");
}
