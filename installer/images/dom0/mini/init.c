/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole userland of the mini guest: a static init that answers on its console.
 *
 * It loads the modules of /modules (in the order of their names), says "mini: up", and then obeys
 * one word a line: ping, cpus, memory, disk, time, crash, spin, reboot, poweroff. On the kernel's
 * command line `mini=WORD` obeys WORD once, without a console.
 */
#define _GNU_SOURCE
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

static void obey(const char *word)
{
	struct sysinfo info;

	sysinfo(&info);
	if (strcmp(word, "ping") == 0) {
		printf("mini: pong\n");
	} else if (strcmp(word, "cpus") == 0) {
		printf("mini: %ld cpus\n", sysconf(_SC_NPROCESSORS_ONLN));
	} else if (strcmp(word, "memory") == 0) {
		printf("mini: %lu KiB\n", info.totalram / 1024 * info.mem_unit);
	} else if (strcmp(word, "disk") == 0) {
		read_disk();
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

int main(void)
{
	static char line[4096];
	char *word;
	FILE *f;

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
