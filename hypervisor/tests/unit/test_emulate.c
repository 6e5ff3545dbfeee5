/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge of an emulated instruction is the CPU that the test runs on: the same bytes with the
 * same registers, flags and memory must leave the same behind. Memory is device memory here.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/unit/unit.h"
#include "arch/x86/guest/decode.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/trap.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "base/test.h"
#include "core/softirq.h"
#include "domain/vcpu.h"
#include "hv/error.h"
#include "memory/guest_access.h"

#define DEVICE_BYTES 8192u /* two pages, each beginning at a page's first byte */
#define ROUNDS	     40u
#define NO_FAULT     ~0ull

static struct domain d;
static struct vcpu v;
static struct arch_vcpu arch;
static u8 *device, *native,
	*code; /* device: what the emulation changes; native: what the CPU does */
static u64 cr0, cr2, cr4, efer, fault_page;
static int injected; /* vector, -1 none */
static u32 injected_error;
static unsigned int code_bytes, code_mode, accesses;
static u16 port_log[16];
static unsigned int port_count;

/* --- the guest around it --- */

static u64 get_control(struct vcpu *who, enum hvm_control which)
{
	return which == HVM_CR0 ? cr0 : which == HVM_CR4 ? cr4 : which == HVM_EFER ? efer : 0;
}
static void set_control(struct vcpu *who, enum hvm_control which, u64 value)
{
	*(which == HVM_CR0 ? &cr0 : which == HVM_CR2 ? &cr2 : &efer) = value;
}
static u8 get_cpl(struct vcpu *who)
{
	return 0;
}
static const struct hvm_backend backend = {
	.get_control = get_control,
	.set_control = set_control,
	.get_cpl = get_cpl,
};
const struct hvm_backend *hvm = &backend;

bool hvm_is_64bit(struct vcpu *who)
{
	return code_mode == 8;
}
unsigned int hvm_code_bytes(struct vcpu *who)
{
	return code_mode;
}
u64 hvm_linear(struct vcpu *who, enum hvm_segment_index seg, u64 offset)
{
	return offset;
}
void hvm_inject_exception(struct vcpu *who, u8 vector, bool has_error, u32 error)
{
	injected = vector;
	injected_error = error;
}
void hvm_inject_gp0(struct vcpu *who)
{
	injected = TRAP_GP;
}
void hvm_skip_instruction(struct vcpu *who, unsigned int length)
{
	who->arch->rip += length;
}
unsigned int guest_walk_fetch(struct vcpu *who, u64 linear, u8 *bytes, unsigned int want)
{
	memcpy(bytes, code, MIN(want, code_bytes));
	return MIN(want, code_bytes);
}
int arch_guest_translate(struct vcpu *who, u64 linear, enum guest_access_kind kind, gpa_t *out)
{
	*out = gpa_of(linear);
	return (linear & PAGE_MASK) == fault_page ? -EFAULT : 0;
}
bool trap_dispatch_memory(struct vcpu *who, gpa_t at, unsigned int size_bytes, bool is_write,
			  u64 *value)
{
	u64 offset = gpa_raw(at) - (u64)native;

	if (offset > DEVICE_BYTES - size_bytes) {
		return false;
	}
	accesses++;
	if (is_write) {
		memcpy(device + offset, value, size_bytes);
	} else {
		*value = 0;
		memcpy(value, device + offset, size_bytes);
	}
	return true;
}
int guest_phys_read(struct domain *who, void *to, gpa_t from, size_t size_bytes)
{
	return -EFAULT;
}
int guest_phys_write(struct domain *who, gpa_t to, const void *from, size_t size_bytes)
{
	return -EFAULT;
}
void exit_port_access(struct vcpu *who, u16 port, unsigned int size_bytes, bool is_in, u64 *value)
{
	if (is_in) {
		*value = 0x11223344u + port_count;
	} else if (port_count < ARRAY_SIZE(port_log)) {
		port_log[port_count] = (u16)*value;
	}
	port_count++;
}

