/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions done by software: those that operating systems use on device memory, and
 * string input and output. Everything is read and computed first; registers, flags and rip
 * change last, so an instruction that faults half-way has only done what the CPU would have.
 */
#include "arch/x86/guest/hvm_arch.h"

#include "arch/x86/guest/alu.h"
#include "arch/x86/guest/decode.h"
#include "arch/x86/guest/trap.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "core/softirq.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"

#define STRING_STEPS 256u /* iterations of a repeated instruction between two looks around */

/* --- memory --- */

static int translate(struct vcpu *v, u64 linear, bool is_write, gpa_t *gpa)
{
	if (arch_guest_translate(v, linear, is_write ? GUEST_WRITE : GUEST_READ, gpa) == 0) {
		return 0;
	}
	hvm->set_control(v, HVM_CR2, linear);
	hvm_inject_exception(v, TRAP_PF, true,
			     (is_write ? PF_WRITE : 0) | (hvm->get_cpl(v) == 3 ? PF_USER : 0));
	return -EFAULT;
}

/* One access that does not cross a page. Memory that is nobody's reads as all ones. */
static void access_physical(struct vcpu *v, gpa_t gpa, unsigned int size_bytes, bool is_write,
			    u64 *value)
{
	if (trap_dispatch_memory(v, gpa, size_bytes, is_write, value)) {
		return;
	}
	if (is_write) {
		if (guest_phys_write(v->domain, gpa, value, size_bytes) != 0) {
			return;
		}
	} else {
		*value = 0;
		if (guest_phys_read(v->domain, value, gpa, size_bytes) != 0) {
			*value = ~0ull;
		}
	}
}

static int access_linear(struct vcpu *v, u64 linear, unsigned int size_bytes, bool is_write,
			 u64 *value)
{
	unsigned int first = (unsigned int)MIN(PAGE_SIZE - page_offset(linear), (u64)size_bytes);
	gpa_t gpa[2];
	unsigned int i;

	if (translate(v, linear, is_write, &gpa[0]) != 0) {
		return -EFAULT;
	}
	if (first == size_bytes) {
		access_physical(v, gpa[0], size_bytes, is_write, value);
	} else {
		u64 whole = is_write ? *value : 0;

		/* Across a page: byte by byte, both pages checked before the first. */
		if (translate(v, linear + first, is_write, &gpa[1]) != 0) {
			return -EFAULT;
		}
		for (i = 0; i < size_bytes; i++) {
			gpa_t at = i < first ? gpa_add(gpa[0], i) : gpa_add(gpa[1], i - first);
			u64 byte = whole >> 8 * i & 0xff;

			access_physical(v, at, 1, is_write, &byte);
			if (!is_write) {
				whole |= (byte & 0xff) << 8 * i;
			}
		}
		*value = whole;
	}
	if (!is_write) {
		*value = alu_truncate(*value, size_bytes);
	}
	return 0;
}

int decode_current(struct vcpu *v, struct decoded *out)
{
	u8 bytes[DECODE_BYTES_MAX];
	unsigned int count =
		guest_walk_fetch(v, hvm_linear(v, SEG_CS, v->arch->rip), bytes, sizeof(bytes));

	return count ? decode_instruction(bytes, count, hvm_code_bytes(v), out) : -EFAULT;
}

/* --- operands --- */

static u64 reg_read(struct vcpu *v, u8 reg, unsigned int bytes, bool has_rex)
{
	const u64 *gpr = v->arch->gpr;

	if (bytes == 1 && !has_rex && reg >= 4 && reg < 8) {
		return gpr[(reg - 4) & 3] >> 8 & 0xff; /* ah ch dh bh */
	}
	return alu_truncate(gpr[reg & 15], bytes);
}

void emulate_register_write(struct vcpu *v, u8 reg, unsigned int bytes, u64 value)
{
	u64 *to = &v->arch->gpr[reg & 15];

	if (bytes == 4) {
		*to = (u32)value; /* the only size that clears what is above */
	} else {
		*to ^= (*to ^ value) & alu_truncate(~0ull, bytes);
	}
}

