/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiver of file copies, with handlers that only check what they are given: one harmless
 * component, folders closed in order, exactly the announced bytes. First byte: how finely the
 * rest is cut; the result must not depend on it.
 */
#include <stdlib.h>
#include <string.h>

#include "qrexec/services/copy_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	int depth;
	bool is_in_file;
	uint64_t left;
	unsigned int events;
};

static void expect(int condition)
{
	if (!condition) {
		abort();
	}
}

static void expect_entry(struct seen *s, const struct copy_entry *e)
{
	expect(*e->name && !strchr(e->name, '/') && strcmp(e->name, ".") && strcmp(e->name, ".."));
	expect(strlen(e->name) < 256 && e->mode <= 0777);
	expect(e->atime_ns < 1000000000 && e->mtime_ns < 1000000000);
	expect(!s->is_in_file);
	s->events = s->events * 31 + 7;
}

static int open_folder(void *context, const struct copy_entry *e)
{
	struct seen *s = context;

	expect_entry(s, e);
	expect(++s->depth <= COPY_DEPTH_MAX);
	return 0;
}

static int close_folder(void *context, const struct copy_entry *e)
{
	struct seen *s = context;

	expect_entry(s, e);
	expect(s->depth-- > 0);
	return 0;
}

static int open_file(void *context, const struct copy_entry *e)
{
	struct seen *s = context;

	expect_entry(s, e);
	s->is_in_file = true;
	s->left = e->size;
	return 0;
}

static int file_data(void *context, const uint8_t *data, size_t size)
{
	struct seen *s = context;

	expect(s->is_in_file && size && size <= s->left);
	s->left -= size;
	return 0;
}

static int close_file(void *context)
{
	struct seen *s = context;

	expect(s->is_in_file && !s->left);
	s->is_in_file = false;
	return 0;
}

static int make_link(void *context, const struct copy_entry *e, const char *target)
{
	struct seen *s = context;

	expect_entry(s, e);
	expect(*target && *target != '/' && strncmp(target, "../", 3) && !strstr(target, "/../"));
	return 0;
}

static int run(const uint8_t *data, size_t size, size_t piece, struct seen *seen)
{
	static const struct copy_handlers handlers = {open_folder, close_folder, open_file,
						      file_data,   close_file,	 make_link};
	static struct copy_reader r;
	size_t n;
	int rc = 0;

	copy_reader_init(&r, &handlers, seen);
	for (; size && !rc; size -= n, data += n) {
		n = size < piece ? size : piece;
		rc = copy_reader_feed(&r, data, n);
	}
	if (copy_reader_is_done(&r)) {
		expect(!seen->depth && !seen->is_in_file);
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = {0}, cut = {0};

	if (!size || size > 4096) {
		return 0;
	}
	expect(run(data + 1, size - 1, 4096, &whole) ==
	       run(data + 1, size - 1, 1 + data[0] % 64, &cut));
	expect(whole.events == cut.events && whole.depth == cut.depth);
	return 0;
}
