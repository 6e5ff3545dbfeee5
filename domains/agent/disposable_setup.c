/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/agent/disposable_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOME_DISK "/dev/xvdb"
/* Linux, Documentation/filesystems/ext4: the superblock at 1024, its magic number at 0x38. */
#define EXT_MAGIC_AT (1024 + 0x38)
#define EXT_MAGIC    0xEF53

static int complain(const char *what)
{
	fprintf(stderr, "disposable-init: %s: %s\n", what, strerror(errno));
	return -1;
}

static int put_mount(const char *type, const char *where, unsigned long flags, const char *options)
{
	if ((mkdir(where, 0755) && errno != EEXIST) || mount(type, where, type, flags, options)) {
		return complain(where);
	}
	return 0;
}

/* mkdir()'s mode is cut by the umask; chmod()'s is not. */
static int put_folder(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	if ((mkdir(path, mode) && errno != EEXIST) || chmod(path, mode) || chown(path, uid, gid)) {
		return complain(path);
	}
	return 0;
}

/* The user's programs call and show windows over these. */
static int open_devices(void)
{
	static const char *const devices[] = {"/dev/xen/evtchn", "/dev/xen/gntalloc",
					      "/dev/xen/gntdev", "/dev/xen/xenbus"};
	const struct group *group = getgrnam("qubes");
	size_t i;

	if (!group) {
		errno = ENOENT;
		return complain("group qubes");
	}
	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (chown(devices[i], 0, group->gr_gid) || chmod(devices[i], 0660)) {
			return complain(devices[i]);
		}
	}
	return 0;
}

/* udev's work: shells and scripts use these. */
static int link_descriptors(void)
{
	static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
					       {"/proc/self/fd/0", "/dev/stdin"},
					       {"/proc/self/fd/1", "/dev/stdout"},
					       {"/proc/self/fd/2", "/dev/stderr"}};
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST) {
			return complain(links[i][1]);
		}
	}
	return 0;
}

/* A home that was never used has no file system yet: then the template's own folder serves. */
static bool has_file_system(const char *disk)
{
	uint8_t magic[2];
	int fd = open(disk, O_RDONLY | O_CLOEXEC);
	bool is_there = fd >= 0 && pread(fd, magic, 2, EXT_MAGIC_AT) == 2 &&
			(magic[0] | magic[1] << 8) == EXT_MAGIC;

	if (fd >= 0) {
		close(fd);
	}
	return is_there;
}

static int mount_home(void)
{
	if (!has_file_system(HOME_DISK)) {
		return 0;
	}
	if (mount(HOME_DISK, "/home", "ext4", MS_NOATIME | MS_NOSUID | MS_NODEV, NULL)) {
		return complain("/home");
	}
	return 0;
}

int disposable_setup(const struct passwd *user)
{
	if (put_mount("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755") ||
	    put_folder("/run/user", 0755, 0, 0) ||
	    put_folder(DISPOSABLE_RUN, 0700, user->pw_uid, user->pw_gid) ||
	    put_folder("/run/qubes", 0755, 0, 0) || put_folder("/run/lock", 01777, 0, 0) ||
	    put_folder("/tmp/.X11-unix", 01777, 0, 0)) {
		return -1;
	}
	return link_descriptors() || open_devices() || mount_home() ? -1 : 0;
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) {
		complain("lo");
	}
	if (fd >= 0) {
		close(fd);
	}
}

/* machine-id(5): 32 digits; some programs do not start without one. Nobody keeps it. */
static void name_machine(void)
{
	static const char digits[] = "0123456789abcdef";
	char name[64] = "mullion-guest", id[33];
	uint8_t bytes[16];
	FILE *file = fopen("/etc/hostname", "re");
	size_t i;

	if (file) {
		if (fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = 0;
		}
		fclose(file);
	}
	if (sethostname(name, strlen(name))) {
		complain("host name");
	}
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		complain("machine-id");
		return;
	}
	for (i = 0; i < 16; i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[32] = '\n';
	file = fopen("/etc/machine-id", "we");
	if (!file || fwrite(id, sizeof(id), 1, file) != 1) {
		complain("/etc/machine-id");
	}
	if (file) {
		fclose(file);
	}
}

void disposable_setup_later(const struct passwd *user)
{
	name_machine();
	raise_loopback();
	put_mount("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	put_mount("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666,gid=5");
}
