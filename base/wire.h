/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded little-endian reader and writer.
 *
 * Both are sticky: a read past the end returns zero, a write past the end writes
 * nothing, and either is remembered. So a decoder reads all its fields and asks
 * once, wire_at_end(), whether the message had exactly the right length.
 * Stateless apart from the struct that the caller owns; any context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
	const uint8_t *bytes;
	size_t size;	 /* bytes in the message */
	size_t position; /* next byte to read, <= size */
	bool is_short;	 /* a read went past the end */
};

static inline struct wire wire_of(const void *bytes, size_t size_bytes)
{
	return (struct wire){.bytes = (const uint8_t *)bytes, .size = size_bytes};
}

/* The next size_bytes bytes, or NULL (and sticky) when fewer are left. */
static inline const uint8_t *wire_bytes(struct wire *in, size_t size_bytes)
{
	const uint8_t *p;

	if (in->is_short || in->size - in->position < size_bytes) {
		in->is_short = true;
		in->position = in->size;
		return NULL;
	}
	p = in->bytes + in->position;
	in->position += size_bytes;
	return p;
}

static inline uint8_t wire_u8(struct wire *in)
{
	const uint8_t *p = wire_bytes(in, 1);

	return p ? p[0] : 0;
}

static inline uint16_t wire_u16le(struct wire *in)
{
	const uint8_t *p = wire_bytes(in, 2);

	return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

static inline uint32_t wire_u32le(struct wire *in)
{
	const uint8_t *p = wire_bytes(in, 4);

	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			   (uint32_t)p[3] << 24
		 : 0;
}

static inline int32_t wire_s32le(struct wire *in)
{
	return (int32_t)wire_u32le(in);
}

static inline uint64_t wire_u64le(struct wire *in)
{
	uint64_t low = wire_u32le(in);
	uint64_t high = wire_u32le(in);

	return low | high << 32;
}

/* Bytes not read yet. */
static inline size_t wire_left(const struct wire *in)
{
	return in->size - in->position;
}

/* True when every read so far was inside the message. */
static inline bool wire_ok(const struct wire *in)
{
	return !in->is_short;
}

/* True when the message was read exactly: not too short, nothing left over. */
static inline bool wire_at_end(const struct wire *in)
{
	return !in->is_short && in->position == in->size;
}

struct wire_out {
	uint8_t *bytes;
	size_t capacity;
	size_t size;	  /* bytes written, <= capacity */
	bool is_overflow; /* a write did not fit */
};

static inline struct wire_out wire_out_of(void *bytes, size_t capacity_bytes)
{
	return (struct wire_out){.bytes = (uint8_t *)bytes, .capacity = capacity_bytes};
}

static inline void wire_put_bytes(struct wire_out *out, const void *from, size_t size_bytes)
{
	if (out->is_overflow || out->capacity - out->size < size_bytes) {
		out->is_overflow = true;
		return;
	}
	if (size_bytes) {
		__builtin_memcpy(out->bytes + out->size, from, size_bytes);
	}
	out->size += size_bytes;
}

static inline void wire_put_u8(struct wire_out *out, uint8_t x)
{
	wire_put_bytes(out, &x, 1);
}

static inline void wire_put_u16le(struct wire_out *out, uint16_t x)
{
	uint8_t b[2] = {(uint8_t)x, (uint8_t)(x >> 8)};

	wire_put_bytes(out, b, sizeof(b));
}

static inline void wire_put_u32le(struct wire_out *out, uint32_t x)
{
	uint8_t b[4] = {(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)};

	wire_put_bytes(out, b, sizeof(b));
}

static inline void wire_put_u64le(struct wire_out *out, uint64_t x)
{
	wire_put_u32le(out, (uint32_t)x);
	wire_put_u32le(out, (uint32_t)(x >> 32));
}

/* True when everything fitted. */
static inline bool wire_out_ok(const struct wire_out *out)
{
	return !out->is_overflow;
}