static void reg_write(struct vcpu *v, u8 reg, unsigned int bytes, bool has_rex, u64 value)
{
	u64 *gpr = v->arch->gpr;

	if (bytes == 1 && !has_rex && reg >= 4 && reg < 8) {
		gpr[(reg - 4) & 3] = (gpr[(reg - 4) & 3] & ~0xff00ull) | (value & 0xff) << 8;
		return;
	}
	emulate_register_write(v, reg, bytes, value);
}

static u64 operand_linear(struct vcpu *v, const struct decoded *d)
{
	u64 offset = (u64)d->displacement;

	if (d->has_base) {
		offset += v->arch->gpr[d->base & 15];
	}
	if (d->has_index) {
		offset += v->arch->gpr[d->index & 15] << d->scale_shift;
	}
	if (d->is_rip_relative) {
		offset += v->arch->rip + d->length;
	}
	return hvm_linear(v, (enum hvm_segment_index)d->segment,
			  alu_truncate(offset, d->address_bytes));
}

/* The instruction under way. */
struct emulation {
	struct vcpu *v;
	struct decoded d;
	u64 linear;	    /* of the memory operand */
	unsigned int bytes; /* of the operation */
	u64 flags;
};

static int load(struct emulation *e, u64 *value)
{
	return access_linear(e->v, e->linear, e->bytes, false, value);
}

static int store(struct emulation *e, u64 value)
{
	return access_linear(e->v, e->linear, e->bytes, true, &value);
}

static u64 own_reg(struct emulation *e)
{
	return reg_read(e->v, e->d.reg, e->bytes, e->d.has_rex);
}

static void own_reg_set(struct emulation *e, u64 value)
{
	reg_write(e->v, e->d.reg, e->bytes, e->d.has_rex, value);
}

/* --- instructions; each: 0, -EFAULT (injected), -EOPNOTSUPP --- */

/* The operation that a group's ModRM names. */
static unsigned int group_of(const struct emulation *e)
{
	return e->d.modrm >> 3 & 7;
}

/* memory op= source */
static int modify(struct emulation *e, enum alu_op op, u64 source)
{
	u64 value, result;

	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	result = alu_compute(op, value, source, e->bytes, &e->flags);
	if (op == ALU_CMP || op == ALU_TEST) {
		return 0;
	}
	return store(e, result);
}

static int do_arithmetic(struct emulation *e)
{
	enum alu_op op = (enum alu_op)(e->d.opcode >> 3 & 7);
	u64 value, result;

	if (!(e->d.opcode & 2)) {
		return modify(e, op, own_reg(e));
	}
	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	result = alu_compute(op, own_reg(e), value, e->bytes, &e->flags);
	if (op != ALU_CMP) {
		own_reg_set(e, result);
	}
	return 0;
}

static int do_group1(struct emulation *e)
{
	return modify(e, (enum alu_op)group_of(e), alu_truncate(e->d.immediate, e->bytes));
}

static int do_test(struct emulation *e)
{
	return modify(e, ALU_TEST, own_reg(e));
}

static int do_group3(struct emulation *e)
{
	u64 value;

	switch (group_of(e)) {
	case 0:
	case 1:
		return modify(e, ALU_TEST, alu_truncate(e->d.immediate, e->bytes));
	case 2:
		return load(e, &value) ? -EFAULT : store(e, ~value);
	case 3:
		if (load(e, &value) != 0) {
			return -EFAULT;
		}
		return store(e, alu_compute(ALU_SUB, 0, value, e->bytes, &e->flags));
	default:
		return -EOPNOTSUPP;
	}
}

static int do_increment(struct emulation *e)
{
	u64 carry = e->flags & RFLAGS_CF; /* INC and DEC leave it alone */
	int rc;

	if (group_of(e) > 1) {
		return -EOPNOTSUPP;
	}
	rc = modify(e, group_of(e) ? ALU_SUB : ALU_ADD, 1);
	e->flags = (e->flags & ~RFLAGS_CF) | carry;
	return rc;
}

static int do_store(struct emulation *e)
{
	return store(e, own_reg(e));
}

static int do_store_immediate(struct emulation *e)
{
	return group_of(e) == 0 ? store(e, e->d.immediate) : -EOPNOTSUPP;
}

/* The operand of the given width, extended, into the register. */
static int load_extended(struct emulation *e, unsigned int bytes, bool is_signed)
{
	u64 value;

	e->bytes = bytes;
	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	e->bytes = e->d.operand_bytes;
	own_reg_set(e, is_signed ? alu_sign_extend(value, bytes) : value);
	return 0;
}