static void start(void)
{
	unit_reset(1);
	if (!native) {
		native = mmap(NULL, DEVICE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		device = malloc(DEVICE_BYTES);
		EXPECT(native != MAP_FAILED && code != MAP_FAILED && device != NULL);
	}
	memset(&arch, 0, sizeof(arch));
	v.arch = &arch;
	v.domain = &d;
	cr0 = CR0_PE | CR0_PG | CR0_ET;
	cr4 = CR4_PAE;
	efer = EFER_LME | EFER_LMA;
	cr2 = 0;
	fault_page = NO_FAULT;
	code_mode = 8;
	injected = -1;
	accesses = port_count = 0;
	arch.rip = 0x1000;
	arch.rflags = RFLAGS_ALWAYS;
}

static void set_code(const void *bytes, unsigned int count)
{
	memcpy(code, bytes, count);
	code[count] = 0xc3; /* ret */
	code_bytes = count;
}

static int emulate(void)
{
	return emulate_memory(&v, gpa_of((u64)native), false);
}

/* --- the same on the CPU --- */

/* rdi: 16 registers in encoding order, then the flags; rsi: what to call. rsp and rbp stay. */
void run_native(u64 *state, void *function);
__asm__(".text\n"
	"run_native:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14\n"
	"	mov %rdi, %rbp; mov %rsi, %r12\n"
	"	mov 0(%rbp), %rax; mov 8(%rbp), %rcx; mov 16(%rbp), %rdx; mov 24(%rbp), %rbx\n"
	"	mov 48(%rbp), %rsi; mov 56(%rbp), %rdi; mov 64(%rbp), %r8; mov 72(%rbp), %r9\n"
	"	push 128(%rbp); popf\n"
	"	call *%r12\n"
	"	pushf; pop 128(%rbp); cld\n"
	"	mov %rax, 0(%rbp); mov %rcx, 8(%rbp); mov %rdx, 16(%rbp); mov %rbx, 24(%rbp)\n"
	"	mov %rsi, 48(%rbp); mov %rdi, 56(%rbp); mov %r8, 64(%rbp); mov %r9, 72(%rbp)\n"
	"	pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

static u64 random64(void)
{
	static u64 x = 0x243f6a8885a308d3ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	/* often small, all ones or a sign, where the flags are interesting */
	switch (x >> 60) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << (x >> 8 & 63);
	case 3:
		return x & 0xff;
	default:
		return x;
	}
}

static void print_code(void)
{
	for (unsigned int i = 0; i < code_bytes; i++) {
		fprintf(stderr, "%02x ", code[i]);
	}
	fprintf(stderr, "\n");
}

/* Operand at rdi, in the middle of the first page. small: registers are offsets of bits. */
static void compare(const void *bytes, unsigned int count, u64 flags_mask, bool is_small)
{
	static const u8 used[] = {GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX,
				  GPR_RSI, GPR_RDI, GPR_R8,  GPR_R9};
	u64 state[17] = {0};

	set_code(bytes, count);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(used); i++) {
			state[used[i]] = is_small ? (u64)(s64)(s8)random64() : random64();
		}
		state[GPR_RDI] = (u64)native + 2048;
		state[16] = RFLAGS_ALWAYS | RFLAGS_IF | (random64() & RFLAGS_ARITHMETIC);
		for (unsigned int i = 0; i < DEVICE_BYTES; i += 8) {
			*(u64 *)(native + i) = random64();
		}
		if (round % 2) {
			*(u64 *)(native + 2048) = state[GPR_RAX]; /* for CMPXCHG */
		}
		memcpy(device, native, DEVICE_BYTES);
		memcpy(arch.gpr, state, sizeof(arch.gpr));
		arch.rflags = state[16];
		arch.rip = 0x1000;
		run_native(state, code);
		if (emulate() != 0 || memcmp(arch.gpr, state, sizeof(arch.gpr)) != 0 ||
		    memcmp(device, native, DEVICE_BYTES) != 0 || arch.rip != 0x1000 + count ||
		    ((arch.rflags ^ state[16]) & flags_mask) != 0) {
			print_code();
			EXPECT_EQ(arch.rflags & flags_mask, state[16] & flags_mask);
			EXPECT_EQ(arch.rip, 0x1000 + count);
			for (unsigned int i = 0; i < GPR_COUNT; i++) {
				EXPECT_EQ(arch.gpr[i], state[i]);
			}
			TEST_FAIL("memory differs");
		}
	}
}

