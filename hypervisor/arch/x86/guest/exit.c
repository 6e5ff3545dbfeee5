/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One handler for each reason to leave the guest, without a vendor's encoding.
 */
#include "arch/x86/guest/hvm_arch.h"

#include <xen/sched.h>

#include "arch/x86/guest/decode.h"
#include "arch/x86/guest/svm.h"
#include "arch/x86/guest/trap.h"
#include "asm/io.h"
#include "asm/regs.h"
#include "core/log.h"
#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"

#define OPCODE_CPUID   0xa20f
#define OPCODE_HLT     0xf4
#define OPCODE_RDMSR   0x320f
#define OPCODE_VMMCALL 0xd9010f
#define OPCODE_WBINVD  0x090f
#define OPCODE_WRMSR   0x300f
#define OPCODE_XSETBV  0xd1010f

#define PORT_TIMER_2 0x42

/*
 * How long the intercepted instruction is. With NRIPS the CPU says so. Without, its bytes are
 * read; the usual one has no prefixes and lies in a page that was looked at before: one comparison.
 * 0: the bytes cannot be read or are another instruction by now; the guest tries again.
 */
static unsigned int instruction_length(struct vcpu *v, u32 opcode, unsigned int opcode_bytes)
{
	struct arch_vcpu *a = v->arch;
	struct decoded insn;
	u32 bytes = 0;
	u64 linear;

	if (svm_features.has_nrips && a->vmcb->next_rip) {
		return (unsigned int)(a->vmcb->next_rip - a->rip);
	}
	linear = hvm_linear(v, SEG_CS, a->rip);
	if (page_offset(linear) <= PAGE_SIZE - sizeof(bytes) &&
	    arch_guest_read_again(v, linear, &bytes, opcode_bytes) && bytes == opcode) {
		return opcode_bytes;
	}
	return decode_current(v, &insn) == 0 ? insn.length : 0;
}

void exit_cpuid(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	unsigned int length = instruction_length(v, OPCODE_CPUID, 2);
	struct cpuid_regs r;

	if (!length) {
		return;
	}
	cpuid_guest(v, (u32)a->gpr[GPR_RAX], (u32)a->gpr[GPR_RCX], &r);
	a->gpr[GPR_RAX] = r.a;
	a->gpr[GPR_RBX] = r.b;
	a->gpr[GPR_RCX] = r.c;
	a->gpr[GPR_RDX] = r.d;
	hvm_skip_instruction(v, length);
}

void exit_msr(struct vcpu *v, bool is_write)
{
	struct arch_vcpu *a = v->arch;
	unsigned int length = instruction_length(v, is_write ? OPCODE_WRMSR : OPCODE_RDMSR, 2);
	u32 index = (u32)a->gpr[GPR_RCX];
	u64 value;
	int rc;

	if (!length) {
		return;
	}
	if (is_write) {
		value = (u32)a->gpr[GPR_RAX] | a->gpr[GPR_RDX] << 32;
		rc = msr_guest_write(v, index, value);
	} else {
		rc = msr_guest_read(v, index, &value);
		if (rc == 0) {
			a->gpr[GPR_RAX] = (u32)value;
			a->gpr[GPR_RDX] = value >> 32;
		}
	}
	if (rc) {
		log_debug("d%u: %s of MSR %#x refused\n", domain_id_raw(v->domain->id),
			  is_write ? "write" : "read", index);
		hvm_inject_gp0(v);
		return;
	}
	hvm_skip_instruction(v, length);
}

void exit_hlt(struct vcpu *v)
{
	unsigned int length = instruction_length(v, OPCODE_HLT, 1);

	if (!length) {
		return;
	}
	hvm_skip_instruction(v, length);
	if (v->arch->rflags & RFLAGS_IF) {
		vcpu_block(v);
		return;
	}
	/* Halted for good, as an operating system stops a CPU; INIT or an NMI could end it. */
	if (!load_relaxed(&v->arch->nmi_pending)) {
		vcpu_halt(v);
	}
}

/*
 * Arguments: rdi rsi rdx r10 r8 r9 in 64-bit mode, ebx ecx edx esi edi ebp otherwise
 * (<xen/arch-x86/xen-x86_64.h>, <xen/arch-x86/xen-x86_32.h>).
 */
