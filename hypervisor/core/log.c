// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/log.h"

#include <stdarg.h>

#include "core/console.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "lib/format.h"
#include "lib/string.h"

#define RING_SIZE 32768u /* a power of two */
#define LINE_MAX  512u
#define PREFIX	  "(hv) "

/* Absolute indices count all characters ever written; their low bits are places in text. */
static struct {
	u32 produced, consumed;
	char text[RING_SIZE];
} ring;
static RO_AFTER_INIT_DATA enum log_level level_shown = LOG_INFO;

void log_set_level(enum log_level level)
{
	level_shown = level;
}

static void ring_put(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		ring.text[ring.produced % RING_SIZE] = text[i];
		ring.produced++;
	}
	if (ring.produced - ring.consumed > RING_SIZE) {
		ring.consumed = ring.produced - RING_SIZE;
	}
}

static void put_locked(const char *text, size_t length)
{
	ring_put(text, length);
	console_write_locked(text, length);
}

/* Every line starts with the prefix, also those in the middle of one text. */
static void put_lines_locked(const char *text)
{
	const char *end;

	while (*text) {
		put_locked(PREFIX, sizeof(PREFIX) - 1);
		end = strchr(text, '\n');
		end = end ? end + 1 : text + strlen(text);
		put_locked(text, (size_t)(end - text));
		text = end;
	}
}

void log_print(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX];
	unsigned long flags;
	va_list args;
	size_t length;

	if (level > level_shown) {
		return;
	}
	va_start(args, fmt);
	length = (size_t)format_text_v(line, sizeof(line), fmt, args);
	va_end(args);
	/* A message is a line, also when it was too long or lacks its end. */
	length = MIN(length, sizeof(line) - 2);
	if (!length || line[length - 1] != '\n') {
		line[length] = '\n';
		line[length + 1] = '\0';
	}
	flags = console_lock();
	put_lines_locked(line);
	console_unlock(flags);
}

size_t log_ring_read(char *to, size_t capacity, u32 *position, bool is_clearing)
{
	unsigned long flags = console_lock();
	size_t copied = 0;
	u32 at = *position;

	/* Behind what was overwritten, or from a future that is none: start with the oldest. */
	if (ring.produced - at > ring.produced - ring.consumed) {
		at = ring.consumed;
	}
	while (copied < capacity && at != ring.produced) {
		to[copied] = ring.text[at % RING_SIZE];
		copied++;
		at++;
	}
	*position = at;
	if (is_clearing) {
		ring.consumed = ring.produced;
	}
	console_unlock(flags);
	return copied;
}
