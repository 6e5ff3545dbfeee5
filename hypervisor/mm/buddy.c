// SPDX-License-Identifier: GPL-2.0-or-later
#include "mm/buddy.h"

#include "hv/compiler.h"

static struct frame *frame_at(u32 number)
{
	return frame_of(mfn_of(number));
}

static void push(struct buddy *b, u32 number, unsigned int order)
{
	struct frame *f = frame_at(number);

	f->link[0] = b->first[order];
	f->link[1] = 0;
	f->order = (u8)(order + 1);
	if (f->link[0]) {
		frame_at(f->link[0])->link[1] = number;
	}
	b->first[order] = number;
}

static void unlink_block(struct buddy *b, u32 number, unsigned int order)
{
	struct frame *f = frame_at(number);

	if (f->link[1]) {
		frame_at(f->link[1])->link[0] = f->link[0];
	} else {
		b->first[order] = f->link[0];
	}
	if (f->link[0]) {
		frame_at(f->link[0])->link[1] = f->link[1];
	}
	f->link[0] = 0;
	f->link[1] = 0;
	f->order = 0;
}

mfn_t buddy_take(struct buddy *b, unsigned int order)
{
	unsigned int at = order;
	u32 number;

	while (at <= b->order_max && !b->first[at]) {
		at++;
	}
	if (at > b->order_max) {
		return MFN_INVALID;
	}
	number = b->first[at];
	unlink_block(b, number, at);
	while (at > order) {
		at--;
		push(b, number + (1u << at), at);
	}
	b->free_frames -= 1ull << order;
	return mfn_of(number);
}

void buddy_take_block(struct buddy *b, mfn_t first, unsigned int order)
{
	unlink_block(b, (u32)mfn_raw(first), order);
	b->free_frames -= 1ull << order;
}

static bool is_free_block(const struct buddy *b, u32 number, unsigned int order)
{
	struct frame *f = frame_of(mfn_of(number));

	return f && number && f->state == b->free_state && f->order == order + 1;
}

static void join_and_push(struct buddy *b, u32 number, unsigned int order)
{
	u32 buddy;

	while (order < b->order_max) {
		buddy = number ^ 1u << order;
		if (!is_free_block(b, buddy, order)) {
			break;
		}
		unlink_block(b, buddy, order);
		number &= ~(1u << order);
		order++;
	}
	push(b, number, order);
}

void buddy_give(struct buddy *b, mfn_t first, unsigned int order)
{
	u32 number = (u32)mfn_raw(first), i;
	struct frame *f;

	for (i = 0; i < 1u << order; i++) {
		f = frame_at(number + i);
		f->state = b->free_state;
		f->order = 0;
		f->link[0] = 0;
		f->link[1] = 0;
	}
	b->free_frames += 1ull << order;
	join_and_push(b, number, order);
}

void buddy_give_untouched(struct buddy *b, mfn_t first, unsigned int order)
{
	b->free_frames += 1ull << order;
	join_and_push(b, (u32)mfn_raw(first), order);
}
