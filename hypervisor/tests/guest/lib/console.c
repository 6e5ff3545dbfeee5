/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console is the second serial port, which needs no hypercall. Where its scratch register does
 * not hold a value, it is the ring that the toolstack made (a domU); without one, each line goes
 * through console_io with a mark that tools/guest.py looks for.
 */
#include "console_ring.h"

#include <stdarg.h>
#include <xen/sched.h>

#define COM2	  0x2f8
#define EXIT_PORT 0xf4 /* QEMU's isa-debug-exit */
#define LINE_SIZE 256

static enum { UNKNOWN, SERIAL, RING, HYPERCALL } console;
static char line[LINE_SIZE];
static size_t line_used;

static void console_choose(void)
{
	outb(COM2 + 7, 0x5a);
	console = inb(COM2 + 7) == 0x5a ? SERIAL : console_ring_init() ? RING : HYPERCALL;
	if (console == SERIAL) {
		outb(COM2 + 1, 0);
		outb(COM2 + 3, 0x03);
		outb(COM2 + 2, 0x07);
	}
}

static void put_char(char c)
{
	if (console == UNKNOWN) {
		console_choose();
	}
	if (console == SERIAL) {
		for (unsigned i = 0; i < 100000 && !(inb(COM2 + 5) & 0x20); i++) {
		}
		outb(COM2, (uint8_t)c);
		return;
	}
	if (console == RING) {
		console_ring_put(c);
		return;
	}
	if (line_used == 0) {
		memcpy(line, "guest: ", 7);
		line_used = 7;
	}
	line[line_used++] = c;
	if (c == '\n' || line_used == LINE_SIZE) {
		hypercall3(__HYPERVISOR_console_io, 0, line_used, line);
		line_used = 0;
	}
}

static void put_number(uint64_t value, unsigned base, bool is_signed, int width, char fill)
{
	char digits[24];
	int count = 0;

	if (is_signed && (int64_t)value < 0) {
		put_char('-');
		value = -value;
	}
	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (width-- > count) {
		put_char(fill);
	}
	while (count > 0) {
		put_char(digits[--count]);
	}
}

static void put_argument(const char **format, va_list args)
{
	const char *f = *format;
	char fill = ' ';
	int width = 0;
	int longs = 0;
	uint64_t value;

	if (*f == '#') {
		put_char('0');
		put_char('x');
		f++;
	}
	if (*f == '0') {
		fill = '0';
		f++;
	}
	while (*f >= '0' && *f <= '9') {
		width = width * 10 + *f++ - '0';
	}
	while (*f == 'l' || *f == 'z') {
		longs++;
		f++;
	}
	switch (*f) {
	case 's': {
		const char *s = va_arg(args, const char *);

		while (*s) {
			put_char(*s++);
		}
		break;
	}
	case 'c':
		put_char((char)va_arg(args, int));
		break;
	case 'd':
		value = longs ? (uint64_t)va_arg(args, long) : (uint64_t)va_arg(args, int);
		put_number(value, 10, true, width, fill);
		break;
	case 'u':
	case 'x':
		value = longs ? va_arg(args, unsigned long) : va_arg(args, unsigned int);
		put_number(value, *f == 'x' ? 16 : 10, false, width, fill);
		break;
	case 'p':
		put_number((uint64_t)va_arg(args, void *), 16, false, 16, '0');
		break;
	default:
		put_char(*f);
		break;
	}
	*format = f + 1;
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format) {
		if (*format == '%') {
			format++;
			put_argument(&format, args);
		} else {
			put_char(*format++);
		}
	}
	va_end(args);
}

void finish(const char *verdict, const char *reason)
{
	struct sched_shutdown off = {.reason = SHUTDOWN_poweroff};

	irq_off();
	print("%s %s\n", verdict, reason);
	if (console == RING) {
		console_ring_drain();
	}
	outl(EXIT_PORT, 0);
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &off);
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}
