/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO format: a 32-bit word for each port in pages of the guest, linked into queues,
 * one for each vCPU and priority, whose heads are in the guest's control blocks.
 *
 * The words are written by the guest at the same time, with atomic operations only; every
 * link that is read is used as nothing but a number to write back, and the tail that is
 * trusted is our own. One lock for each domain orders what we link; the guest takes out
 * of a queue without it (model: tests/model/fifo.pml).
 *
 * What a bit means: PENDING, the event happened; MASKED, do not queue it; LINKED, it is in
 * a queue; BUSY, we are linking behind it, so the guest must not clear MASKED meanwhile.
 */
#include "evtchn/table.h"

#include "core/log.h"
#include "core/rcu.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/window.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define ARRAY_PAGES    (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED	(1u << EVTCHN_FIFO_MASKED)
#define LINKED	(1u << EVTCHN_FIFO_LINKED)
#define BUSY	(1u << EVTCHN_FIFO_BUSY)
#define LINK	EVTCHN_FIFO_LINK_MASK

struct evtchn_fifo_vcpu {
	struct frame *control; /* atomic; NULL: not registered yet */
	u16 offset;
	u32 tail[EVTCHN_FIFO_MAX_QUEUES]; /* lock of the domain; 0: empty */
};

struct evtchn_fifo_domain {
	struct spinlock lock; /* LOCK_EVTCHN_FIFO, interrupts off */
	u32 page_count;	      /* atomic; grows under the table's lock */
	struct frame *pages[ARRAY_PAGES];
	/* after detaching */
	struct rcu_head rcu;
	struct domain *domain;
	struct evtchn_fifo_vcpu *vcpus[VCPU_MAX];
};

static u32 port_count(const struct domain *d)
{
	return EVTCHN_FIFO_NR_CHANNELS;
}

/* The event word through a window, or NULL while the guest has given no page for it. */
static u32 *word_map(struct evtchn_fifo_domain *f, u32 port)
{
	unsigned long page = port / WORDS_PER_PAGE;
	u32 *words;

	if (!f || page >= load_acquire(&f->page_count)) {
		return NULL;
	}
	words = window_map(frame_mfn(f->pages[index_clamp(page, ARRAY_PAGES)]));
	return words + port % WORDS_PER_PAGE;
}

/* --- linking --- */

/*
 * Makes the tail point to port. True: done. False: the tail is linked no more (the guest has
 * taken it), so the queue is empty. The guest can make the exchange fail for ever only by
 * writing all the time; after a few tries BUSY tells it to stop, and if it does not, its
 * event is dropped: its own loss.
 */
