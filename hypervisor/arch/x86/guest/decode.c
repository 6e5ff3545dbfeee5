/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/decode.h"

#include "hv/error.h"
#include "lib/string.h"

/* What follows an opcode. */
#define M 0x01 /* ModRM */
#define B 0x02 /* 1 byte immediate */
#define W 0x04 /* 2 bytes */
#define Z 0x08 /* 2 or 4 bytes by operand size */
#define V 0x10 /* 2, 4 or 8: mov reg, imm */
#define O 0x20 /* an address of address size */
#define X 0x40 /* no such instruction in 64-bit mode */
#define N 0x80 /* not an opcode: prefix, escape, undefined */

/* clang-format off */
static const u8 map_one[256] = {
	/*	 0    1    2      3    4    5    6    7    8    9    a      b    c  d  e  f */
	/* 00 */ M,   M,   M,     M,   B,   Z,   X,   X,   M,   M,   M,     M,   B, Z, X, N,
	/* 10 */ M,   M,   M,     M,   B,   Z,   X,   X,   M,   M,   M,     M,   B, Z, X, X,
	/* 20 */ M,   M,   M,     M,   B,   Z,   N,   X,   M,   M,   M,     M,   B, Z, N, X,
	/* 30 */ M,   M,   M,     M,   B,   Z,   N,   X,   M,   M,   M,     M,   B, Z, N, X,
	/* 40 */ X,   X,   X,     X,   X,   X,   X,   X,   X,   X,   X,     X,   X, X, X, X,
	/* 50 */ 0,   0,   0,     0,   0,   0,   0,   0,   0,   0,   0,     0,   0, 0, 0, 0,
	/* 60 */ X,   X,   X|M,   M,   N,   N,   N,   N,   Z,   M|Z, B,     M|B, 0, 0, 0, 0,
	/* 70 */ B,   B,   B,     B,   B,   B,   B,   B,   B,   B,   B,     B,   B, B, B, B,
	/* 80 */ M|B, M|Z, M|B|X, M|B, M,   M,   M,   M,   M,   M,   M,     M,   M, M, M, M,
	/* 90 */ 0,   0,   0,     0,   0,   0,   0,   0,   0,   0,   X|Z|W, 0,   0, 0, 0, 0,
	/* a0 */ O,   O,   O,     O,   0,   0,   0,   0,   B,   Z,   0,     0,   0, 0, 0, 0,
	/* b0 */ B,   B,   B,     B,   B,   B,   B,   B,   V,   V,   V,     V,   V, V, V, V,
	/* c0 */ M|B, M|B, W,     0,   X|M, X|M, M|B, M|Z, W|B, 0,   W,     0,   0, B, X, 0,
	/* d0 */ M,   M,   M,     M,   X|B, X|B, N,   0,   M,   M,   M,     M,   M, M, M, M,
	/* e0 */ B,   B,   B,     B,   B,   B,   B,   B,   Z,   Z,   X|Z|W, B,   0, 0, 0, 0,
	/* f0 */ N,   0,   N,     N,   0,   0,   M,   M,   0,   0,   0,     0,   0, 0, M, M,
};

static const u8 map_0f[256] = {
	/*	 0    1    2    3    4    5    6    7  8  9  a    b  c    d  e  f */
	/* 00 */ M,   M,   M,   M,   N,   0,   0,   0, 0, 0, N,   0, N,   M, 0, M|B,
	/* 10 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* 20 */ M,   M,   M,   M,   N,   N,   N,   N, M, M, M,   M, M,   M, M, M,
	/* 30 */ 0,   0,   0,   0,   0,   0,   N,   0, N, N, N,   N, N,   N, N, N,
	/* 40 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* 50 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* 60 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* 70 */ M|B, M|B, M|B, M|B, M,   M,   M,   0, M, M, N,   N, M,   M, M, M,
	/* 80 */ Z,   Z,   Z,   Z,   Z,   Z,   Z,   Z, Z, Z, Z,   Z, Z,   Z, Z, Z,
	/* 90 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* a0 */ 0,   0,   0,   M,   M|B, M,   N,   N, 0, 0, 0,   M, M|B, M, M, M,
	/* b0 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M|B, M, M,   M, M, M,
	/* c0 */ M,   M,   M|B, M,   M|B, M|B, M|B, M, 0, 0, 0,   0, 0,   0, 0, 0,
	/* d0 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* e0 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
	/* f0 */ M,   M,   M,   M,   M,   M,   M,   M, M, M, M,   M, M,   M, M, M,
};
/* clang-format on */

struct cursor {
	const u8 *bytes;
	unsigned int count, position;
	bool is_short;
};

