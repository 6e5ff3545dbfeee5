/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's own page tables, walked as its CPU would: no paging, 32-bit, PAE and four levels
 * (APM 2 chapter 5, SDM 3 chapter 4). Entries are hostile and may change at any moment: each is
 * read once. Accessed and dirty bits are set as the CPU sets them, else the guest would take a
 * page that a hypercall wrote for clean.
 */
#include "arch/contract/guest.h"
#include "arch/x86/guest/cpu_bits.h"
#include "arch/x86/guest/hvm_arch.h"
#include "memory/guest_access.h"
#include "memory/p2m_read.h"
#include "mm/window.h"

struct walk_format {
	u8 levels;
	u8 entry_bytes;
	u8 index_bits;
	u64 address_mask;
};

static const struct walk_format format_4level = {4, 8, 9, 0x000ffffffffff000ull};
static const struct walk_format format_pae = {3, 8, 9, 0x000ffffffffff000ull};
static const struct walk_format format_32bit = {2, 4, 10, 0xfffff000ull};

/* Sets bits of an entry if it still is what was read; a change is retried by the caller. */
static bool entry_mark(void *entry, unsigned int entry_bytes, u64 old, u64 bits)
{
	if (entry_bytes == 8) {
		return __atomic_compare_exchange_n((u64 *)entry, &old, old | bits, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	} else {
		u32 old32 = (u32)old;

		return __atomic_compare_exchange_n((u32 *)entry, &old32, old32 | (u32)bits, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
}

/* Reads the entry at gpa and marks it used. -EFAULT: no memory there. */
static int entry_read(struct domain *d, gpa_t gpa, const struct walk_format *format, bool is_leaf,
		      bool is_write, bool is_checked, u64 *out)
{
	struct frame *f = p2m_get_frame(d, gpa_to_gfn(gpa), false, NULL);
	u64 entry, mark;
	u8 *page;

	if (!f) {
		return -EFAULT;
	}
	page = (u8 *)window_map(frame_mfn(f)) + page_offset(gpa_raw(gpa));
	do {
		entry = format->entry_bytes == 8 ? load_relaxed((u64 *)page)
						 : load_relaxed((u32 *)page);
		mark = X86_PTE_ACCESSED;
		if (is_leaf || (entry & X86_PTE_LARGE)) {
			mark |= is_write ? X86_PTE_DIRTY : 0;
		}
	} while (is_checked && (entry & X86_PTE_PRESENT) && (entry & mark) != mark &&
		 (!is_write || (entry & X86_PTE_WRITE)) &&
		 !entry_mark(page, format->entry_bytes, entry, mark));
	window_unmap(page);
	frame_put(f);
	*out = entry;
	return 0;
}

/* Every format, with references, and marking what is not marked yet. */
static int walk_all(struct vcpu *v, const struct hvm_paging *paging, u64 linear, bool is_write,
		    gpa_t *out)
{
	u64 cr0 = paging->cr0, cr3 = paging->cr3, cr4 = paging->cr4;
	const struct walk_format *format;
	bool is_write_checked = is_write && (cr0 & X86_CR0_WP);
	bool is_user = paging->cpl == 3;
	unsigned int level, shift;
	u64 table, entry;

	if (!(cr0 & X86_CR0_PG)) {
		*out = gpa_of((u32)linear);
		return linear >> 32 ? -EFAULT : 0;
	}
	if (paging->efer & X86_EFER_LMA) {
		if ((u64)((s64)(linear << 16) >> 16) != linear) {
			return -EFAULT; /* not canonical */
		}
		format = &format_4level;
		table = cr3 & format->address_mask;
	} else if (cr4 & X86_CR4_PAE) {
		format = &format_pae;
		table = cr3 & 0xffffffe0ull;
		linear = (u32)linear;
	} else {
		format = &format_32bit;
		table = cr3 & format->address_mask;
		linear = (u32)linear;
	}
	for (level = format->levels; level; level--) {
		/* The four entries at the top of PAE have neither rights nor an accessed bit. */
		bool is_pdpte = format == &format_pae && level == 3;
		unsigned int index_mask = is_pdpte ? 3 : (1u << format->index_bits) - 1;
		u64 slot;

		shift = PAGE_SHIFT + (level - 1) * format->index_bits;
		slot = table + (linear >> shift & index_mask) * format->entry_bytes;
		if (entry_read(v->domain, gpa_of(slot), format, level == 1, is_write, !is_pdpte,
			       &entry) != 0 ||
		    !(entry & X86_PTE_PRESENT) ||
		    (!is_pdpte && ((is_write_checked && !(entry & X86_PTE_WRITE)) ||
				   (is_user && !(entry & X86_PTE_USER))))) {
			return -EFAULT;
		}
		table = entry & format->address_mask;
		if (level == 1) {
			*out = gpa_of(table | (linear & (PAGE_SIZE - 1)));
			return 0;
		}
		if ((entry & X86_PTE_LARGE) && !is_pdpte && level < 4 &&
		    (format != &format_32bit || (cr4 & X86_CR4_PSE))) {
			u64 inside = (1ull << shift) - 1;

			if (format == &format_32bit) {
				/* PSE-36: bits 13-20 are address bits 32-39 */
				table = (entry & 0xffc00000ull) | (entry >> 13 & 0xff) << 32;
			}
			*out = gpa_of((table & ~inside) | (linear & inside));
			return 0;
		}
	}
	return -EFAULT; /* not reached, because level 1 returns */
}

/*
 * Four levels through p2m_reader, when nothing has to be marked: what nearly every call is.
 * -EAGAIN: ask walk_all(), which also finds out about faults.
 */
static int walk_quickly(struct p2m_reader *r, const struct hvm_paging *paging, u64 linear,
			bool is_write, u64 *out)
{
	u64 wanted = X86_PTE_PRESENT | X86_PTE_ACCESSED | (paging->cpl == 3 ? X86_PTE_USER : 0) |
		     (is_write ? X86_PTE_WRITE : 0);
	u64 leaf_wanted = wanted | (is_write ? X86_PTE_DIRTY : 0);
	u64 table = paging->cr3 & 0x000ffffffffff000ull;
	unsigned int shift;

	if (!(paging->efer & X86_EFER_LMA) || (u64)((s64)(linear << 16) >> 16) != linear) {
		return -EAGAIN;
	}
	for (shift = 39;; shift -= 9) {
		struct p2m_view view;
		u64 entry;

		if (!p2m_reader_view(r, table | (linear >> shift & 511) << 3, &view)) {
			return -EAGAIN;
		}
		entry = load_relaxed((const u64 *)view.bytes);
		if (!p2m_reader_is_good(&view) || (entry & wanted) != wanted) {
			return -EAGAIN;
		}
		table = entry & 0x000ffffffffff000ull;
		if (shift == PAGE_SHIFT || ((entry & X86_PTE_LARGE) && shift < 39)) {
			u64 inside = (1ull << shift) - 1;

			if ((entry & leaf_wanted) != leaf_wanted) {
				return -EAGAIN;
			}
			*out = (table & ~inside) | (linear & inside);
			return 0;
		}
	}
}

int arch_guest_translate(struct vcpu *v, u64 linear, enum guest_access_kind kind, gpa_t *out)
{
	struct p2m_reader r = p2m_reader_of(v->domain);
	struct hvm_paging paging;
	u64 gpa;
	int rc;

	hvm->get_paging(v, &paging);
	rc = walk_quickly(&r, &paging, linear, kind == GUEST_WRITE, &gpa);
	p2m_reader_close(&r);
	if (likely(rc == 0)) {
		*out = gpa_of(gpa);
		return 0;
	}
	return walk_all(v, &paging, linear, kind == GUEST_WRITE, out);
}

unsigned int guest_walk_fetch(struct vcpu *v, u64 linear, u8 *bytes, unsigned int want)
{
	struct p2m_reader r = p2m_reader_of(v->domain);
	struct hvm_paging paging;
	unsigned int done = 0;

	hvm->get_paging(v, &paging);
	while (done < want) {
		unsigned int piece =
			(unsigned int)MIN(PAGE_SIZE - page_offset(linear), (u64)(want - done));
		gpa_t slow;
		u64 gpa;

		if (unlikely(walk_quickly(&r, &paging, linear, false, &gpa) != 0)) {
			if (walk_all(v, &paging, linear, false, &slow) != 0) {
				break;
			}
			gpa = gpa_raw(slow);
		}
		if (unlikely(!p2m_reader_copy(&r, gpa, bytes + done, piece)) &&
		    guest_phys_read(v->domain, bytes + done, gpa_of(gpa), piece) != 0) {
			break;
		}
		done += piece;
		linear += piece;
	}
	p2m_reader_close(&r);
	return done;
}