static bool set_link(struct domain *d, u32 *tail, u32 port)
{
	u32 word = load_acquire(tail);

	for (unsigned int tries = 0; tries < 8; tries++) {
		if (!(word & LINKED)) {
			if (tries >= 2) {
				__atomic_fetch_and(tail, ~BUSY, __ATOMIC_SEQ_CST);
			}
			return false;
		}
		if (tries == 1) {
			word = __atomic_or_fetch(tail, BUSY, __ATOMIC_SEQ_CST);
			continue;
		}
		if (__atomic_compare_exchange_n(tail, &word, (word & ~(BUSY | LINK)) | port, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			return true;
		}
	}
	__atomic_fetch_and(tail, ~BUSY, __ATOMIC_SEQ_CST);
	log_guest(d, "event queue: the guest changes a link without end, port %u dropped\n", port);
	return true;
}

/* The queue was empty: the guest gets the head. True: it was not told before. */
static bool set_head(struct evtchn_fifo_vcpu *q, u32 priority, u32 port)
{
	u8 *page = window_map(frame_mfn(q->control));
	struct evtchn_fifo_control_block *block = (void *)(page + q->offset);
	bool is_new;

	__atomic_store_n(&block->head[priority], port, __ATOMIC_RELEASE);
	is_new = !(__atomic_fetch_or(&block->ready, 1u << priority, __ATOMIC_SEQ_CST) & 1u << priority);
	window_unmap(page);
	return is_new;
}

/* Puts ch, LINKED now, at the end of the queue of v. True: v must be interrupted. */
static bool enqueue_locked(struct evtchn_fifo_domain *f, struct vcpu *v, struct evtchn *ch)
{
	struct domain *d = v->domain;
	u32 port = ch->port.v, old_vcpu = ch->last_queue >> 8, old_priority = ch->last_queue & 0xff;
	struct evtchn_fifo_vcpu *q = v->evtchn_fifo, *old = NULL;
	u32 priority = ch->priority, tail, *word;
	bool is_linked = false;

	if (old_vcpu < d->vcpu_count && d->vcpus[old_vcpu]) {
		old = d->vcpus[old_vcpu]->evtchn_fifo;
	}
	/*
	 * It was not linked, so if it is still the tail of its last queue that queue is empty;
	 * forgotten there, or the next one would be linked behind it in the new queue.
	 */
	if (old && old->tail[old_priority] == port) {
		old->tail[old_priority] = 0;
	}
	ch->last_queue = (u32)v->id.v << 8 | priority;

	tail = q->tail[priority];
	if (tail) {
		word = word_map(f, tail);
		if (word) {
			is_linked = set_link(d, word, port);
			window_unmap(word);
		}
	}
	q->tail[priority] = port;
	return !is_linked && set_head(q, priority, port);
}

/* Links ch if it wants to be. */
static void link_if_due(struct evtchn_fifo_domain *f, struct vcpu *v, struct evtchn *ch, u32 *word)
{
	bool is_new = false;
	unsigned long flags;

	if (load_acquire(word) & (MASKED | LINKED)) {
		return;
	}
	/* A guest must not unmask before it has given the control block: dropped. */
	if (!v->evtchn_fifo || !load_acquire(&v->evtchn_fifo->control)) {
		return;
	}
	flags = spin_lock_irqsave(&f->lock);
	if (!(load_acquire(word) & MASKED) &&
	    !(__atomic_fetch_or(word, LINKED, __ATOMIC_SEQ_CST) & LINKED)) {
		is_new = enqueue_locked(f, v, ch);
	}
	spin_unlock_irqrestore(&f->lock, flags);
	if (is_new) {
		evtchn_mark_events_pending(v);
	}
}

static void set_pending(struct vcpu *v, struct evtchn *ch)
{
	struct domain *d = v->domain;
	struct evtchn_fifo_domain *f = load_acquire(&d->evtchn->fifo);
	u32 *word = word_map(f, ch->port.v);
	bool was_pending;

	if (!word) {
		/* Kept for evtchn_fifo_expand_array(); look again, it may have just passed. */
		__atomic_store_n(&ch->is_pending, true, __ATOMIC_SEQ_CST);
		word = word_map(f, ch->port.v);
		if (!word) {
			return;
		}
		store_relaxed(&ch->is_pending, false);
	}
	was_pending = __atomic_fetch_or(word, PENDING, __ATOMIC_SEQ_CST) & PENDING;
	link_if_due(f, v, ch, word);
	window_unmap(word);
	if (!was_pending) {
		evtchn_check_pollers(d, ch->port);
	}
}

static void clear_pending(struct domain *d, struct evtchn *ch)
{
	u32 *word = word_map(d->evtchn->fifo, ch->port.v);

	ch->is_pending = false;
	if (word) {
		/* It stays linked if it is; the guest takes it out and finds nothing pending. */
		__atomic_fetch_and(word, ~PENDING, __ATOMIC_SEQ_CST);
		window_unmap(word);
	}
}

static void unmask(struct domain *d, struct evtchn *ch)
{
	struct evtchn_fifo_domain *f = load_acquire(&d->evtchn->fifo);
	struct vcpu *v = d->vcpus[ch->vcpu];
	u32 *word = word_map(f, ch->port.v);

	if (!word) {
		return;
	}
	if ((__atomic_and_fetch(word, ~MASKED, __ATOMIC_SEQ_CST) & PENDING) && v) {
		link_if_due(f, v, ch, word);
	}
	window_unmap(word);
}

static bool is_pending(struct domain *d, const struct evtchn *ch)
{
	u32 *word = word_map(load_acquire(&d->evtchn->fifo), ch->port.v);
	bool result = word ? load_acquire(word) & PENDING : load_relaxed(&ch->is_pending);

	if (word) {
		window_unmap(word);
	}
	return result;
}

static bool is_busy(struct domain *d, const struct evtchn *ch)
{
	u32 *word = word_map(d->evtchn->fifo, ch->port.v);
	bool result = word && load_acquire(word) & LINKED;

	if (word) {
		window_unmap(word);
	}
	return result;
}

static int set_priority(struct domain *d, struct evtchn *ch, u32 priority)
{
	if (priority > EVTCHN_FIFO_PRIORITY_MIN) {
		return -EINVAL;
	}
	store_relaxed(&ch->priority, (u8)priority);
	return 0;
}

const struct evtchn_format evtchn_fifo = {
	.port_count = port_count,
	.set_pending = set_pending,
	.clear_pending = clear_pending,
	.unmask = unmask,
	.is_pending = is_pending,
	.is_busy = is_busy,
	.set_priority = set_priority,
};

/* --- registering --- */

/* A page of the domain's own RAM, with a reference. */
static struct frame *get_guest_page(struct domain *d, gfn_t gfn)
{
	enum p2m_type type;
	struct frame *frame = p2m_get_frame(d, gfn, true, &type);

	if (frame && type != P2M_RAM) {
		frame_put(frame);
		frame = NULL;
	}
	return frame;
}

static void free_fifo(struct evtchn_fifo_domain *f)
{
	for (unsigned int i = 0; i < f->page_count; i++) {
		frame_put(f->pages[i]);
	}
	for (unsigned int i = 0; i < VCPU_MAX; i++) {
		if (f->vcpus[i] && f->vcpus[i]->control) {
			frame_put(f->vcpus[i]->control);
		}
		heap_free(f->vcpus[i]);
	}
	heap_free(f);
}

/* The first control block switches the domain over. Everything is allocated before. */
static int switch_over(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo_domain *f = heap_alloc(sizeof(*f));
	struct evtchn *ch;

	if (!f) {
		return -ENOMEM;
	}
	spinlock_init(&f->lock, LOCK_EVTCHN_FIFO);
	for (unsigned int i = 0; i < d->vcpu_count; i++) {
		f->vcpus[i] = heap_alloc(sizeof(*f->vcpus[i]));
		if (!f->vcpus[i]) {
			free_fifo(f);
			return -ENOMEM;
		}
	}
	spin_lock(&t->lock);
	if (t->fifo || domain_is_dying(d)) {
		spin_unlock(&t->lock);
		free_fifo(f);
		return 0;
	}
	for (unsigned int i = 0; i < d->vcpu_count; i++) {
		if (d->vcpus[i]) {
			store_release(&d->vcpus[i]->evtchn_fifo, f->vcpus[i]);
		}
	}
	store_release(&t->fifo, f);
	store_release(&t->format, &evtchn_fifo);
	/* What is pending in the old format is kept for the array pages to come. */
	for (u32 p = 1; p < t->allocated; p++) {
		ch = evtchn_lookup(d, port_of(p));
		if (evtchn_2l.is_pending(d, ch)) {
			ch->is_pending = true;
		}
	}
	spin_unlock(&t->lock);
	return 0;
}

int evtchn_fifo_init_control(struct domain *d, u32 vcpu, gfn_t gfn, u32 offset)
{
	struct evtchn_fifo_vcpu *q;
	struct frame *frame;
	struct vcpu *v;
	int rc = -EINVAL;

	v = vcpu < d->vcpu_count ? d->vcpus[index_clamp(vcpu, d->vcpu_count)] : NULL;
	if (!v) {
		return -ENOENT;
	}
	if (offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || offset % 8) {
		return -EINVAL;
	}
	frame = get_guest_page(d, gfn);
	if (!frame) {
		return -EINVAL;
	}
	if (!load_acquire(&d->evtchn->fifo)) {
		rc = switch_over(d);
		if (rc) {
			frame_put(frame);
			return rc;
		}
		rc = -EINVAL;
	}
	spin_lock(&d->evtchn->lock);
	q = v->evtchn_fifo;
	if (q && !q->control) {
		q->offset = (u16)offset;
		store_release(&q->control, frame);
		frame = NULL;
		rc = 0;
	}
	spin_unlock(&d->evtchn->lock);
	if (frame) {
		frame_put(frame);
	}
	return rc;
}

int evtchn_fifo_expand_array(struct domain *d, gfn_t gfn)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo_domain *f;
	struct frame *frame;
	u32 first;

	if (!load_acquire(&t->fifo)) {
		return -EOPNOTSUPP;
	}
	frame = get_guest_page(d, gfn);
	if (!frame) {
		return -EINVAL;
	}
	spin_lock(&t->lock);
	f = t->fifo;
	if (!f || f->page_count >= ARRAY_PAGES) {
		spin_unlock(&t->lock);
		frame_put(frame);
		return f ? -ENOSPC : -EOPNOTSUPP;
	}
	first = f->page_count * (u32)WORDS_PER_PAGE;
	f->pages[f->page_count] = frame;
	__atomic_store_n(&f->page_count, f->page_count + 1, __ATOMIC_SEQ_CST);
	for (u32 p = MAX(first, 1u); p < first + WORDS_PER_PAGE && p < t->allocated; p++) {
		struct evtchn *ch = evtchn_lookup(d, port_of(p));

		if (__atomic_exchange_n(&ch->is_pending, false, __ATOMIC_SEQ_CST)) {
			evtchn_raise(ch);
		}
	}
	spin_unlock(&t->lock);
	return 0;
}

/* --- end --- */

static void handle_grace_period(struct rcu_head *head)
{
	struct evtchn_fifo_domain *f = container_of(head, struct evtchn_fifo_domain, rcu);
	struct domain *d = f->domain;

	free_fifo(f);
	domain_put(d);
}

void evtchn_fifo_detach(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo_domain *f;
	struct vcpu *v;

	spin_lock(&t->lock);
	f = t->fifo;
	if (f) {
		store_release(&t->format, &evtchn_2l);
		store_release(&t->fifo, NULL);
		for_each_vcpu(v, d) {
			store_release(&v->evtchn_fifo, NULL);
		}
	}
	spin_unlock(&t->lock);
	if (f) {
		domain_get_more(d);
		f->domain = d;
		rcu_call(&f->rcu, handle_grace_period);
	}
}

void evtchn_fifo_release(struct domain *d)
{
	if (d->evtchn->fifo) {
		free_fifo(d->evtchn->fifo);
		d->evtchn->fifo = NULL;
	}
}
