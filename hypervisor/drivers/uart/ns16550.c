// SPDX-License-Identifier: GPL-2.0-or-later
#include "drivers/uart/ns16550.h"

#include "core/log.h"
#include "hv/compiler.h"

#include <asm/io.h>

/* PC16550D data sheet, table II. */
#define REG_DATA 0
#define REG_IER	 1
#define REG_FCR	 2
#define REG_IIR	 2
#define REG_LCR	 3
#define REG_MCR	 4
#define REG_LSR	 5
#define REG_SCR	 7

#define IER_RECEIVE    0x01
#define FCR_ENABLE     0x07 /* on, both FIFOs emptied */
#define LCR_8N1	       0x03
#define LCR_DIVISOR    0x80
#define MCR_ON	       0x0b /* DTR, RTS, OUT2 (which lets the interrupt out) */
#define LSR_RECEIVED   0x01
#define LSR_FIFO_EMPTY 0x20
#define FIFO_SIZE      16u
#define BASE_RATE      115200u

struct uart {
	u16 port;
	u8 irq;
	bool is_used;
};
static struct uart uarts[2] = {{0x3f8, 4, false}, {0x2f8, 3, false}};

static u8 in(const struct uart *u, u16 reg)
{
	return port_in8((u16)(u->port + reg));
}

static void out(const struct uart *u, u16 reg, u8 value)
{
	port_out8((u16)(u->port + reg), value);
}

/* "115200,8n1": only the rate is looked at. */
static unsigned int parse_rate(const char *options)
{
	unsigned int rate = 0;

	while (options && *options >= '0' && *options <= '9' && rate < BASE_RATE) {
		rate = rate * 10 + (unsigned int)(*options - '0');
		options++;
	}
	return rate >= 50 && rate <= BASE_RATE ? rate : BASE_RATE;
}

static bool setup(struct uart *u, const char *options)
{
	unsigned int divisor = BASE_RATE / parse_rate(options);

	out(u, REG_SCR, 0x5a);
	if (in(u, REG_SCR) != 0x5a) {
		return false;
	}
	out(u, REG_IER, 0);
	out(u, REG_LCR, LCR_DIVISOR);
	out(u, 0, (u8)divisor);
	out(u, 1, (u8)(divisor >> 8));
	out(u, REG_LCR, LCR_8N1);
	out(u, REG_FCR, FCR_ENABLE);
	out(u, REG_MCR, MCR_ON);
	u->is_used = true;
	return true;
}

/* Gives up on a port that does not get rid of its bytes, so that a log cannot hang the machine. */
static bool wait_for_room(const struct uart *u)
{
	unsigned int tries;

	for (tries = 0; tries < 200000; tries++) {
		if (in(u, REG_LSR) & LSR_FIFO_EMPTY) {
			return true;
		}
	}
	return false;
}

static void put(const struct uart *u, char c, unsigned int *room)
{
	if (!*room) {
		if (!wait_for_room(u)) {
			return;
		}
		*room = FIFO_SIZE;
	}
	out(u, REG_DATA, (u8)c);
	(*room)--;
}

static void write(const struct uart *u, const char *text, size_t length)
{
	unsigned int room = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] == '\n') {
			put(u, '\r', &room);
		}
		put(u, text[i], &room);
	}
}

static void handle_interrupt(void *data)
{
	const struct uart *u = data;
	unsigned int limit = 64;

	while (limit-- && (in(u, REG_LSR) & LSR_RECEIVED)) {
		console_input((char)in(u, REG_DATA));
	}
	in(u, REG_IIR);
}

static bool setup_com1(const char *options)
{
	return setup(&uarts[0], options);
}

static bool setup_com2(const char *options)
{
	return setup(&uarts[1], options);
}

static void write_com1(const char *text, size_t length)
{
	write(&uarts[0], text, length);
}

static void write_com2(const char *text, size_t length)
{
	write(&uarts[1], text, length);
}

struct console_device ns16550_com1 = {.name = "com1", .setup = setup_com1, .write = write_com1};
struct console_device ns16550_com2 = {.name = "com2", .setup = setup_com2, .write = write_com2};

void ns16550_start_input(bool (*route)(unsigned int isa_irq, void (*handler)(void *data), void *data))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(uarts); i++) {
		if (!uarts[i].is_used) {
			continue;
		}
		if (!route(uarts[i].irq, handle_interrupt, &uarts[i])) {
			log_warning("com%u: no interrupt line, so no input\n", i + 1);
			continue;
		}
		out(&uarts[i], REG_IER, IER_RECEIVE);
	}
}

bool ns16550_owns_port(u16 port)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(uarts); i++) {
		if (uarts[i].is_used && port >= uarts[i].port && port < uarts[i].port + 8) {
			return true;
		}
	}
	return false;
}