static u8 next_byte(struct cursor *c)
{
	if (c->position >= c->count || c->position >= DECODE_BYTES_MAX) {
		c->is_short = true;
		return 0;
	}
	return c->bytes[c->position++];
}

static u64 next_bytes(struct cursor *c, unsigned int count)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		value |= (u64)next_byte(c) << 8 * i;
	}
	return value;
}

static s64 sign_extend(u64 value, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return bytes ? (s64)(value << shift) >> shift : 0;
}

struct prefixes {
	bool is_operand, is_address;
	int segment; /* -1: none */
};

/* Returns the first byte that is no prefix. */
static u8 read_prefixes(struct cursor *c, unsigned int mode_bytes, struct prefixes *p,
			struct decoded *d)
{
	for (;;) {
		u8 byte = next_byte(c);

		switch (byte) {
		case 0x26:
			p->segment = SEG_ES;
			break;
		case 0x2e:
			p->segment = SEG_CS;
			break;
		case 0x36:
			p->segment = SEG_SS;
			break;
		case 0x3e:
			p->segment = SEG_DS;
			break;
		case 0x64:
			p->segment = SEG_FS;
			break;
		case 0x65:
			p->segment = SEG_GS;
			break;
		case 0x66:
			p->is_operand = true;
			break;
		case 0x67:
			p->is_address = true;
			break;
		case 0xf0:
			d->has_lock = true;
			break;
		case 0xf2:
			d->has_repne = true;
			d->has_rep = false;
			break;
		case 0xf3:
			d->has_rep = true;
			d->has_repne = false;
			break;
		default:
			if (mode_bytes == 8 && (byte & 0xf0) == 0x40) {
				/* counts only directly before the opcode */
				d->rex = byte;
				d->has_rex = true;
				continue;
			}
			return byte;
		}
		d->rex = 0;
		d->has_rex = false;
		if (c->is_short) {
			return 0;
		}
	}
}

/* 16-bit addressing: APM 3 table A-33. */
static void modrm_16(struct cursor *c, struct decoded *d, u8 mod, u8 rm)
{
	static const u8 base[8] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
				   GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};

	d->has_base = !(mod == 0 && rm == 6);
	d->base = base[rm];
	d->has_index = rm < 4;
	d->index = (rm & 1) ? GPR_RDI : GPR_RSI;
	if (mod == 1) {
		d->displacement = sign_extend(next_bytes(c, 1), 1);
	} else if (mod == 2 || !d->has_base) {
		d->displacement = sign_extend(next_bytes(c, 2), 2);
	}
}

static void modrm_32(struct cursor *c, struct decoded *d, unsigned int mode_bytes, u8 mod, u8 rm)
{
	unsigned int displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	d->has_base = true;
	d->base = (u8)(rm | (d->rex & 1) << 3);
	if (rm == 4) {
		u8 sib = next_byte(c);

		d->scale_shift = sib >> 6;
		d->index = (u8)((sib >> 3 & 7) | (d->rex & 2) << 2);
		d->has_index = d->index != GPR_RSP;
		d->base = (u8)((sib & 7) | (d->rex & 1) << 3);
		if ((sib & 7) == 5 && mod == 0) {
			d->has_base = false;
			displacement_bytes = 4;
		}
	} else if (rm == 5 && mod == 0) {
		d->has_base = false;
		d->is_rip_relative = mode_bytes == 8;
		displacement_bytes = 4;
	}
	d->displacement = sign_extend(next_bytes(c, displacement_bytes), displacement_bytes);
}

static void read_modrm(struct cursor *c, struct decoded *d, unsigned int mode_bytes)
{
	u8 modrm = next_byte(c), mod = modrm >> 6, rm = modrm & 7;

	d->has_modrm = true;
	d->modrm = modrm;
	d->reg = (u8)((modrm >> 3 & 7) | (d->rex & 4) << 1);
	d->rm = (u8)(rm | (d->rex & 1) << 3);
	/* MOV to and from control and debug registers has no memory form. */
	if (mod == 3 || (d->map == 1 && d->opcode >= 0x20 && d->opcode <= 0x23)) {
		return;
	}
	d->is_memory = true;
	if (d->address_bytes == 2) {
		modrm_16(c, d, mod, rm);
	} else {
		modrm_32(c, d, mode_bytes, mod, rm);
	}
}

