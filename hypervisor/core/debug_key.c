// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/debug_key.h"

#include "core/log.h"
#include "core/softirq.h"
#include "hv/compiler.h"
#include "hv/error.h"
#include "lib/bitmap.h"

#define KEY_COUNT 128u

static RO_AFTER_INIT struct {
	const char *what;
	void (*handler)(void);
} keys[KEY_COUNT];
static u64 pressed[BITMAP_WORDS(KEY_COUNT)];

void debug_key_register(char key, const char *what, void (*handler)(void))
{
	unsigned int i = (unsigned char)key;

	CHECK(i < KEY_COUNT && !keys[i].handler);
	keys[i].what = what;
	keys[i].handler = handler;
}

void debug_key_press(char key)
{
	unsigned int i = (unsigned char)key;

	if (i < KEY_COUNT) {
		bitmap_atomic_test_and_set(pressed, i);
		softirq_raise(SOFTIRQ_DEBUG_KEY);
	}
}

static void run_pressed(void)
{
	unsigned int i;

	for (i = 0; i < KEY_COUNT; i++) {
		if (!bitmap_atomic_test_and_clear(pressed, i)) {
			continue;
		}
		if (!keys[i].handler) {
			log_info("no debug key '%c'; 'h' lists them\n", i >= ' ' ? (int)i : '?');
			continue;
		}
		log_info("'%c' pressed: %s\n", (int)i, keys[i].what);
		keys[i].handler();
	}
}

static void help(void)
{
	unsigned int i;

	for (i = 0; i < KEY_COUNT; i++) {
		if (keys[i].handler) {
			log_info("  '%c' %s\n", (int)i, keys[i].what);
		}
	}
}

void debug_key_setup(void)
{
	softirq_register(SOFTIRQ_DEBUG_KEY, run_pressed);
	debug_key_register('h', "list the debug keys", help);
}
