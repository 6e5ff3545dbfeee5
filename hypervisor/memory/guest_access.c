/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory/guest_access.h"

#include "arch/contract/guest.h"
#include "base/checked.h"
#include "domain/vcpu.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/window.h"

/* One piece inside a page: from or to NULL means the other way, both NULL clears. */
static int copy_piece(struct domain *d, gpa_t gpa, void *to, const void *from, bool is_write,
		      size_t size_bytes)
{
	struct frame *f;
	u8 *page;

	f = p2m_get_frame(d, gpa_to_gfn(gpa), is_write, NULL);
	if (!f) {
		return -EFAULT;
	}
	page = (u8 *)window_map(frame_mfn(f)) + page_offset(gpa_raw(gpa));
	if (!is_write) {
		memcpy(to, page, size_bytes);
	} else if (from) {
		memcpy(page, from, size_bytes);
	} else {
		memset(page, 0, size_bytes);
	}
	window_unmap(page);
	frame_put(f);
	return 0;
}

static size_t piece_size(u64 address, size_t left)
{
	size_t to_end = PAGE_SIZE - page_offset(address);

	return MIN(to_end, left);
}

static int copy_linear(guest_ptr_t at, void *to, const void *from, bool is_write, size_t size_bytes)
{
	struct vcpu *v = vcpu_current();
	u64 linear = guest_ptr_raw(at);

	if (size_bytes && linear + size_bytes - 1 < linear) {
		return -EFAULT;
	}
	while (size_bytes) {
		size_t piece = piece_size(linear, size_bytes);
		gpa_t gpa;

		if ((is_write || !arch_guest_read_again(v, linear, to, piece)) &&
		    (arch_guest_translate(v, linear, is_write ? GUEST_WRITE : GUEST_READ, &gpa) ||
		     copy_piece(v->domain, gpa, to, from, is_write, piece) != 0)) {
			return -EFAULT;
		}
		linear += piece;
		size_bytes -= piece;
		to = to ? (u8 *)to + piece : NULL;
		from = from ? (const u8 *)from + piece : NULL;
	}
	return 0;
}

int guest_read(void *to, guest_ptr_t from, size_t size_bytes)
{
	return copy_linear(from, to, NULL, false, size_bytes);
}

int guest_write(guest_ptr_t to, const void *from, size_t size_bytes)
{
	return copy_linear(to, NULL, from, true, size_bytes);
}

int guest_clear(guest_ptr_t to, size_t size_bytes)
{
	return copy_linear(to, NULL, NULL, true, size_bytes);
}

static int element_address(guest_ptr_t array, u64 i, size_t size_bytes, guest_ptr_t *out)
{
	u64 offset, address;

	if (!checked_mul_u64(i, size_bytes, &offset) ||
	    !checked_add_u64(guest_ptr_raw(array), offset, &address)) {
		return -EFAULT;
	}
	*out = guest_ptr_of(address);
	return 0;
}

int guest_read_element(void *to, guest_ptr_t array, u64 i, size_t size_bytes)
{
	guest_ptr_t at;

	if (element_address(array, i, size_bytes, &at) != 0) {
		return -EFAULT;
	}
	return guest_read(to, at, size_bytes);
}

int guest_write_element(guest_ptr_t array, u64 i, const void *from, size_t size_bytes)
{
	guest_ptr_t at;

	if (element_address(array, i, size_bytes, &at) != 0) {
		return -EFAULT;
	}
	return guest_write(at, from, size_bytes);
}

static int copy_physical(struct domain *d, gpa_t at, void *to, const void *from, bool is_write,
			 size_t size_bytes)
{
	u64 address = gpa_raw(at);

	if (size_bytes && address + size_bytes - 1 < address) {
		return -EFAULT;
	}
	while (size_bytes) {
		size_t piece = piece_size(address, size_bytes);

		if (copy_piece(d, gpa_of(address), to, from, is_write, piece) != 0) {
			return -EFAULT;
		}
		address += piece;
		size_bytes -= piece;
		to = to ? (u8 *)to + piece : NULL;
		from = from ? (const u8 *)from + piece : NULL;
	}
	return 0;
}

int guest_phys_read(struct domain *d, void *to, gpa_t from, size_t size_bytes)
{
	return copy_physical(d, from, to, NULL, false, size_bytes);
}

int guest_phys_write(struct domain *d, gpa_t to, const void *from, size_t size_bytes)
{
	return copy_physical(d, to, NULL, from, true, size_bytes);
}
