/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The byte stream of qubes.Filecopy, read piece by piece.
 *
 * Each entry is a header of 32 bytes {u32 name_size, u32 mode, u64 file_size, u32 atime,
 * atime_ns, mtime, mtime_ns}, the path (name_size bytes with its NUL) and file_size bytes:
 * contents, or a symbolic link's target. A folder comes twice, before and after what is in it.
 * name_size 0 is the end. The other side answers {u32 errno, u32 0, u64 crc32 of all bytes},
 * then {u32 size, the last path}. Source: the protocol of stock Qubes agents.
 *
 * The reader keeps the path of the open folders itself. An entry must lie directly in the
 * innermost open one, so the receiver only ever sees one component, and never a path.
 * Pure apart from the handlers; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COPY_HEADER_SIZE 32
#define COPY_PATH_MAX	 4096
#define COPY_DEPTH_MAX	 128
#define COPY_TARGET_MAX	 4095 /* of a symbolic link */
#define COPY_ENTRIES_MAX 10000000

struct copy_entry {
	const char *name; /* one component: no '/', not "." or "..", no control characters */
	uint32_t mode;	  /* permission bits only, 0..0777 */
	uint64_t size;	  /* of a file */
	int64_t atime, mtime;
	uint32_t atime_ns, mtime_ns; /* below 1000000000 */
};

/* What to do about it; each returns 0 or -errno, which ends the stream. */
struct copy_handlers {
	int (*open_folder)(void *context, const struct copy_entry *entry);
	int (*close_folder)(void *context, const struct copy_entry *entry);
	int (*open_file)(void *context, const struct copy_entry *entry);
	int (*file_data)(void *context, const uint8_t *data, size_t size);
	int (*close_file)(void *context);
	int (*link)(void *context, const struct copy_entry *entry, const char *target);
};

enum copy_state { COPY_HEADER, COPY_NAME, COPY_DATA, COPY_TARGET, COPY_END };

struct copy_reader {
	const struct copy_handlers *handlers;
	void *context;
	enum copy_state state;
	uint8_t header[COPY_HEADER_SIZE];
	size_t have; /* bytes of header, name or target */
	uint32_t name_size, raw_mode;
	struct copy_entry entry;
	uint64_t left;			/* of a file's contents, or of a target */
	char path[COPY_PATH_MAX + 1];	/* of the current entry */
	char folder[COPY_PATH_MAX + 1]; /* of the innermost open one, "" at the top */
	char target[COPY_TARGET_MAX + 1];
	int depth;
	uint32_t entry_count;
	uint32_t crc;
};

void copy_reader_init(struct copy_reader *r, const struct copy_handlers *handlers, void *context);

/*
 * Takes bytes of the stream. 0; -errno: of a handler, or -EPROTO (a folder not closed, a name
 * outside the open folder), -EINVAL (name or type that is not allowed), -ENAMETOOLONG, -ELOOP (too
 * deep), -EFBIG (too many entries). Bytes behind the end are -EPROTO. After an error no more.
 */
int copy_reader_feed(struct copy_reader *r, const uint8_t *data, size_t size);

/* True when the stream was complete. */
bool copy_reader_is_done(const struct copy_reader *r);

/* CRC-32 (ISO 3309) of more bytes; starts with 0. */
uint32_t copy_crc(uint32_t crc, const uint8_t *data, size_t size);
