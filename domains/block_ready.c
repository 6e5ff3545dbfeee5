/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block-ready add|remove: what libxl runs for each disk of a domain that mulliond starts.
 *
 * The disk is a loop device that mulliond holds open already. All that is left is to tell the
 * block back-end its number and to wait until it has opened it; the stock script does the same
 * and a hundred things that are not needed here. Removal is the kernel's work.
 *
 * Environment, from libxl: XENBUS_PATH=backend/vbd/DOMAIN/DEVICE.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xenstore.h>

#define WAIT_MS	   10000
#define PATH_SIZE  256
#define VALUE_SIZE 64

static int fail(const char *path, const char *what)
{
	fprintf(stderr, "block-ready: %s: %s: %s\n", path, what, strerror(errno));
	return 1;
}

static bool put(struct xs_handle *xs, const char *folder, const char *key, const char *value)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", folder, key);
	return xs_write(xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}

/* The back-end shows the device in sysfs when it has opened it. */
static bool wait_for_backend(const char *backend)
{
	unsigned int domain, device;
	char path[PATH_SIZE];
	int waited_ms;

	if (sscanf(backend, "backend/vbd/%u/%u", &domain, &device) != 2) {
		errno = EINVAL;
		return false;
	}
	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/vbd-%u-%u/physical_device",
		 domain, device);
	for (waited_ms = 0; access(path, F_OK); waited_ms++) {
		if (waited_ms == WAIT_MS) {
			errno = ETIMEDOUT;
			return false;
		}
		usleep(1000);
	}
	return true;
}

static int add(struct xs_handle *xs, const char *backend)
{
	char path[PATH_SIZE], number[VALUE_SIZE], *device;
	struct stat st;
	unsigned int size;
	int rc;

	snprintf(path, sizeof(path), "%s/params", backend);
	device = xs_read(xs, XBT_NULL, path, &size);
	if (!device) {
		return fail(path, "xenstore");
	}
	rc = stat(device, &st);
	free(device);
	if (rc || !S_ISBLK(st.st_mode)) {
		errno = rc ? errno : ENOTBLK;
		return fail(backend, "its device");
	}
	snprintf(number, sizeof(number), "%x:%x", major(st.st_rdev), minor(st.st_rdev));
	if (!put(xs, backend, "physical-device", number) ||
	    !put(xs, backend, "hotplug-status", "connected")) {
		return fail(backend, "xenstore");
	}
	return wait_for_backend(backend) ? 0 : fail(backend, "the block back-end did not open it");
}

int main(int argc, char **argv)
{
	const char *backend = getenv("XENBUS_PATH");
	struct xs_handle *xs;
	int rc;

	if (argc < 2 || !backend) {
		fputs("usage: XENBUS_PATH=backend/vbd/DOMAIN/DEVICE block-ready add|remove\n",
		      stderr);
		return 2;
	}
	if (strcmp(argv[1], "add") != 0) {
		return 0;
	}
	xs = xs_open(0);
	if (!xs) {
		return fail(backend, "no xenstore");
	}
	rc = add(xs, backend);
	xs_close(xs);
	return rc;
}
