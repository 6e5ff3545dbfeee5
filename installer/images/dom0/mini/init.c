/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole userland of the mini guest: a static init that answers on its console.
 *
 * It loads the modules of /modules (in the order of their names), says "mini: up", and then obeys
 * one word a line: ping, cpus, memory, disk, copy, time, crash, spin, reboot, poweroff; with an
 * address net and reach, with an address and a count of bytes exchange. On the kernel's command
 * line `mini=WORD` obeys WORD once, without a console.
 */
#define _GNU_SOURCE
#include "net.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_modules(void)
{
	struct dirent **list;
	int count = scandir("/modules", &list, NULL, by_name);

	for (int i = 0; i < count; i++) {
		char path[300];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (list[i]->d_name[0] != '.' && syscall(SYS_finit_module, fd, "", 0)) {
			printf("mini: %s: %m\n", list[i]->d_name);
		}
		close(fd);
		free(list[i]);
	}
}

/* Read the whole disk and print its size and a sum that depends on every byte's place. */
static void read_disk(void)
{
	static unsigned char block[1 << 16];
	unsigned long sum = 0, size = 0;
	ssize_t n;
	int fd = open("/dev/xvda", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			sum = sum * 31 + block[i];
		}
		size += (unsigned long)n;
	}
	if (fd < 0) {
		printf("mini: no disk\n");
	} else {
		printf("mini: disk %lu bytes, sum %016lx\n", size, sum);
		close(fd);
	}
}

/* All of xvda to the start of xvdb, which must be as large. */
static void copy_disk(void)
{
	static char block[1 << 16];
	unsigned long size = 0;
	ssize_t n;
	int from = open("/dev/xvda", O_RDONLY | O_CLOEXEC),
	    to = open("/dev/xvdb", O_WRONLY | O_CLOEXEC);

	while (from >= 0 && to >= 0 && (n = read(from, block, sizeof(block))) > 0 &&
	       write(to, block, (size_t)n) == n) {
		size += (unsigned long)n;
	}
	if (to < 0 || fsync(to)) {
		printf("mini: copy: %m\n");
	} else {
		printf("mini: copied %lu bytes\n", size);
	}
	close(from);
	close(to);
}

/* CPUs that the toolstack added are there, but nobody has switched them on. */
static void start_cpus(void)
{
	for (int i = 1; i < 64; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "1", 1) != 1) {
			printf("mini: cpu %d: %m\n", i);
		}
		close(fd);
	}
}

/* For words with arguments. */
static int obey_net(const char *line)
{
	char address[16];
	unsigned long bytes;

	if (sscanf(line, "net %15s", address) == 1) {
		net_start(address);
	} else if (sscanf(line, "reach %15s", address) == 1) {
		net_reach(address);
	} else if (sscanf(line, "exchange %15s %lu", address, &bytes) == 2) {
		net_exchange(address, bytes);
	} else {
		return 0;
	}
	return 1;
}

static void obey(const char *word)
{
	struct sysinfo info;

	if (obey_net(word)) {
		return;
	}
	sysinfo(&info);
	if (strcmp(word, "ping") == 0) {
		printf("mini: pong\n");
	} else if (strcmp(word, "cpus") == 0) {
		start_cpus();
		printf("mini: %ld cpus\n", sysconf(_SC_NPROCESSORS_ONLN));
	} else if (strcmp(word, "memory") == 0) {
		printf("mini: %lu KiB\n", info.totalram / 1024 * info.mem_unit);
	} else if (strcmp(word, "disk") == 0) {
		read_disk();
	} else if (strcmp(word, "copy") == 0) {
		copy_disk();
	} else if (strcmp(word, "time") == 0) {
		printf("mini: %ld s since 1970, up %ld s\n", time(NULL), info.uptime);
	} else if (strcmp(word, "poweroff") == 0) {
		reboot(RB_POWER_OFF);
	} else if (strcmp(word, "reboot") == 0) {
		reboot(RB_AUTOBOOT);
	} else if (strcmp(word, "crash") == 0) {
		exit(1); /* the kernel panics when init ends */
	} else if (strcmp(word, "spin") == 0) {
		for (;;) {
		}
	} else if (*word) {
		printf("mini: %s?\n", word);
	}
}

/* The kernel runs /sbin/poweroff and /sbin/reboot when dom0 asks for it; both are this program. */
static void end_as(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	if (strcmp(name, "poweroff") == 0) {
		reboot(RB_POWER_OFF);
	} else if (strcmp(name, "reboot") == 0) {
		reboot(RB_AUTOBOOT);
	}
}

int main(int argc, char **argv)
{
	static char line[4096];
	char *word;
	FILE *f;

	end_as(argc > 0 ? argv[0] : "");
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	freopen("/dev/console", "r", stdin);
	freopen("/dev/console", "w", stdout);
	setlinebuf(stdout);
	load_modules();
	printf("mini: up\n");
	f = fopen("/proc/cmdline", "re");
	if (f && fgets(line, sizeof(line), f)) {
		for (word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
			if (strncmp(word, "mini=", 5) == 0) {
				obey(word + 5);
			}
		}
		fclose(f);
	}
	for (;;) {
		if (fgets(line, sizeof(line), stdin)) {
			line[strcspn(line, "\r\n")] = '\0';
			obey(line);
		} else {
			clearerr(stdin);
			sleep(1);
		}
	}
}
