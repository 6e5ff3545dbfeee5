/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/services/copy_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/wire.h"

/* Eight bytes at a time: table[k][b] is b followed by k zero bytes. */
static uint32_t table[8][256];

static void make_table(void)
{
	uint32_t i, k, x;

	for (i = 0; i < 256; i++) {
		x = i;
		for (k = 0; k < 8; k++) {
			x = x & 1 ? x >> 1 ^ 0xedb88320u : x >> 1;
		}
		table[0][i] = x;
	}
	for (i = 0; i < 256; i++) {
		for (k = 1; k < 8; k++) {
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
		}
	}
}

uint32_t copy_crc(uint32_t crc, const uint8_t *data, size_t size)
{
	uint32_t a, b;

	if (!table[0][1]) {
		make_table();
	}
	crc = ~crc;
	for (; size >= 8; size -= 8, data += 8) {
		a = crc ^ ((uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
			   (uint32_t)data[3] << 24);
		b = (uint32_t)data[4] | (uint32_t)data[5] << 8 | (uint32_t)data[6] << 16 |
		    (uint32_t)data[7] << 24;
		crc = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^
		      table[4][a >> 24] ^ table[3][b & 0xff] ^ table[2][b >> 8 & 0xff] ^
		      table[1][b >> 16 & 0xff] ^ table[0][b >> 24];
	}
	for (; size; size--, data++) {
		crc = crc >> 8 ^ table[0][(crc ^ *data) & 0xff];
	}
	return ~crc;
}

void copy_reader_init(struct copy_reader *r, const struct copy_handlers *handlers, void *context)
{
	memset(r, 0, sizeof(*r));
	r->handlers = handlers;
	r->context = context;
}

bool copy_reader_is_done(const struct copy_reader *r)
{
	return r->state == COPY_END;
}

static int decode_header(struct copy_reader *r)
{
	struct wire in = wire_of(r->header, COPY_HEADER_SIZE);
	struct copy_entry e = {0};

	r->name_size = wire_u32le(&in);
	r->raw_mode = wire_u32le(&in);
	e.size = wire_u64le(&in);
	e.atime = wire_u32le(&in);
	e.atime_ns = wire_u32le(&in);
	e.mtime = wire_u32le(&in);
	e.mtime_ns = wire_u32le(&in);
	r->have = 0;
	if (!r->name_size) {
		if (r->depth) {
			return -EPROTO;
		}
		r->state = COPY_END;
		return 0;
	}
	if (r->name_size > COPY_PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (++r->entry_count > COPY_ENTRIES_MAX) {
		return -EFBIG;
	}
	if (e.atime_ns >= 1000000000 || e.mtime_ns >= 1000000000 || e.size > INT64_MAX) {
		return -EINVAL;
	}
	e.mode = r->raw_mode & 0777;
	r->entry = e;
	r->state = COPY_NAME;
	return 0;
}

/* One component that cannot mean anything to a terminal, a shell's eye or a file manager. */
static bool is_component(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;

	if (!*p || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > 255) {
		return false;
	}
	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || *p == '/') {
			return false;
		}
	}
	return true;
}

static int handle_folder(struct copy_reader *r)
{
	char *slash;
	int rc;

	if (r->depth && !strcmp(r->path, r->folder)) {
		rc = r->handlers->close_folder(r->context, &r->entry);
		slash = strrchr(r->folder, '/');
		*(slash ? slash : r->folder) = 0;
		r->depth--;
		return rc;
	}
	if (r->depth == COPY_DEPTH_MAX) {
		return -ELOOP;
	}
	rc = r->handlers->open_folder(r->context, &r->entry);
	if (!rc) {
		strcpy(r->folder, r->path);
		r->depth++;
	}
	return rc;
}

