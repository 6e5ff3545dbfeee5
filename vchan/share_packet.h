/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of share.h's local transport: 16 bytes, decoded here and nowhere else.
 *
 * Pure: no I/O, no state, any context.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "vchan/share.h"

#define SHARE_PACKET_SIZE 16

enum share_packet_type {
	SHARE_PACKET_SHOW = 1, /* with one descriptor */
	SHARE_PACKET_HIDE = 2, /* without */
};

struct share_packet {
	enum share_packet_type type;
	uint32_t first_ref;
	uint32_t page_count; /* 1..SHARE_PAGES_PER_REGION_MAX, first_ref + page_count fits a u32 */
	bool is_writable;    /* SHOW only */
};

/* 0; -EPROTO for a wrong length or type, -ERANGE for a count or flag out of range. */
static inline int share_packet_decode(const void *bytes, size_t size, struct share_packet *out)
{
	struct wire in = wire_of(bytes, size);
	uint32_t type = wire_u32le(&in);
	uint32_t first_ref = wire_u32le(&in);
	uint32_t page_count = wire_u32le(&in);
	uint32_t flags = wire_u32le(&in);

	if (!wire_at_end(&in) || (type != SHARE_PACKET_SHOW && type != SHARE_PACKET_HIDE)) {
		return -EPROTO;
	}
	if (!page_count || page_count > SHARE_PAGES_PER_REGION_MAX ||
	    first_ref > UINT32_MAX - page_count || flags > (type == SHARE_PACKET_SHOW)) {
		return -ERANGE;
	}
	*out = (struct share_packet){.type = (enum share_packet_type)type,
				     .first_ref = first_ref,
				     .page_count = page_count,
				     .is_writable = flags & 1};
	return 0;
}

static inline void share_packet_encode(const struct share_packet *packet,
				       uint8_t bytes[SHARE_PACKET_SIZE])
{
	struct wire_out out = wire_out_of(bytes, SHARE_PACKET_SIZE);

	wire_put_u32le(&out, packet->type);
	wire_put_u32le(&out, packet->first_ref);
	wire_put_u32le(&out, packet->page_count);
	wire_put_u32le(&out, packet->is_writable);
}