#define FLAGS_ALL   RFLAGS_ARITHMETIC
#define FLAGS_LOGIC (RFLAGS_ARITHMETIC & ~RFLAGS_AF) /* AF is undefined after AND, OR, XOR */

/* With each operand size and several registers; reg: of ModRM, or -1 all that may be used. */
static void compare_sizes(u8 map, u8 opcode, int reg, unsigned int immediate_bytes, u64 flags_mask,
			  bool is_small)
{
	static const u8 prefixes[] = {0, 0x66, 0x48, 0x40, 0x44};
	static const u8 regs[] = {0, 1, 2, 3, 6};

	start();
	for (unsigned int p = 0; p < ARRAY_SIZE(prefixes); p++) {
		for (unsigned int r = 0; r < (reg < 0 ? ARRAY_SIZE(regs) : 1u); r++) {
			u8 bytes[16], n = 0, field = reg < 0 ? regs[r] : (u8)reg;
			unsigned int immediate = immediate_bytes;

			if (reg < 0 && prefixes[p] == 0x44) {
				field &= 1; /* r8, r9 */
			}
			if (prefixes[p]) {
				bytes[n++] = prefixes[p];
			}
			if (map) {
				bytes[n++] = 0x0f;
			}
			bytes[n++] = opcode;
			bytes[n++] = (u8)(field << 3 | 7); /* (%rdi) */
			if (immediate == 4 && prefixes[p] == 0x66) {
				immediate = 2;
			}
			for (unsigned int i = 0; i < immediate; i++) {
				bytes[n++] = (u8)random64();
			}
			compare(bytes, n, flags_mask, is_small);
		}
	}
}

TEST(emulate, arithmetic_is_the_cpus)
{
	for (unsigned int op = 0; op < 8; op++) {
		u64 flags = op == 1 || op == 4 || op == 6 ? FLAGS_LOGIC : FLAGS_ALL;

		for (unsigned int form = 0; form < 4; form++) {
			compare_sizes(0, (u8)(op << 3 | form), -1, 0, flags, false);
		}
		compare_sizes(0, 0x80, (int)op, 1, flags, false);
		compare_sizes(0, 0x81, (int)op, 4, flags, false);
		compare_sizes(0, 0x83, (int)op, 1, flags, false);
	}
	compare_sizes(0, 0x84, -1, 0, FLAGS_LOGIC, false); /* TEST */
	compare_sizes(0, 0x85, -1, 0, FLAGS_LOGIC, false);
	compare_sizes(0, 0xf6, 0, 1, FLAGS_LOGIC, false);
	compare_sizes(0, 0xf7, 0, 4, FLAGS_LOGIC, false);
	for (int op = 2; op < 4; op++) { /* NOT, NEG */
		compare_sizes(0, 0xf6, op, 0, FLAGS_ALL, false);
		compare_sizes(0, 0xf7, op, 0, FLAGS_ALL, false);
	}
	for (int op = 0; op < 2; op++) { /* INC, DEC */
		compare_sizes(0, 0xfe, op, 0, FLAGS_ALL, false);
		compare_sizes(0, 0xff, op, 0, FLAGS_ALL, false);
	}
}

TEST(emulate, moves_are_the_cpus)
{
	static const u8 plain[] = {0x88, 0x89, 0x8a, 0x8b, 0x86, 0x87, 0x63};
	static const u8 extended[] = {0xb6, 0xb7, 0xbe, 0xbf};

	for (unsigned int i = 0; i < ARRAY_SIZE(plain); i++) {
		compare_sizes(0, plain[i], -1, 0, FLAGS_ALL, false);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(extended); i++) {
		compare_sizes(1, extended[i], -1, 0, FLAGS_ALL, false);
	}
	compare_sizes(0, 0xc6, 0, 1, FLAGS_ALL, false);
	compare_sizes(0, 0xc7, 0, 4, FLAGS_ALL, false);
	for (u8 condition = 0; condition < 16; condition++) {
		compare_sizes(1, (u8)(0x40 + condition), -1, 0, FLAGS_ALL, false);
	}
	start();
	compare("\x0f\xc3\x07", 3, FLAGS_ALL, false); /* MOVNTI */
	compare("\x48\x0f\xc3\x07", 4, FLAGS_ALL, false);
}