/* The path is there: what is it, and is it where it may be? */
static int decode_name(struct copy_reader *r)
{
	size_t length = strlen(r->folder);
	const char *name = r->path;

	r->have = 0;
	if (memchr(r->path, 0, r->name_size) != r->path + r->name_size - 1) {
		return -EINVAL;
	}
	/* A folder that is closed: its name was checked when it was opened. */
	if (S_ISDIR(r->raw_mode) && r->depth && !strcmp(r->path, r->folder)) {
		name = strrchr(r->path, '/');
		r->entry.name = name ? name + 1 : r->path;
		r->state = COPY_HEADER;
		return r->entry.size ? -EINVAL : handle_folder(r);
	}
	if (r->depth) {
		if (strncmp(r->path, r->folder, length) || r->path[length] != '/') {
			return -EPROTO;
		}
		name = r->path + length + 1;
	}
	if (!is_component(name)) {
		return -EINVAL;
	}
	r->entry.name = name;
	r->left = r->entry.size;
	if (S_ISDIR(r->raw_mode)) {
		r->state = COPY_HEADER;
		return r->entry.size ? -EINVAL : handle_folder(r);
	}
	if (S_ISLNK(r->raw_mode)) {
		r->state = COPY_TARGET;
		return !r->left || r->left > COPY_TARGET_MAX ? -EINVAL : 0;
	}
	if (!S_ISREG(r->raw_mode)) {
		return -EINVAL; /* devices, sockets, pipes */
	}
	r->state = COPY_DATA;
	return r->handlers->open_file(r->context, &r->entry);
}

/* A link must stay inside what was copied: relative, and never up. */
static bool is_target_inside(const char *target)
{
	const char *p;

	if (*target == '/') {
		return false;
	}
	for (p = target; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return false;
		}
		if ((p == target || p[-1] == '/') && p[0] == '.' && p[1] == '.' &&
		    (!p[2] || p[2] == '/')) {
			return false;
		}
	}
	return true;
}

/* Fills a buffer; how many bytes were used. */
static size_t collect(uint8_t *buffer, size_t wanted, size_t *have, const uint8_t *data,
		      size_t size)
{
	size_t n = wanted - *have < size ? wanted - *have : size;

	memcpy(buffer + *have, data, n);
	*have += n;
	return n;
}

/* Uses some bytes; their number in *used. With size 0: finishes what needs no more bytes. */
static int step(struct copy_reader *r, const uint8_t *data, size_t size, size_t *used)
{
	int rc;

	*used = 0;
	switch (r->state) {
	case COPY_HEADER:
		*used = collect(r->header, COPY_HEADER_SIZE, &r->have, data, size);
		return r->have == COPY_HEADER_SIZE ? decode_header(r) : 0;
	case COPY_NAME:
		*used = collect((uint8_t *)r->path, r->name_size, &r->have, data, size);
		return r->have == r->name_size ? decode_name(r) : 0;
	case COPY_TARGET:
		*used = collect((uint8_t *)r->target, (size_t)r->left, &r->have, data, size);
		if (r->have < r->left) {
			return 0;
		}
		r->target[r->left] = 0;
		r->have = 0;
		r->state = COPY_HEADER;
		if (strlen(r->target) != r->left || !is_target_inside(r->target)) {
			return -EINVAL;
		}
		return r->handlers->link(r->context, &r->entry, r->target);
	case COPY_DATA:
		*used = r->left < size ? (size_t)r->left : size;
		rc = *used ? r->handlers->file_data(r->context, data, *used) : 0;
		r->left -= *used;
		if (!rc && !r->left) {
			r->state = COPY_HEADER;
			rc = r->handlers->close_file(r->context);
		}
		return rc;
	case COPY_END:
		break;
	}
	return -EPROTO;
}

int copy_reader_feed(struct copy_reader *r, const uint8_t *data, size_t size)
{
	size_t used;
	int rc;

	while (size || (r->state == COPY_DATA && !r->left)) {
		rc = step(r, data, size, &used);
		r->crc = copy_crc(r->crc, data, used);
		data += used;
		size -= used;
		if (rc) {
			return rc;
		}
	}
	return 0;
}