static const u8 args_64[6] = {GPR_RDI, GPR_RSI, GPR_RDX, GPR_R10, GPR_R8, GPR_R9};
static const u8 args_32[6] = {GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI, GPR_RBP};

unsigned long arch_hypercall_arg(const struct vcpu *v, unsigned int index)
{
	const u8 *regs = hvm_is_64bit((struct vcpu *)v) ? args_64 : args_32;

	return v->arch->gpr[regs[index]];
}

void arch_hypercall_set_arg(struct vcpu *v, unsigned int index, unsigned long value)
{
	const u8 *regs = hvm_is_64bit(v) ? args_64 : args_32;

	v->arch->gpr[regs[index]] = value;
}

void exit_hypercall(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	bool is_64bit = hvm_is_64bit(v);
	u64 mask = is_64bit ? ~0ull : 0xffffffffull;
	const u8 *regs = is_64bit ? args_64 : args_32;
	unsigned int length = instruction_length(v, OPCODE_VMMCALL, 3);
	struct hypercall call;
	unsigned int i;
	long result;

	if (!length) {
		return;
	}
	if (hvm->get_cpl(v) != 0) {
		/* Programs of the guest have no business here; Xen answers them so, too. */
		a->gpr[GPR_RAX] = (u64)-EPERM & mask;
		hvm_skip_instruction(v, length);
		return;
	}
	call.caller = v;
	call.number = (unsigned int)a->gpr[GPR_RAX];
	call.is_in_multicall = false;
	call.is_32bit = !is_64bit;
	for (i = 0; i < 6; i++) {
		call.arg[i] = a->gpr[regs[i]] & mask;
	}
	result = hypercall_dispatch(&call);
	if (result == HYPERCALL_RESTART) {
		for (i = 0; i < 6; i++) {
			a->gpr[regs[i]] = call.arg[i] & mask;
		}
		return;
	}
	a->gpr[GPR_RAX] = (u64)result & mask;
	hvm_skip_instruction(v, length);
}

void exit_xsetbv(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	unsigned int length = instruction_length(v, OPCODE_XSETBV, 3);
	u64 value = (u32)a->gpr[GPR_RAX] | a->gpr[GPR_RDX] << 32;

	if (!length) {
		return;
	}
	if (!(hvm->get_control(v, HVM_CR4) & CR4_OSXSAVE)) {
		hvm_inject_exception(v, TRAP_UD, false, 0);
		return;
	}
	/* SDM 2A XSETBV: only XCR0, x87 always on, AVX needs SSE, AVX-512 all its three parts. */
	if ((u32)a->gpr[GPR_RCX] != 0 || hvm->get_cpl(v) != 0 || !(value & 1) ||
	    (value & ~cpuid_guest_xcr0(v->domain)) || ((value & 4) && !(value & 2)) ||
	    ((value & 0xe0) && ((value & 0xe0) != 0xe0 || !(value & 4))) ||
	    ((value & 0x18) != 0 && (value & 0x18) != 0x18)) {
		hvm_inject_gp0(v);
		return;
	}
	a->xcr0 = value;
	xcr0_write(value); /* stays loaded: the hypervisor itself uses no FPU */
	hvm_skip_instruction(v, length);
}

/*
 * Only asked for while the task priority holds an interrupt back. MOV to CR8 is 0f 22 with
 * REX.R, the source in ModRM's r/m, which is always a register; LOCK MOV CR0 is the 32-bit form.
 */
void exit_cr8_write(struct vcpu *v)
{
	struct decoded insn;
	u64 value;

	if (decode_current(v, &insn) != 0 || insn.map != 1 || insn.opcode != 0x22) {
		return; /* changed under our hands: the guest tries again */
	}
	value = v->arch->gpr[insn.rm & 15];
	if (value > 15) {
		hvm_inject_gp0(v);
		return;
	}
	vlapic_tpr_set(v, (u8)(value << 4));
	hvm_skip_instruction(v, insn.length);
}

void exit_wbinvd(struct vcpu *v)
{
	unsigned int length = instruction_length(v, OPCODE_WBINVD, 2);

	if (!length) {
		return;
	}
	if (hvm->get_cpl(v) != 0) {
		hvm_inject_gp0(v);
		return;
	}
	/*
	 * Only who has devices can see the difference, and INVD as WBINVD loses nothing of
	 * anybody else's.
	 */
	if (v->domain->is_hardware) {
		__asm__ volatile("wbinvd" : : : "memory");
	}
	hvm_skip_instruction(v, length);
}