TEST(emulate, locked_instructions_are_the_cpus)
{
	for (u8 size = 0; size < 2; size++) {
		compare_sizes(1, (u8)(0xb0 + size), -1, 0, FLAGS_ALL, false); /* CMPXCHG */
		compare_sizes(1, (u8)(0xc0 + size), -1, 0, FLAGS_ALL, false); /* XADD */
	}
	for (u8 kind = 0; kind < 4; kind++) { /* BT, BTS, BTR, BTC; only CF is defined */
		compare_sizes(1, (u8)(0xa3 + 8 * kind), -1, 0, RFLAGS_CF, true);
		compare_sizes(1, 0xba, 4 + kind, 1, RFLAGS_CF, false);
	}
	start();
	compare("\xf0\x48\x0f\xb1\x0f", 5, FLAGS_ALL, false);
	compare("\xf0\x83\x07\x05", 4, FLAGS_ALL, false);
}

TEST(emulate, addresses_are_the_cpus)
{
	u8 absolute[10] = {0xa1};
	u64 address;

	start();
	address = (u64)native + 2048;
	compare("\x8b\x47\x08", 3, FLAGS_ALL, false);		  /* 8(%rdi) */
	compare("\x8b\x87\xf8\xff\xff\xff", 6, FLAGS_ALL, false); /* -8(%rdi), four bytes */
	compare("\x48\x8b\x04\x27", 4, FLAGS_ALL, false);	  /* (%rdi) with SIB */
	compare("\x67\x8b\x07", 3, FLAGS_ALL, false);		  /* (%edi) */
	compare("\x8b\x44\x4f\x10", 4, FLAGS_ALL, true);	  /* 16(%rdi,%rcx,2) */
	compare("\x42\x8b\x44\xc7\x01", 5, FLAGS_ALL, true);	  /* 1(%rdi,%r8,8) */
	memcpy(absolute + 1, &address, 8);
	for (u8 opcode = 0xa0; opcode <= 0xa3; opcode++) {
		absolute[0] = opcode;
		compare(absolute, 9, FLAGS_ALL, false);
	}
}

/* Strings need their counter: set by hand, compared with the CPU all the same. */
static void compare_string(const void *bytes, unsigned int count, u64 repeats, bool is_down)
{
	u64 state[17] = {0};

	set_code(bytes, count);
	for (unsigned int i = 0; i < DEVICE_BYTES; i += 8) {
		*(u64 *)(native + i) = random64();
	}
	memcpy(device, native, DEVICE_BYTES);
	state[GPR_RAX] = random64();
	state[GPR_RCX] = repeats;
	state[GPR_RSI] = (u64)native + 1000;
	state[GPR_RDI] = (u64)native + 1003; /* they overlap */
	state[16] = RFLAGS_ALWAYS | RFLAGS_IF | (is_down ? RFLAGS_DF : 0);
	memcpy(arch.gpr, state, sizeof(arch.gpr));
	arch.rflags = state[16];
	arch.rip = 0x1000;
	run_native(state, code);
	EXPECT_EQ(emulate(), 0);
	for (unsigned int i = 0; i < GPR_COUNT; i++) {
		EXPECT_EQ(arch.gpr[i], state[i]);
	}
	EXPECT_EQ(arch.rip, 0x1000 + count);
	EXPECT(memcmp(device, native, DEVICE_BYTES) == 0);
}

TEST(emulate, strings_are_the_cpus)
{
	static const u8 opcodes[] = {0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(opcodes); i++) {
		u8 bytes[] = {0xf3, 0x48, opcodes[i]};

		for (unsigned int down = 0; down < 2; down++) {
			compare_string(bytes + 2, 1, 7, down);
			compare_string(bytes + 1, 2, 7, down);
			compare_string(bytes, 3, 0, down);
			compare_string(bytes, 3, 5, down);
			bytes[1] = 0x66;
			compare_string(bytes, 3, 17, down);
			bytes[1] = 0x48;
		}
	}
}