static int do_load(struct emulation *e)
{
	u64 value;

	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	own_reg_set(e, value);
	return 0;
}

static int do_extend(struct emulation *e)
{
	return load_extended(e, (e->d.opcode & 1) ? 2 : 1, (e->d.opcode & 8) != 0);
}

static int do_movsxd(struct emulation *e)
{
	if (hvm_code_bytes(e->v) != 8) {
		return -EOPNOTSUPP; /* ARPL */
	}
	return load_extended(e, MIN(e->d.operand_bytes, 4), true);
}

static int do_moffs(struct emulation *e)
{
	u64 value;

	e->linear = hvm_linear(e->v, (enum hvm_segment_index)e->d.segment,
			       alu_truncate((u64)e->d.displacement, e->d.address_bytes));
	if (e->d.opcode & 2) {
		return store(e, reg_read(e->v, GPR_RAX, e->bytes, true));
	}
	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	reg_write(e->v, GPR_RAX, e->bytes, true, value);
	return 0;
}

static int do_exchange(struct emulation *e)
{
	u64 value;

	if (load(e, &value) != 0 || store(e, own_reg(e)) != 0) {
		return -EFAULT;
	}
	own_reg_set(e, value);
	return 0;
}

static int do_compare_exchange(struct emulation *e)
{
	u64 value, accumulator = reg_read(e->v, GPR_RAX, e->bytes, true);

	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	(void)alu_compute(ALU_CMP, accumulator, value, e->bytes, &e->flags);
	if (accumulator == value) {
		return store(e, own_reg(e));
	}
	reg_write(e->v, GPR_RAX, e->bytes, true, value);
	return 0;
}

static int do_exchange_add(struct emulation *e)
{
	u64 value, sum;

	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	sum = alu_compute(ALU_ADD, value, own_reg(e), e->bytes, &e->flags);
	if (store(e, sum) != 0) {
		return -EFAULT;
	}
	own_reg_set(e, value);
	return 0;
}

/* BT, BTS, BTR, BTC of the bit, of which the operand has as many as it has. */
static int change_bit(struct emulation *e, unsigned int kind, u64 bit)
{
	u64 value, mask = 1ull << (bit & (e->bytes * 8 - 1));

	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	e->flags = (e->flags & ~RFLAGS_CF) | ((value & mask) ? RFLAGS_CF : 0);
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return store(e, value | mask);
	case 2:
		return store(e, value & ~mask);
	default:
		return store(e, value ^ mask);
	}
}

/* A bit offset in a register reaches beyond the operand, both ways; an immediate does not. */
static int do_bit(struct emulation *e)
{
	s64 bit = (s64)alu_sign_extend(own_reg(e), e->bytes);

	e->linear += (u64)((bit >> __builtin_ctz(e->bytes * 8)) * (s64)e->bytes);
	return change_bit(e, e->d.opcode >> 3 & 3, (u64)bit);
}

static int do_bit_immediate(struct emulation *e)
{
	e->bytes = e->d.operand_bytes;
	return group_of(e) < 4 ? -EOPNOTSUPP : change_bit(e, group_of(e) & 3, e->d.immediate);
}

static int do_conditional_move(struct emulation *e)
{
	u64 value;

	e->bytes = e->d.operand_bytes;
	if (load(e, &value) != 0) {
		return -EFAULT;
	}
	if (!alu_condition(e->flags, e->d.opcode & 15)) {
		value = own_reg(e); /* a 32-bit form clears the upper half all the same */
	}
	own_reg_set(e, value);
	return 0;
}

/* --- strings --- */

static u64 count_register(struct vcpu *v, const struct decoded *d)
{
	return alu_truncate(v->arch->gpr[GPR_RCX], d->address_bytes);
}

static void step_register(struct vcpu *v, const struct decoded *d, enum hvm_gpr r, s64 by)
{
	reg_write(v, (u8)r, d->address_bytes, true, v->arch->gpr[r] + (u64)by);
}

static u64 string_linear(struct vcpu *v, const struct decoded *d, bool is_destination)
{
	u64 offset =
		alu_truncate(v->arch->gpr[is_destination ? GPR_RDI : GPR_RSI], d->address_bytes);

	return hvm_linear(v, is_destination ? SEG_ES : (enum hvm_segment_index)d->segment, offset);
}

