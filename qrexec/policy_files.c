/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy_reader of real files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qrexec/policy.h"

#define FILE_SIZE_MAX (4 * 1024 * 1024)

static int read_file(void *context, const char *path, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	struct stat st;
	ssize_t n = 1;
	int rc = 0;

	*text = NULL;
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		rc = -EINVAL;
	} else {
		*text = malloc((size_t)st.st_size + 1);
		rc = *text ? 0 : -ENOMEM;
	}
	while (!rc && n > 0 && size < (size_t)st.st_size) {
		n = read(fd, *text + size, (size_t)st.st_size - size);
		if (n < 0) {
			rc = -errno;
			break;
		}
		size += (size_t)n;
	}
	close(fd);
	if (!rc && memchr(*text, 0, size)) {
		rc = -EILSEQ; /* what stands behind it would be read by nobody */
	}
	if (rc) {
		free(*text);
		return rc;
	}
	(*text)[size] = 0;
	return 0;
}

static int list_folder(void *context, const char *path, char ***names, size_t *count)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char **bigger;

	*names = NULL;
	*count = 0;
	if (!folder) {
		return -errno;
	}
	while ((entry = readdir(folder))) {
		bigger = realloc(*names, (*count + 1) * sizeof(**names));
		if (!bigger) {
			break;
		}
		*names = bigger;
		(*names)[*count] = strdup(entry->d_name);
		if (!(*names)[*count]) {
			break;
		}
		(*count)++;
	}
	closedir(folder);
	if (entry) {
		while (*count) {
			free((*names)[--*count]);
		}
		free(*names);
		return -ENOMEM;
	}
	return 0;
}

const struct policy_reader policy_files = {.read_file = read_file, .list_folder = list_folder};