TEST(emulate, a_long_string_is_done_in_pieces)
{
	unsigned int turns = 0;

	start();
	set_code("\xf3\xaa", 2);
	arch.gpr[GPR_RDI] = (u64)native;
	arch.gpr[GPR_RCX] = 1000;
	while (arch.rip == 0x1000) {
		EXPECT_EQ(emulate(), 0);
		EXPECT(turns++ < 10);
	}
	EXPECT(turns > 1);
	EXPECT_EQ(accesses, 1000);
	EXPECT_EQ(arch.gpr[GPR_RCX], 0);
	EXPECT_EQ(arch.gpr[GPR_RDI], (u64)native + 1000);
	/* and at once when there is something else to do */
	start();
	softirq_raise(SOFTIRQ_SCHED);
	arch.gpr[GPR_RDI] = (u64)native;
	arch.gpr[GPR_RCX] = 1000;
	EXPECT_EQ(emulate(), 0);
	EXPECT_EQ(arch.gpr[GPR_RCX], 999);
	EXPECT_EQ(arch.rip, 0x1000);
}

TEST(emulate, a_fault_leaves_everything_as_it_was)
{
	static const char *const codes[] = {"\x01\x0f", "\x87\x0f", "\x8b\x0f", "\x0f\xc1\x0f",
					    "\xab"};
	u64 before[GPR_COUNT];

	for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++) {
		start();
		set_code(codes[i], (unsigned int)strlen(codes[i]));
		for (unsigned int k = 0; k < GPR_COUNT; k++) {
			arch.gpr[k] = random64();
		}
		arch.gpr[GPR_RDI] = (u64)native + 0x123;
		fault_page = (u64)native;
		memcpy(before, arch.gpr, sizeof(before));
		memcpy(device, native, DEVICE_BYTES);
		EXPECT_EQ(emulate(), -EFAULT);
		EXPECT_EQ(injected, TRAP_PF);
		EXPECT_EQ(cr2, (u64)native + 0x123);
		EXPECT_EQ(arch.rip, 0x1000);
		EXPECT_EQ(arch.rflags, RFLAGS_ALWAYS);
		EXPECT_EQ(accesses, 0);
		EXPECT(memcmp(before, arch.gpr, sizeof(before)) == 0);
	}
	EXPECT_EQ(injected_error, PF_WRITE);
}

TEST(emulate, an_access_across_pages_checks_both_first)
{
	start();
	set_code("\x89\x07", 2); /* mov %eax, (%rdi) */
	arch.gpr[GPR_RDI] = (u64)native + PAGE_SIZE - 2;
	arch.gpr[GPR_RAX] = 0x44332211;
	fault_page = (u64)native + PAGE_SIZE;
	EXPECT_EQ(emulate(), -EFAULT);
	EXPECT_EQ(accesses, 0);
	EXPECT_EQ(cr2, (u64)native + PAGE_SIZE);
	fault_page = NO_FAULT;
	EXPECT_EQ(emulate(), 0);
	EXPECT_EQ(accesses, 4);
	EXPECT(memcmp(device + PAGE_SIZE - 2, "\x11\x22\x33\x44", 4) == 0);
}

TEST(emulate, what_is_not_known_is_refused)
{
	static const char *const codes[] = {
		"\x0f\x10\x07", /* movups (%rdi), %xmm0 */
		"\xd1\x07",	/* rol (%rdi) */
		"\xff\x37",	/* push (%rdi) */
		"\xf7\x27",	/* mul (%rdi) */
		"\x0f\xba\x07", /* group 8, /0 */
		"\xc6\x4f\x01", /* c6 /1 */
		"\x01\xc0",	/* no memory operand */
		"\xc5\xfc\x10\x07",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++) {
		start();
		set_code(codes[i], (unsigned int)strlen(codes[i]));
		code_bytes = 8;
		arch.gpr[GPR_RDI] = (u64)native;
		EXPECT_EQ(emulate(), -EOPNOTSUPP);
		EXPECT_EQ(accesses, 0);
		EXPECT_EQ(arch.rip, 0x1000);
	}
}

