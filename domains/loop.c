/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ATTEMPTS_MAX 64

/* 0, -EBUSY: somebody else was faster, or -errno. */
static int try_one(struct loop *loop, int control, const struct loop_config *config, int flags)
{
	int number = ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0) {
		return -errno;
	}
	snprintf(loop->path, sizeof(loop->path), "/dev/loop%d", number);
	loop->fd = open(loop->path, flags);
	if (loop->fd < 0) {
		return errno == ENOENT ? -EBUSY : -errno; /* its node comes in a moment */
	}
	if (ioctl(loop->fd, LOOP_CONFIGURE, config) == 0) {
		return 0;
	}
	control = -errno;
	close(loop->fd);
	loop->fd = -1;
	return control;
}

int loop_attach(struct loop *loop, const char *image, bool is_writable)
{
	int flags = (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	struct loop_config config = {
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | (is_writable ? 0 : LO_FLAGS_READ_ONLY),
	};
	int image_fd = open(image, flags | O_NOFOLLOW);
	int control, attempts, rc;

	*loop = (struct loop){.fd = -1};
	if (image_fd < 0) {
		return -errno;
	}
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		close(image_fd);
		return -ENODEV;
	}
	config.fd = (uint32_t)image_fd;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", image);
	rc = -EBUSY;
	for (attempts = 0; rc == -EBUSY && attempts < ATTEMPTS_MAX; attempts++) {
		if (attempts > 0) {
			usleep(1000 * (unsigned int)attempts);
		}
		rc = try_one(loop, control, &config, flags);
	}
	close(control);
	close(image_fd); /* the device has it now */
	return rc;
}

void loop_release(struct loop *loop)
{
	if (loop->fd >= 0) {
		close(loop->fd);
		loop->fd = -1;
	}
}
