// SPDX-License-Identifier: GPL-2.0-or-later
#include "drivers/vga/vga_text.h"

#include "arch/contract/host.h"
#include "lib/string.h"

#include <asm/io.h>

#define COLUMNS	  80u
#define ROWS	  25u
#define ATTRIBUTE 0x0700u

static u16 *cells; /* uncached device memory; written only */
static u16 shadow[ROWS][COLUMNS];
static unsigned int row, column;

/* Graphics controller register 6: text is shown at 0xb8000 when the memory map field is 3 and bit 0 is clear. */
static bool setup(const char *options)
{
	unsigned int r, c;

	port_out8(0x3ce, 6);
	if ((port_in8(0x3cf) & 0x0d) != 0x0c) {
		return false;
	}
	cells = arch_mmio_map(hpa_of(0xb8000), sizeof(shadow));
	if (!cells) {
		return false;
	}
	for (r = 0; r < ROWS; r++) {
		for (c = 0; c < COLUMNS; c++) {
			shadow[r][c] = ATTRIBUTE | ' ';
			mmio_write16(&cells[r * COLUMNS + c], shadow[r][c]);
		}
	}
	return true;
}

static void scroll(void)
{
	unsigned int r, c;

	memmove(shadow[0], shadow[1], sizeof(shadow) - sizeof(shadow[0]));
	for (c = 0; c < COLUMNS; c++) {
		shadow[ROWS - 1][c] = ATTRIBUTE | ' ';
	}
	for (r = 0; r < ROWS; r++) {
		for (c = 0; c < COLUMNS; c += 4) {
			u64 four;

			memcpy(&four, &shadow[r][c], sizeof(four));
			mmio_write64(&cells[r * COLUMNS + c], four);
		}
	}
}

static void new_line(void)
{
	column = 0;
	if (row + 1 < ROWS) {
		row++;
	} else {
		scroll();
	}
}

static void put(char c)
{
	if (c == '\n') {
		new_line();
		return;
	}
	if (c == '\r') {
		column = 0;
		return;
	}
	if ((unsigned char)c < ' ') {
		return;
	}
	if (column == COLUMNS) {
		new_line();
	}
	shadow[row][column] = (u16)(ATTRIBUTE | (unsigned char)c);
	mmio_write16(&cells[row * COLUMNS + column], shadow[row][column]);
	column++;
}

static void write(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		put(text[i]);
	}
}

struct console_device vga_text = {.name = "vga", .setup = setup, .write = write};
