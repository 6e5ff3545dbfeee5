/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's own page tables, walked as its CPU would: no paging, 32-bit, PAE and four levels
 * (APM 2 chapter 5, SDM 3 chapter 4). Entries are hostile and may change at any moment: each is
 * read once. Accessed and dirty bits are set as the CPU sets them, else the guest would take a
 * page that a hypercall wrote for clean.
 */
#include "arch/x86/guest/guest_walk.h"

#include "arch/x86/guest/hvm_arch.h"
#include "asm/msr.h"
#include "asm/page.h"
#include "asm/regs.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "mm/window.h"

struct walk_format {
	u8 levels;
	u8 entry_bytes;
	u8 index_bits;
	u64 address_mask;
};

static const struct walk_format format_4level = {4, 8, 9, PTE_ADDRESS};
static const struct walk_format format_pae = {3, 8, 9, PTE_ADDRESS};
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
		      bool is_write, bool is_checked, struct guest_walk_step *out)
{
	enum p2m_type type;
	struct frame *f = p2m_get_frame(d, gpa_to_gfn(gpa), false, &type);
	u64 entry, mark;
	u8 *page;

	if (!f) {
		return -EFAULT;
	}
	page = (u8 *)window_map(frame_mfn(f)) + page_offset(gpa_raw(gpa));
	for (;;) {
		entry = format->entry_bytes == 8 ? load_relaxed((u64 *)page)
						 : load_relaxed((u32 *)page);
		mark = PTE_ACCESSED;
		if (is_leaf || (entry & PTE_LARGE)) {
			mark |= is_write ? PTE_DIRTY : 0;
		}
		if (!is_checked || !(entry & PTE_PRESENT) || (entry & mark) == mark ||
		    (is_write && !(entry & PTE_WRITE))) {
			break;
		}
		if (entry_mark(page, format->entry_bytes, entry, mark)) {
			entry |= mark;
			break;
		}
	}
	window_unmap(page);
	*out = (struct guest_walk_step){
		.table = p2m_is_own(type) ? frame_mfn(f) : MFN_INVALID,
		.offset = (u32)page_offset(gpa_raw(gpa)),
		.entry = entry,
	};
	frame_put(f);
	return 0;
}

/* --- walks that are remembered --- */

static u64 walk_key(u64 linear)
{
	return (linear & PAGE_MASK) | 1;
}

static struct guest_walk *walk_of(struct vcpu *v, u64 linear)
{
	struct guest_walk *w = v->arch->walks, *end = w + GUEST_WALKS;

	for (; w < end; w++) {
		if (w->key == walk_key(linear)) {
			return w;
		}
	}
	return NULL;
}

/* Only walks through the domain's own memory of which another access would find every entry the
 * same. */
static void walk_remember(struct vcpu *v, struct guest_walk *w)
{
	struct p2m_entry page = p2m_lookup(v->domain, gpa_to_gfn(w->gpa));
	struct guest_walk *slot;
	u64 all = ~0ull;

	for (unsigned int i = 0; i < w->levels; i++) {
		all &= mfn_equal(w->step[i].table, MFN_INVALID) ? 0 : w->step[i].entry;
	}
	if (!(all & PTE_ACCESSED)) {
		return;
	}
	w->rights = all & (PTE_USER | PTE_WRITE);
	if (!(w->step[w->levels - 1].entry & PTE_DIRTY)) {
		w->rights &= ~(u64)PTE_WRITE;
	}
	w->mfn = p2m_is_own(page.type) ? page.mfn : MFN_INVALID;
	slot = walk_of(v, w->key);
	if (!slot) {
		slot = &v->arch->walks[v->arch->walk_oldest++ % GUEST_WALKS];
	}
	*slot = *w;
}

/*
 * The walk of linear, if it may be that it still holds. Five levels, and what else is not four,
 * are never remembered.
 */
static struct guest_walk *walk_find(struct vcpu *v, u64 linear, bool is_write)
{
	struct guest_walk *w = walk_of(v, linear);
	struct hvm_paging paging;
	u64 wanted;

	if (!w) {
		return NULL;
	}
	hvm->get_paging(v, &paging);
	wanted = (is_write ? PTE_WRITE : 0) | (paging.cpl == 3 ? PTE_USER : 0);
	if (w->cr3 != paging.cr3 || (w->rights & wanted) != wanted || !(paging.efer & EFER_LMA) ||
	    w->version != p2m_version(v->domain)) {
		return NULL;
	}
	return w;
}

/* The guest's tables say what they said; the window is free for something else then. */
static ALWAYS_INLINE bool walk_is_same(const struct guest_walk *w, u8 *window)
{
	const struct guest_walk_step *s = w->step, *end = w->step + w->levels;

	do {
		window_move(window, s->table);
		if (load_relaxed((const u64 *)(window + s->offset)) != s->entry) {
			return false;
		}
	} while (++s < end);
	return true;
}

/*
 * No references are taken. The same version afterwards means that all frames were the domain's
 * while they were read: loads stay in order on x86 (SDM 3 8.2.2), window_move() stops the compiler.
 */