/*
 * What a port reads as that is no guest's: ones, as an empty bus. But Linux takes a timer (PIT, counter 2)
 * that stands at ones for one that counts, and reads it 100,000 times in each start, before it learns the
 * TSC's frequency from us (Linux: quick_pit_calibrate). Zero ends that with the first read.
 */
static u32 port_refused(u16 port, unsigned int size_bytes)
{
	return port == PORT_TIMER_2 && size_bytes == 1 ? 0 : ~0u;
}

/* A port that nobody emulates: the machine's own for who owns it, an empty bus otherwise. */
static u32 port_unclaimed(struct vcpu *v, u16 port, unsigned int size_bytes, bool is_in, u32 value)
{
	const u8 *iopm = v->domain->arch->iopm;
	unsigned int i;

	for (i = 0; i < size_bytes; i++) {
		u32 bit = port + i;

		if (bit > 0xffff || (iopm[bit / 8] >> (bit % 8) & 1)) {
			return port_refused(port, size_bytes);
		}
	}
	if (is_in) {
		return port_in(port, size_bytes);
	}
	port_out(port, size_bytes, value);
	return 0;
}

void exit_port_access(struct vcpu *v, u16 port, unsigned int size_bytes, bool is_in, u64 *value)
{
	if (!trap_dispatch_port(v, port, size_bytes, !is_in, value)) {
		*value = port_unclaimed(v, port, size_bytes, is_in, (u32)*value);
	}
}

void exit_io(struct vcpu *v, const struct exit_io *io)
{
	struct arch_vcpu *a = v->arch;
	u64 value = 0;

	if (io->is_string) {
		/* moves rip itself, or leaves it to go on after softirqs */
		if (emulate_string_io(v, io) == -EOPNOTSUPP) {
			hvm_inject_exception(v, TRAP_UD, false, 0);
		}
		return;
	}
	if (!io->is_in) {
		value = a->gpr[GPR_RAX] & ((1ull << io->size_bytes * 8) - 1);
	}
	exit_port_access(v, io->port, io->size_bytes, io->is_in, &value);
	if (io->is_in) {
		emulate_register_write(v, GPR_RAX, io->size_bytes, value);
	}
}

static void emulate_or_fail(struct vcpu *v, gpa_t address, bool is_write)
{
	int rc = emulate_memory(v, address, is_write);

	if (rc == -EOPNOTSUPP) {
		log_guest(v->domain,
			  "vcpu %u: instruction at %#llx on emulated memory %#llx is not known\n",
			  vcpu_id_raw(v->id), (unsigned long long)v->arch->rip,
			  (unsigned long long)gpa_raw(address));
		hvm_inject_exception(v, TRAP_UD, false, 0);
	}
}

void exit_nested_fault(struct vcpu *v, gpa_t address, bool is_write, bool is_present, bool is_fetch,
		       bool is_table_walk)
{
	struct p2m_entry entry = p2m_lookup(v->domain, gpa_to_gfn(address));
	struct frame *frame;

	switch (entry.type) {
	case P2M_RAM:
	case P2M_SHARED:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
	case P2M_MMIO:
		return; /* changed meanwhile: the access is allowed now */
	case P2M_POD:
		frame = p2m_get_frame(v->domain, gpa_to_gfn(address), is_write, NULL);
		if (!frame) {
			domain_crash(v->domain, "no memory left to populate on demand");
			return;
		}
		frame_put(frame);
		return;
	case P2M_GRANT_RO:
	case P2M_RAM_RO:
		if (!is_write) {
			return;
		}
		hvm_inject_gp0(v);
		return;
	case P2M_MMIO_RO:
		if (!is_write) {
			return;
		}
		break;
	default:
		break;
	}
	if (is_fetch || is_table_walk) {
		log_guest(v->domain, "vcpu %u: %s at %#llx, where there is no memory (rip %#llx)\n",
			  vcpu_id_raw(v->id), is_fetch ? "instruction fetch" : "page table",
			  (unsigned long long)gpa_raw(address), (unsigned long long)v->arch->rip);
		hvm_crash_guest(v, "runs outside of its memory");
		return;
	}
	emulate_or_fail(v, address, is_write);
}