static unsigned int immediate_size(const struct decoded *d, u8 flags)
{
	/* Far pointers: an offset of operand size and a selector. */
	if ((flags & (Z | W)) == (Z | W)) {
		return (d->operand_bytes == 2 ? 2 : 4) + 2;
	}
	/* Group 3: only TEST has an immediate. */
	if (d->map == 0 && (d->opcode == 0xf6 || d->opcode == 0xf7)) {
		if ((d->modrm >> 3 & 7) > 1) {
			return 0;
		}
		return d->opcode == 0xf6 ? 1 : MIN(d->operand_bytes, 4);
	}
	if (flags & Z) {
		return MIN(d->operand_bytes, 4);
	}
	if (flags & V) {
		return d->operand_bytes;
	}
	if (flags & O) {
		return d->address_bytes;
	}
	return ((flags & B) ? 1 : 0) + ((flags & W) ? 2 : 0);
}

static bool is_near_branch(const struct decoded *d)
{
	if (d->map == 0) {
		return d->opcode == 0xe8 || d->opcode == 0xe9;
	}
	return d->map == 1 && (d->opcode & 0xf0) == 0x80;
}

static void set_sizes(struct decoded *d, unsigned int mode_bytes, const struct prefixes *p)
{
	if (mode_bytes == 8) {
		d->operand_bytes = (d->rex & 8) ? 8 : p->is_operand ? 2 : 4;
		d->address_bytes = p->is_address ? 4 : 8;
	} else {
		d->operand_bytes = p->is_operand ? (u8)(6 - mode_bytes) : (u8)mode_bytes;
		d->address_bytes = p->is_address ? (u8)(6 - mode_bytes) : (u8)mode_bytes;
	}
}

static void set_segment(struct decoded *d, unsigned int mode_bytes, const struct prefixes *p)
{
	bool is_stack = d->is_memory && d->has_base &&
			((d->base & 7) == GPR_RBP || (d->base & 7) == GPR_RSP) && d->base < 8;

	d->segment = is_stack ? SEG_SS : SEG_DS;
	if (p->segment >= 0 && (mode_bytes != 8 || p->segment == SEG_FS || p->segment == SEG_GS)) {
		d->segment = (u8)p->segment;
	}
}

/* VEX, EVEX and XOP share bytes with LDS, LES, BOUND and POP. */
static bool is_vector_encoding(const struct decoded *d, const struct cursor *c,
			       unsigned int mode_bytes)
{
	u8 next = c->position < c->count ? c->bytes[c->position] : 0;

	switch (d->opcode) {
	case 0xc4:
	case 0xc5:
	case 0x62:
		return mode_bytes == 8 || (next & 0xc0) == 0xc0;
	case 0x8f:
		return (next & 0x1f) >= 8;
	default:
		return false;
	}
}

int decode_instruction(const u8 *bytes, unsigned int count, unsigned int mode_bytes,
		       struct decoded *out)
{
	struct cursor c = {bytes, count, 0, false};
	struct prefixes p = {false, false, -1};
	struct decoded d;
	u8 flags;

	memset(&d, 0, sizeof(d));
	d.opcode = read_prefixes(&c, mode_bytes, &p, &d);
	set_sizes(&d, mode_bytes, &p);
	if (d.opcode == 0x0f) {
		d.map = 1;
		d.opcode = next_byte(&c);
		if (d.opcode == 0x38 || d.opcode == 0x3a) {
			d.map = d.opcode == 0x38 ? 2 : 3;
			d.opcode = next_byte(&c);
		}
	}
	if (c.is_short) {
		return -EINVAL;
	}
	if (d.map == 0) {
		flags = map_one[d.opcode];
		if (is_vector_encoding(&d, &c, mode_bytes)) {
			return -EOPNOTSUPP;
		}
		if ((flags & N) || ((flags & X) && mode_bytes == 8)) {
			return -EOPNOTSUPP;
		}
	} else if (d.map == 1) {
		flags = map_0f[d.opcode];
		if (flags & N) {
			return -EOPNOTSUPP;
		}
	} else {
		flags = d.map == 2 ? M : M | B;
	}
	if (mode_bytes == 8 && is_near_branch(&d)) {
		d.operand_bytes = 4; /* 66 is ignored on Intel; on AMD it is not, and is not used */
	}
	d.rm = (u8)((d.opcode & 7) | (d.rex & 1) << 3);
	if (flags & M) {
		read_modrm(&c, &d, mode_bytes);
	}
	set_segment(&d, mode_bytes, &p);
	d.immediate_bytes = (u8)immediate_size(&d, flags);
	d.immediate = next_bytes(&c, d.immediate_bytes);
	if (flags & O) {
		d.displacement = (s64)d.immediate;
		d.immediate = 0;
		d.immediate_bytes = 0;
	} else if (d.immediate_bytes) {
		d.immediate = (u64)sign_extend(d.immediate, MIN(d.immediate_bytes, 8));
	}
	if (c.is_short) {
		return -EINVAL;
	}
	d.length = (u8)c.position;
	*out = d;
	return 0;
}
