/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between mullion-trayd and the agent, over SOCK_SEQPACKET $XDG_RUNTIME_DIR/mullion-tray; both
 * are programs of one user in one domain. Packets in host order.
 */
#pragma once

#include <stdint.h>

#define TRAY_SOCKET    "mullion-tray"
#define TRAY_ICON_SIZE 32u

/* From mullion-trayd: an icon is new or changed, or it is gone. */
struct tray_packet {
	uint32_t item;
	uint32_t is_there; /* 0: gone, and the rest is nothing */
	char title[64];	   /* ends with a NUL */
	uint32_t rgb[TRAY_ICON_SIZE * TRAY_ICON_SIZE];
};

/* From the agent. */
struct tray_click {
	uint32_t item, button; /* 1 left, 2 middle, 3 right */
};
