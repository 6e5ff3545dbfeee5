/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of a vCPU whose domain crashes: registers, its last exits, and what its page tables
 * say of the addresses that matter. Reads only; ten lines, which is what log_guest() lets through.
 */
#include "arch/x86/guest/svm.h"
#include "asm/msr.h"
#include "asm/page.h"
#include "asm/regs.h"
#include "core/log.h"
#include "core/smp.h"
#include "lib/format.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"

#define ULL(x) ((unsigned long long)(x))

/* Appends as format_text() does; n is where text ends. */
#define SAY(...)                                                                                   \
	(n = MIN(n + (size_t)format_text(text + n, sizeof(text) - n, __VA_ARGS__), sizeof(text) - 1))

/*
 * For each level: where the table is, what the nested tables make of that (type and machine
 * frame), and the entry in it. At the end the page itself.
 */
static void report_walk(struct vcpu *v, const struct hvm_cpu_state *s, const char *what, u64 linear)
{
	unsigned int shift;
	u64 entry = s->cr3;
	char text[220];
	size_t n = 0;

	for (shift = 39;; shift -= 9) {
		u64 at = entry & 0x000ffffffffff000ull;
		struct p2m_entry e = p2m_lookup(v->domain, gpa_to_gfn(gpa_of(at)));
		bool is_page = shift < PAGE_SHIFT || (shift < 30 && (entry & PTE_LARGE));

		SAY(" %llx(%u %llx)", ULL(at), e.type, ULL(mfn_raw(e.mfn)));
		if (is_page || guest_phys_read(v->domain, &entry,
					       gpa_of(at | (linear >> shift & 511) << 3),
					       sizeof(entry)) != 0) {
			break;
		}
		SAY(" %llx", ULL(entry));
		if (!(entry & PTE_PRESENT)) {
			break;
		}
	}
	log_guest(v->domain, "%s %llx:%s\n", what, ULL(linear), text);
}

static void report_exits(struct vcpu *v)
{
	const struct arch_vcpu *a = v->arch;
	char text[220];
	unsigned int i;
	size_t n = 0;

	for (i = 1; i <= ARRAY_SIZE(a->exits) && i <= a->exit_count; i++) {
		const struct hvm_exit *e = &a->exits[(a->exit_count - i) % ARRAY_SIZE(a->exits)];

		SAY(" %x@%llx/%u", e->code, ULL(e->rip), e->cpu);
	}
	log_guest(v->domain, "last exits (code@rip/cpu):%s\n", n ? text : " none");
}

void hvm_crash_guest(struct vcpu *v, const char *why)
{
	const struct vmcb *vmcb = v->arch->vmcb;
	struct hvm_cpu_state s;

	hvm->get_state(v, &s);
	log_guest(v->domain, "vcpu %u on cpu %u: %s; rip %#llx cs %#x rsp %#llx rflags %#llx\n",
		  vcpu_id_raw(v->id), smp_cpu_id(), why, ULL(s.rip), s.seg[SEG_CS].selector,
		  ULL(s.gpr[GPR_RSP]), ULL(s.rflags));
	log_guest(v->domain, "cr0 %#llx cr2 %#llx cr3 %#llx cr4 %#llx efer %#llx rax %#llx\n",
		  ULL(s.cr0), ULL(s.cr2), ULL(s.cr3), ULL(s.cr4), ULL(s.efer), ULL(s.gpr[GPR_RAX]));
	log_guest(v->domain, "idt %#llx+%#x gdt %#llx+%#x tr %#x:%#llx gs %#llx, event in %#llx\n",
		  ULL(s.seg[SEG_IDTR].base), s.seg[SEG_IDTR].limit, ULL(s.seg[SEG_GDTR].base),
		  s.seg[SEG_GDTR].limit, s.seg[SEG_TR].selector, ULL(s.seg[SEG_TR].base),
		  ULL(s.seg[SEG_GS].base), ULL(vmcb->exit_int_info));
	report_exits(v);
	if ((s.efer & EFER_LMA) && (s.cr0 & CR0_PG)) {
		report_walk(v, &s, "cr2", s.cr2);
		report_walk(v, &s, "rip", s.rip);
		report_walk(v, &s, "rsp", s.gpr[GPR_RSP]);
		report_walk(v, &s, "idt", s.seg[SEG_IDTR].base);
	}
	domain_crash(v->domain, why);
}