TEST(emulate, string_ports)
{
	struct exit_io io = {.port = 0x80, .size_bytes = 2, .is_string = true, .is_rep = true};

	start();
	memcpy(device, "\x01\x02\x03\x04\x05\x06", 6);
	set_code("\xf3\x66\x6f", 3); /* rep outsw */
	arch.gpr[GPR_RSI] = (u64)native;
	arch.gpr[GPR_RCX] = 3;
	EXPECT_EQ(emulate_string_io(&v, &io), 0);
	EXPECT_EQ(port_count, 3);
	EXPECT_EQ(port_log[0], 0x0201);
	EXPECT_EQ(port_log[2], 0x0605);
	EXPECT_EQ(arch.gpr[GPR_RSI], (u64)native + 6);
	EXPECT_EQ(arch.rip, 0x1003);
	start();
	io.is_in = true;
	set_code("\xf3\x66\x6d", 3); /* rep insw, downwards */
	arch.rflags |= RFLAGS_DF;
	arch.gpr[GPR_RDI] = (u64)native + 10;
	arch.gpr[GPR_RCX] = 2;
	EXPECT_EQ(emulate_string_io(&v, &io), 0);
	EXPECT_EQ(*(u16 *)(device + 10), 0x3344);
	EXPECT_EQ(*(u16 *)(device + 8), 0x3345);
	EXPECT_EQ(arch.gpr[GPR_RDI], (u64)native + 6);
	/* the port is not read when there is no place for the value */
	start();
	fault_page = (u64)native;
	arch.gpr[GPR_RDI] = (u64)native + 10;
	arch.gpr[GPR_RCX] = 2;
	EXPECT_EQ(emulate_string_io(&v, &io), -EFAULT);
	EXPECT_EQ(port_count, 0);
	EXPECT_EQ(arch.gpr[GPR_RCX], 2);
}

static int write_cr0(u64 value)
{
	set_code("\x0f\x22\xc1", 3); /* mov %rcx, %cr0 */
	arch.gpr[GPR_RCX] = value;
	injected = -1;
	return emulate_cr0_write(&v);
}

TEST(emulate, cr0_is_checked_as_the_cpu_checks_it)
{
	const u64 on = CR0_PE | CR0_PG | CR0_ET;

	start();
	EXPECT_EQ(write_cr0(on | CR0_WP | CR0_NE), 0);
	EXPECT_EQ(cr0, on | CR0_WP | CR0_NE);
	EXPECT_EQ(arch.rip, 0x1003);
	EXPECT_EQ(write_cr0(on | 1ull << 32), -EFAULT);
	EXPECT_EQ(injected, TRAP_GP);
	EXPECT_EQ(write_cr0(CR0_PG), -EFAULT); /* without PE */
	EXPECT_EQ(write_cr0(on | CR0_NW), -EFAULT);
	EXPECT_EQ(write_cr0(CR0_PE), -EFAULT); /* paging off in 64-bit mode */
	EXPECT_EQ(cr0, on | CR0_WP | CR0_NE);
	EXPECT_EQ(arch.rip, 0x1003);
	EXPECT_EQ(write_cr0(CR0_PE | CR0_PG), 0); /* ET stays */
	EXPECT_EQ(cr0, on);
}

TEST(emulate, long_mode_follows_paging)
{
	start();
	code_mode = 4;
	cr0 = CR0_PE | CR0_ET;
	efer = EFER_LME;
	cr4 = 0;
	EXPECT_EQ(write_cr0(CR0_PE | CR0_PG), -EFAULT); /* needs PAE */
	EXPECT_EQ(efer, EFER_LME);
	cr4 = CR4_PAE;
	EXPECT_EQ(write_cr0(CR0_PE | CR0_PG), 0);
	EXPECT_EQ(efer, EFER_LME | EFER_LMA);
	EXPECT_EQ(write_cr0(CR0_PE), 0);
	EXPECT_EQ(efer, EFER_LME);
}

TEST(emulate, lmsw_sets_pe_and_never_clears_it)
{
	start();
	code_mode = 2;
	cr0 = CR0_ET;
	efer = 0;
	set_code("\x0f\x01\xf1", 3); /* lmsw %cx */
	arch.gpr[GPR_RCX] = 0xffff;
	EXPECT_EQ(emulate_cr0_write(&v), 0);
	EXPECT_EQ(cr0, CR0_ET | 0xf);
	arch.gpr[GPR_RCX] = 0;
	EXPECT_EQ(emulate_cr0_write(&v), 0);
	EXPECT_EQ(cr0, CR0_ET | CR0_PE);
}

TEST_MAIN()