bool arch_guest_read_again(struct vcpu *v, u64 linear, void *to, size_t size_bytes)
{
	struct guest_walk *w = walk_find(v, linear, false);
	bool is_same;
	u8 *window;

	if (!w || mfn_equal(w->mfn, MFN_INVALID)) {
		return false;
	}
	window = window_map(w->step[0].table);
	is_same = walk_is_same(w, window);
	if (is_same) {
		window_move(window, w->mfn);
		memcpy(to, window + page_offset(linear), size_bytes);
	}
	window_unmap(window);
	return is_same && p2m_version(v->domain) == w->version;
}

static bool translate_again(struct vcpu *v, u64 linear, bool is_write, gpa_t *out)
{
	struct guest_walk *w = walk_find(v, linear, is_write);
	bool is_same;
	u8 *window;

	if (!w) {
		return false;
	}
	window = window_map(w->step[0].table);
	is_same = walk_is_same(w, window);
	window_unmap(window);
	*out = gpa_add(w->gpa, page_offset(linear));
	return is_same && p2m_version(v->domain) == w->version;
}

/* --- the walk --- */

/* The tables that are in use, and where they begin. NULL: linear is no address. */
static const struct walk_format *walk_begin(const struct hvm_paging *paging, u64 *linear,
					    u64 *table)
{
	if (paging->efer & EFER_LMA) {
		*table = paging->cr3 & format_4level.address_mask;
		return (u64)((s64)(*linear << 16) >> 16) == *linear ? &format_4level : NULL;
	}
	*linear = (u32)*linear;
	if (paging->cr4 & CR4_PAE) {
		*table = paging->cr3 & 0xffffffe0ull;
		return &format_pae;
	}
	*table = paging->cr3 & format_32bit.address_mask;
	return &format_32bit;
}

static bool is_large_page(const struct walk_format *format, const struct hvm_paging *paging,
			  unsigned int level, u64 entry)
{
	if (!(entry & PTE_LARGE)) {
		return false;
	}
	return format == &format_32bit ? (paging->cr4 & CR4_PSE) != 0
				       : level < format->levels && level < 4;
}

static int walk(struct vcpu *v, const struct hvm_paging *paging, u64 linear, bool is_write,
		struct guest_walk *w)
{
	bool is_write_checked = is_write && (paging->cr0 & CR0_WP), is_user = paging->cpl == 3;
	const struct walk_format *format;
	unsigned int level;
	u64 table;

	format = walk_begin(paging, &linear, &table);
	if (!format) {
		return -EFAULT;
	}
	for (level = format->levels;; level--) {
		/* The four entries at the top of PAE have neither rights nor an accessed bit. */
		bool is_pdpte = format == &format_pae && level == 3;
		unsigned int index_mask = is_pdpte ? 3 : (1u << format->index_bits) - 1;
		unsigned int shift = PAGE_SHIFT + (level - 1) * format->index_bits;
		u64 slot = table + (linear >> shift & index_mask) * format->entry_bytes;
		u64 inside = (1ull << shift) - 1, entry;

		if (entry_read(v->domain, gpa_of(slot), format, level == 1, is_write, !is_pdpte,
			       &w->step[w->levels]) != 0) {
			return -EFAULT;
		}
		entry = w->step[w->levels++].entry;
		if (!(entry & PTE_PRESENT) ||
		    (!is_pdpte && ((is_write_checked && !(entry & PTE_WRITE)) ||
				   (is_user && !(entry & PTE_USER))))) {
			return -EFAULT;
		}
		table = entry & format->address_mask;
		if (level > 1 && !is_large_page(format, paging, level, entry)) {
			continue;
		}
		if (level > 1 && format == &format_32bit) {
			/* PSE-36: bits 13-20 are address bits 32-39 */
			table = (entry & 0xffc00000ull) | (entry >> 13 & 0xff) << 32;
		}
		w->gpa = gpa_of((table & ~inside) | (linear & inside & PAGE_MASK));
		return 0;
	}
}

int arch_guest_translate(struct vcpu *v, u64 linear, enum guest_access_kind kind, gpa_t *out)
{
	struct guest_walk w = {.key = walk_key(linear), .version = p2m_version(v->domain)};
	bool is_write = kind == GUEST_WRITE;
	struct hvm_paging paging;

	if (translate_again(v, linear, is_write, out)) {
		return 0;
	}
	hvm->get_paging(v, &paging);
	if (!(paging.cr0 & CR0_PG)) {
		*out = gpa_of((u32)linear);
		return linear >> 32 ? -EFAULT : 0;
	}
	if (walk(v, &paging, linear, is_write, &w) != 0) {
		return -EFAULT;
	}
	*out = gpa_add(w.gpa, page_offset(linear));
	if (paging.efer & EFER_LMA) {
		w.cr3 = paging.cr3;
		walk_remember(v, &w);
	}
	return 0;
}

unsigned int guest_walk_fetch(struct vcpu *v, u64 linear, u8 *bytes, unsigned int want)
{
	unsigned int done = 0;

	while (done < want) {
		unsigned int piece =
			(unsigned int)MIN(PAGE_SIZE - page_offset(linear), (u64)(want - done));
		gpa_t gpa;

		if (!arch_guest_read_again(v, linear, bytes + done, piece) &&
		    (arch_guest_translate(v, linear, GUEST_READ, &gpa) != 0 ||
		     guest_phys_read(v->domain, bytes + done, gpa, piece) != 0)) {
			break;
		}
		done += piece;
		linear += piece;
	}
	return done;
}