/* MOVS, STOS, LODS once. */
static int string_step(struct emulation *e, s64 step)
{
	u8 kind = e->d.opcode & 0xfe;
	u64 value;

	if (kind == 0xaa) {
		value = e->v->arch->gpr[GPR_RAX];
	} else {
		e->linear = string_linear(e->v, &e->d, false);
		if (load(e, &value) != 0) {
			return -EFAULT;
		}
	}
	if (kind == 0xac) {
		reg_write(e->v, GPR_RAX, e->bytes, true, value);
	} else {
		e->linear = string_linear(e->v, &e->d, true);
		if (store(e, value) != 0) {
			return -EFAULT;
		}
		step_register(e->v, &e->d, GPR_RDI, step);
	}
	if (kind != 0xaa) {
		step_register(e->v, &e->d, GPR_RSI, step);
	}
	return 0;
}

/* -EAGAIN: not finished, rip stays and the guest comes back. */
static int do_string(struct emulation *e)
{
	bool is_repeated = e->d.has_rep || e->d.has_repne;
	unsigned int steps;
	s64 step;

	step = (e->flags & RFLAGS_DF) ? -(s64)e->bytes : (s64)e->bytes;
	for (steps = 0; !is_repeated || count_register(e->v, &e->d); steps++) {
		if (steps == STRING_STEPS || (steps && softirq_is_pending())) {
			return -EAGAIN;
		}
		if (string_step(e, step) != 0) {
			return -EFAULT;
		}
		if (!is_repeated) {
			break;
		}
		step_register(e->v, &e->d, GPR_RCX, -1);
	}
	return 0;
}

/* What is known: (opcode & mask) == match in a map. */
static const struct {
	u8 map, mask, match;
	int (*run)(struct emulation *e);
} instructions[] = {
	{0, 0xc4, 0x00, do_arithmetic}, /* 00-03, 08-0b, ... 38-3b */
	{0, 0xff, 0x63, do_movsxd},
	{0, 0xfc, 0x80, do_group1},
	{0, 0xfe, 0x84, do_test},
	{0, 0xfe, 0x86, do_exchange},
	{0, 0xfe, 0x88, do_store},
	{0, 0xfe, 0x8a, do_load},
	{0, 0xfc, 0xa0, do_moffs},
	{0, 0xfe, 0xa4, do_string}, /* MOVS */
	{0, 0xfe, 0xaa, do_string}, /* STOS */
	{0, 0xfe, 0xac, do_string}, /* LODS */
	{0, 0xfe, 0xc6, do_store_immediate},
	{0, 0xfe, 0xf6, do_group3},
	{0, 0xfe, 0xfe, do_increment},
	{1, 0xf0, 0x40, do_conditional_move},
	{1, 0xe7, 0xa3, do_bit}, /* a3, ab, b3, bb */
	{1, 0xfe, 0xb0, do_compare_exchange},
	{1, 0xf6, 0xb6, do_extend}, /* b6, b7, be, bf */
	{1, 0xff, 0xba, do_bit_immediate},
	{1, 0xfe, 0xc0, do_exchange_add},
	{1, 0xff, 0xc3, do_store}, /* MOVNTI */
};

static int run(struct emulation *e)
{
	/* Where there are two, the lowest bit tells bytes from words. */
	e->bytes = (e->d.opcode & 1) ? e->d.operand_bytes : 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (instructions[i].map == e->d.map &&
		    (e->d.opcode & instructions[i].mask) == instructions[i].match) {
			return instructions[i].run(e);
		}
	}
	return -EOPNOTSUPP;
}

/* String and absolute-address forms have their memory operand without ModRM. */
static bool has_memory_operand(const struct decoded *d)
{
	return d->is_memory || (d->map == 0 && d->opcode >= 0xa0 && d->opcode <= 0xad &&
				d->opcode != 0xa8 && d->opcode != 0xa9);
}

