// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/console.h"

#include "core/debug_key.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/spinlock.h"
#include "lib/string.h"

#define INPUT_SIZE  1024u
#define SWITCH_CHAR 0x01 /* Ctrl-A */
#define SWITCH_COUNT 3u

static struct spinlock lock = SPINLOCK_INIT(LOCK_CONSOLE);
static bool is_lockless; /* the machine goes down */
static struct console_device *in_use;
static struct {
	u32 produced, consumed;
	char text[INPUT_SIZE];
	unsigned int switch_seen; /* Ctrl-A in a row */
	bool is_ours;		  /* input goes to the debug keys */
	void (*notify)(void);
} input;

unsigned long console_lock(void) NO_THREAD_SAFETY
{
	return is_lockless ? arch_irq_save() : spin_lock_irqsave(&lock);
}

void console_unlock(unsigned long flags) NO_THREAD_SAFETY
{
	if (is_lockless) {
		arch_irq_restore(flags);
	} else {
		spin_unlock_irqrestore(&lock, flags);
	}
}

void console_enter_panic(void)
{
	is_lockless = true;
}

void console_write_locked(const char *text, size_t length)
{
	struct console_device *d;

	for (d = in_use; d; d = d->next) {
		d->write(text, length);
	}
}

void console_write_guest(const char *text, size_t length)
{
	unsigned long flags = console_lock();

	console_write_locked(text, length);
	console_unlock(flags);
}

static bool is_named(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (; *names; names += *names == ',') {
		if (strncmp(names, name, length) == 0 && (names[length] == ',' || !names[length])) {
			return true;
		}
		while (*names && *names != ',') {
			names++;
		}
	}
	return false;
}

static void replay(struct console_device *d)
{
	char text[128];
	u32 position = 0;
	size_t length;

	while ((length = log_ring_read(text, sizeof(text), &position, false)) > 0) {
		d->write(text, length);
	}
}

bool console_setup(const char *names, struct console_device *const devices[])
{
	struct console_device *d;

	for (; (d = *devices); devices++) {
		if (!is_named(names, d->name) || !d->setup(d->options)) {
			continue;
		}
		replay(d);
		d->next = in_use;
		in_use = d;
	}
	return in_use != NULL;
}

void console_drop(struct console_device *device)
{
	unsigned long flags = console_lock();
	struct console_device **link;

	for (link = &in_use; *link; link = &(*link)->next) {
		if (*link == device) {
			*link = device->next;
			break;
		}
	}
	console_unlock(flags);
}

void console_set_input_notify(void (*notify)(void))
{
	input.notify = notify;
}

size_t console_input_read(char *to, size_t capacity)
{
	unsigned long flags = console_lock();
	size_t copied = 0;

	while (copied < capacity && input.consumed != input.produced) {
		to[copied] = input.text[input.consumed % INPUT_SIZE];
		input.consumed++;
		copied++;
	}
	console_unlock(flags);
	return copied;
}

/* True when c belongs to the switch sequence. */
static bool is_switching(char c)
{
	if (c != SWITCH_CHAR) {
		input.switch_seen = 0;
		return false;
	}
	input.switch_seen++;
	if (input.switch_seen == SWITCH_COUNT) {
		input.switch_seen = 0;
		input.is_ours = !input.is_ours;
		log_info("*** Console input goes to %s (three times Ctrl-A switches)\n",
			 input.is_ours ? "the hypervisor; 'h' for help" : "dom0");
	}
	return true;
}

void console_input(char c)
{
	unsigned long flags;
	bool is_new = false;

	if (is_switching(c)) {
		return;
	}
	if (input.is_ours) {
		debug_key_press(c);
		return;
	}
	flags = console_lock();
	if (input.produced - input.consumed < INPUT_SIZE) {
		input.text[input.produced % INPUT_SIZE] = c;
		input.produced++;
		is_new = true;
	}
	console_unlock(flags);
	if (is_new && input.notify) {
		input.notify();
	}
}