int emulate_memory(struct vcpu *v, gpa_t address, bool is_write)
{
	struct emulation e = {.v = v, .flags = v->arch->rflags};
	int rc;

	if (decode_current(v, &e.d) != 0 || !has_memory_operand(&e.d)) {
		return -EOPNOTSUPP;
	}
	if (e.d.is_memory) {
		e.linear = operand_linear(v, &e.d);
	}
	rc = run(&e);
	if (rc == -EAGAIN) {
		return 0;
	}
	if (rc) {
		return rc;
	}
	v->arch->rflags = (v->arch->rflags & ~RFLAGS_ARITHMETIC) | (e.flags & RFLAGS_ARITHMETIC);
	hvm_skip_instruction(v, e.d.length);
	return 0;
}

int emulate_string_io(struct vcpu *v, const struct exit_io *io)
{
	struct emulation e = {.v = v, .flags = v->arch->rflags, .bytes = io->size_bytes};
	unsigned int steps;
	s64 step = (v->arch->rflags & RFLAGS_DF) ? -(s64)io->size_bytes : io->size_bytes;

	if (decode_current(v, &e.d) != 0 || e.d.map != 0 || (e.d.opcode & 0xfc) != 0x6c) {
		return -EOPNOTSUPP;
	}
	for (steps = 0; !io->is_rep || count_register(v, &e.d); steps++) {
		u64 value = 0;

		if (steps == STRING_STEPS || (steps && softirq_is_pending())) {
			return 0;
		}
		e.linear = string_linear(v, &e.d, io->is_in);
		if (io->is_in) {
			gpa_t gpa;

			/* A port must not be read when there is no place for the value. */
			if (translate(v, e.linear, true, &gpa) != 0) {
				return -EFAULT;
			}
			exit_port_access(v, io->port, io->size_bytes, true, &value);
			if (store(&e, value) != 0) {
				return -EFAULT;
			}
		} else {
			if (load(&e, &value) != 0) {
				return -EFAULT;
			}
			exit_port_access(v, io->port, io->size_bytes, false, &value);
		}
		step_register(v, &e.d, io->is_in ? GPR_RDI : GPR_RSI, step);
		if (!io->is_rep) {
			break;
		}
		step_register(v, &e.d, GPR_RCX, -1);
	}
	hvm_skip_instruction(v, e.d.length);
	return 0;
}

/*
 * MOV to CR0 (0f 22 /0) and LMSW (0f 01 /6) that change more than TS and MP: checked as APM 2 3.1.1
 * and 15.5.1 say, because QEMU lets a guest load what VMRUN then refuses.
 */
int emulate_cr0_write(struct vcpu *v)
{
	struct emulation e = {.v = v, .bytes = 2};
	u64 old = hvm->get_control(v, HVM_CR0), value;
	u64 efer = hvm->get_control(v, HVM_EFER);

	if (decode_current(v, &e.d) != 0 || e.d.map != 1) {
		return -EOPNOTSUPP;
	}
	if (e.d.opcode == 0x22 && e.d.reg == 0) {
		value = alu_truncate(v->arch->gpr[e.d.rm & 15], hvm_is_64bit(v) ? 8 : 4);
	} else if (e.d.opcode == 0x01 && (e.d.modrm >> 3 & 7) == 6) {
		if (e.d.is_memory) {
			e.linear = operand_linear(v, &e.d);
			if (load(&e, &value) != 0) {
				return -EFAULT;
			}
		} else {
			value = v->arch->gpr[e.d.rm & 15];
		}
		/* LMSW sets PE but never clears it. */
		value = (old & ~0xeull) | (value & 0xf) | (old & CR0_PE);
	} else {
		return -EOPNOTSUPP;
	}
	value |= CR0_ET;
	if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
	    ((value & CR0_NW) && !(value & CR0_CD)) ||
	    ((value & ~old & CR0_PG) && (efer & EFER_LME) &&
	     !(hvm->get_control(v, HVM_CR4) & CR4_PAE)) ||
	    (!(value & CR0_PG) && (old & CR0_PG) && hvm_is_64bit(v))) {
		hvm_inject_gp0(v);
		return -EFAULT;
	}
	if ((value ^ old) & CR0_PG) {
		efer &= ~EFER_LMA;
		if ((value & CR0_PG) && (efer & EFER_LME)) {
			efer |= EFER_LMA;
		}
		hvm->set_control(v, HVM_EFER, efer);
	}
	hvm_skip_instruction(v, e.d.length);
	hvm->set_control(v, HVM_CR0, value);
	return 0;
}
