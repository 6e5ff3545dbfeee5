/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the caller, through page tables that it made itself: real frames, real nested tables.
 */
#include "memory/guest_access.h"

#include "arch/contract/guest.h"
#include "arch/unit/unit.h"
#include "arch/x86/guest/hvm_arch.h"
#include "asm/msr.h"
#include "asm/page.h"
#include "asm/regs.h"
#include "base/test.h"
#include "core/rcu.h"
#include "core/softirq.h"
#include "domain/frame_owner.h"
#include "domain/service.h"
#include "domain/vcpu.h"
#include "drivers/iommu/iommu.h"
#include "hv/error.h"
#include "memory/p2m.h"
#include "mm/frame_alloc.h"
#include "mm/window.h"

#define RAM_PAGES 64u
#define ROOT	  1ull /* gfns of the tables */
#define LEVEL3	  2ull
#define LEVEL2	  3ull
#define LEVEL1	  4ull
#define DATA	  16ull /* first page of data */
#define LINEAR	  0x0000123456789000ull

static struct domain d;
static struct vcpu v;
static struct arch_vcpu arch;
static struct hvm_paging paging;

/* --- around the modules --- */

struct vcpu *vcpu_current(void)
{
	return &v;
}
void domain_get_more(struct domain *who)
{
}
void domain_put(struct domain *who)
{
}
struct domain *domain_find(domain_id_t id)
{
	return &d;
}
void arch_p2m_flush(struct domain *who)
{
}
int iommu_map(struct domain *who, iofn_t iofn, mfn_t mfn, unsigned int order, unsigned int access)
{
	return 0;
}
int iommu_unmap(struct domain *who, iofn_t iofn, unsigned int order)
{
	return 0;
}
void iommu_flush(struct domain *who)
{
}
static void get_paging(struct vcpu *who, struct hvm_paging *out)
{
	*out = paging;
}
static const struct hvm_backend backend = {.get_paging = get_paging};
const struct hvm_backend *hvm = &backend;

static u64 *page_of(u64 gfn)
{
	return unit_frame_bytes(p2m_lookup(&d, gfn_of(gfn)).mfn);
}

static unsigned int index_of(u64 linear, unsigned int level)
{
	return (unsigned int)(linear >> (12 + 9 * (level - 1))) & 511;
}

static void give(u64 gfn)
{
	struct frame *f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);

	EXPECT(f != NULL);
	EXPECT_EQ(p2m_set(&d, gfn_of(gfn), frame_mfn(f), 0, P2M_RAM), 0);
	memset(page_of(gfn), 0, PAGE_SIZE);
}

/* Linear page to gfn, in four levels that nobody used before. */
static void map(u64 linear, u64 gfn, u64 rights)
{
	const u64 table = PTE_PRESENT | PTE_WRITE | PTE_USER;

	page_of(ROOT)[index_of(linear, 4)] = LEVEL3 << 12 | table;
	page_of(LEVEL3)[index_of(linear, 3)] = LEVEL2 << 12 | table;
	page_of(LEVEL2)[index_of(linear, 2)] = LEVEL1 << 12 | table;
	page_of(LEVEL1)[index_of(linear, 1)] = gfn << 12 | rights;
}

static void start(void)
{
	static bool is_set_up;

	unit_reset(1);
	if (!is_set_up) {
		is_set_up = true;
		rcu_setup();
	}
	memset(&d, 0, sizeof(d));
	memset(&arch, 0, sizeof(arch));
	d.id = domain_id_of(7);
	d.frame_limit = 10000;
	v.domain = &d;
	v.arch = &arch;
	frame_owner_setup();
	EXPECT_EQ(p2m_service.init(&d, NULL), 0);
	for (u64 gfn = 0; gfn < RAM_PAGES; gfn++) {
		give(gfn);
		page_of(gfn)[0] = 0xd000 + gfn;
	}
	for (u64 gfn = ROOT; gfn <= LEVEL1; gfn++) {
		page_of(gfn)[0] = 0;
	}
	paging = (struct hvm_paging){.cr0 = CR0_PE | CR0_PG | CR0_WP,
				     .cr3 = ROOT << 12,
				     .cr4 = CR4_PAE,
				     .efer = EFER_LME | EFER_LMA};
	map(LINEAR, DATA, PTE_PRESENT | PTE_WRITE);
}

static void end(void)
{
	EXPECT(window_is_idle());
	d.teardown_step = 0;
	while (p2m_service.teardown(&d) == -ERESTART) {
	}
	for (unsigned int i = 0; i < 8; i++) {
		rcu_quiescent();
		softirq_run();
	}
	p2m_service.fini(&d);
	EXPECT_EQ(d.frame_count, 0);
	EXPECT_EQ(d.heap_pages, 0);
}

static int read_at(u64 linear, u64 *value)
{
	*value = 0xbad;
	return guest_read(value, guest_ptr_of(linear), 8);
}

static int write_at(u64 linear, u64 value)
{
	return guest_write(guest_ptr_of(linear), &value, 8);
}

/* Twice: by a walk, and by one that is remembered. */
#define EXPECT_READ(linear, wanted)                                \
	do {                                                       \
		for (unsigned int twice = 0; twice < 2; twice++) { \
			u64 got;                                   \
			EXPECT_EQ(read_at(linear, &got), 0);       \
			EXPECT_EQ(got, wanted);                    \
		}                                                  \
	} while (0)
#define EXPECT_NO_READ(linear)                             \
	do {                                               \
		u64 got;                                   \
		EXPECT_EQ(read_at(linear, &got), -EFAULT); \
		EXPECT_EQ(read_at(linear, &got), -EFAULT); \
	} while (0)

/* --- cases --- */

TEST(guest_access, four_levels)
{
	start();
	EXPECT_READ(LINEAR, 0xd000 + DATA);
	EXPECT_EQ(write_at(LINEAR + 8, 77), 0);
	EXPECT_EQ(page_of(DATA)[1], 77);
	EXPECT_READ(LINEAR + 8, 77);
	EXPECT_NO_READ(LINEAR + PAGE_SIZE);
	EXPECT_NO_READ(LINEAR | 1ull << 47); /* not canonical */
	EXPECT_NO_READ(0x0000800000000000ull);
	EXPECT_EQ(guest_clear(guest_ptr_of(LINEAR), 8), 0);
	EXPECT_READ(LINEAR, 0);
	end();
}

TEST(guest_access, entries_are_marked_as_the_cpu_marks_them)
{
	u64 value;

	start();
	EXPECT_EQ(read_at(LINEAR, &value), 0);
	EXPECT(page_of(ROOT)[index_of(LINEAR, 4)] & PTE_ACCESSED);
	EXPECT(page_of(LEVEL3)[index_of(LINEAR, 3)] & PTE_ACCESSED);
	EXPECT(page_of(LEVEL2)[index_of(LINEAR, 2)] & PTE_ACCESSED);
	EXPECT_EQ(page_of(LEVEL1)[index_of(LINEAR, 1)] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
	EXPECT_EQ(write_at(LINEAR, 1), 0);
	EXPECT(page_of(LEVEL1)[index_of(LINEAR, 1)] & PTE_DIRTY);
	EXPECT_EQ(page_of(LEVEL2)[index_of(LINEAR, 2)] & PTE_DIRTY, 0);
	/* the guest takes them back, and sees the next access again */
	page_of(LEVEL1)[index_of(LINEAR, 1)] &= ~(u64)(PTE_ACCESSED | PTE_DIRTY);
	EXPECT_EQ(write_at(LINEAR, 1), 0);
	EXPECT(page_of(LEVEL1)[index_of(LINEAR, 1)] & PTE_DIRTY);
	/* not for an access that is refused */
	map(LINEAR, DATA, PTE_PRESENT);
	EXPECT_EQ(write_at(LINEAR, 1), -EFAULT);
	EXPECT_EQ(page_of(LEVEL1)[index_of(LINEAR, 1)] & PTE_DIRTY, 0);
	end();
}

TEST(guest_access, rights_are_those_of_all_levels)
{
	start();
	EXPECT_EQ(write_at(LINEAR, 1), 0);
	page_of(LEVEL2)[index_of(LINEAR, 2)] &= ~(u64)PTE_WRITE;
	EXPECT_EQ(write_at(LINEAR, 2), -EFAULT);
	EXPECT_READ(LINEAR, 1);
	paging.cr0 &= ~(u64)CR0_WP; /* the kernel may write what is read-only then */
	EXPECT_EQ(write_at(LINEAR, 3), 0);
	paging.cr0 |= CR0_WP;
	EXPECT_EQ(write_at(LINEAR, 4), -EFAULT);
	EXPECT_READ(LINEAR, 3);
	paging.cpl = 3; /* the leaf is the kernel's */
	EXPECT_NO_READ(LINEAR);
	map(LINEAR, DATA, PTE_PRESENT | PTE_USER);
	EXPECT_READ(LINEAR, 3);
	page_of(ROOT)[index_of(LINEAR, 4)] &= ~(u64)PTE_USER;
	EXPECT_NO_READ(LINEAR);
	paging.cpl = 0;
	EXPECT_READ(LINEAR, 3);
	end();
}

TEST(guest_access, large_pages)
{
	const u64 large = PTE_PRESENT | PTE_WRITE | PTE_LARGE,
		  two = 0x1234567a7000ull & ~0x1fffffull;

	start();
	map(two, 0, 0);
	page_of(LEVEL2)[index_of(two, 2)] = large; /* gfn 0 and the 511 after it */
	EXPECT_READ(two + 20 * PAGE_SIZE, 0xd000 + 20);
	EXPECT_EQ(write_at(two + 21 * PAGE_SIZE, 5), 0);
	EXPECT_EQ(page_of(21)[0], 5);
	EXPECT(page_of(LEVEL2)[index_of(two, 2)] & PTE_DIRTY);
	EXPECT_NO_READ(two + RAM_PAGES * PAGE_SIZE); /* behind the end of its memory */
	page_of(LEVEL3)[index_of(two, 3)] = large;   /* 1 GiB */
	EXPECT_READ((two & ~0x3fffffffull) + 22 * PAGE_SIZE, 0xd000 + 22);
	page_of(ROOT)[index_of(two, 4)] |= PTE_LARGE; /* means nothing there */
	EXPECT_READ((two & ~0x3fffffffull) + 23 * PAGE_SIZE, 0xd000 + 23);
	end();
}

TEST(guest_access, the_other_modes)
{
	u32 *directory, *table;

	start();
	directory = (u32 *)page_of(ROOT);
	table = (u32 *)page_of(LEVEL1);
	paging.efer = 0;
	paging.cr4 = 0;
	memset(directory, 0, PAGE_SIZE);
	directory[3] = LEVEL1 << 12 | PTE_PRESENT | PTE_WRITE;
	table[5] = 20 << 12 | PTE_PRESENT | PTE_WRITE;
	EXPECT_READ(3ull << 22 | 5 << 12, 0xd000 + 20);
	EXPECT_EQ(write_at(3ull << 22 | 5 << 12, 9), 0);
	EXPECT(table[5] & PTE_DIRTY);
	EXPECT_READ(1ull << 32 | 3ull << 22 | 5 << 12, 9); /* addresses have 32 bits */
	directory[4] = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	EXPECT_NO_READ(4ull << 22 |
		       22 << 12); /* without PSE the bit means nothing: table 0 is empty */
	paging.cr4 = CR4_PSE;
	EXPECT_READ(4ull << 22 | 22 << 12, 0xd000 + 22);
	directory[4] |= 1u << 13; /* PSE-36: bit 32 of the address */
	EXPECT_NO_READ(4ull << 22 | 22 << 12);
	/* PAE: four entries of 1 GiB without rights */
	paging.cr4 = CR4_PAE;
	page_of(ROOT)[1] = LEVEL2 << 12 | PTE_PRESENT;
	page_of(LEVEL2)[7] = LEVEL1 << 12 | PTE_PRESENT | PTE_WRITE;
	page_of(LEVEL1)[9] = 24 << 12 | PTE_PRESENT | PTE_WRITE;
	EXPECT_READ(1ull << 30 | 7 << 21 | 9 << 12, 0xd000 + 24);
	EXPECT_EQ(write_at(1ull << 30 | 7 << 21 | 9 << 12, 4), 0);
	EXPECT_EQ(page_of(ROOT)[1] & PTE_ACCESSED, 0);
	/* and no paging at all */
	paging.cr0 = CR0_PE;
	EXPECT_READ(25ull << 12, 0xd000 + 25);
	EXPECT_NO_READ(1ull << 32 | 25 << 12);
	end();
}

TEST(guest_access, pieces_that_cross_pages)
{
	u8 bytes[3 * PAGE_SIZE], *first, *second;

	start();
	map(LINEAR + PAGE_SIZE, DATA + 5, PTE_PRESENT | PTE_WRITE);
	first = (u8 *)page_of(DATA);
	second = (u8 *)page_of(DATA + 5);
	memset(bytes, 0x5a, sizeof(bytes));
	EXPECT_EQ(guest_write(guest_ptr_of(LINEAR + PAGE_SIZE - 3), bytes, 7), 0);
	EXPECT_EQ(first[PAGE_SIZE - 4], 0);
	EXPECT_EQ(first[PAGE_SIZE - 3], 0x5a);
	EXPECT_EQ(second[3], 0x5a);
	EXPECT_EQ(second[4], 0);
	first[PAGE_SIZE - 1] = 1;
	second[0] = 2;
	EXPECT_EQ(guest_read(bytes, guest_ptr_of(LINEAR), 2 * PAGE_SIZE), 0);
	EXPECT_EQ(bytes[PAGE_SIZE - 1], 1);
	EXPECT_EQ(bytes[PAGE_SIZE], 2);
	EXPECT_EQ(guest_read(bytes, guest_ptr_of(LINEAR), 2 * PAGE_SIZE + 1), -EFAULT);
	EXPECT_EQ(guest_read(bytes, guest_ptr_of(~0ull - 3), 8), -EFAULT); /* around the end */
	EXPECT_EQ(guest_read(bytes, guest_ptr_of(LINEAR), 0), 0);
	EXPECT_EQ(guest_phys_read(&d, bytes, gpa_of(~0ull - 3), 8), -EFAULT);
	EXPECT_EQ(guest_phys_read(&d, bytes, gpa_of((RAM_PAGES << 12) - 4), 8), -EFAULT);
	EXPECT_EQ(guest_phys_write(&d, gpa_of(30 << 12), "x", 1), 0);
	EXPECT_EQ(*(u8 *)page_of(30), 'x');
	end();
}

TEST(guest_access, elements_of_arrays)
{
	u64 value = 5;

	start();
	EXPECT_EQ(guest_write_element(guest_ptr_of(LINEAR), 3, &value, 8), 0);
	EXPECT_EQ(page_of(DATA)[3], 5);
	value = 0;
	EXPECT_EQ(guest_read_element(&value, guest_ptr_of(LINEAR), 3, 8), 0);
	EXPECT_EQ(value, 5);
	EXPECT_EQ(guest_read_element(&value, guest_ptr_of(LINEAR), 1ull << 61, 8),
		  -EFAULT); /* 0 mod 2^64 */
	EXPECT_EQ(guest_read_element(&value, guest_ptr_of(LINEAR), ~0ull, 8), -EFAULT);
	EXPECT_EQ(guest_write_element(guest_ptr_of(LINEAR), 1ull << 61, &value, 8), -EFAULT);
	end();
}

TEST(guest_access, each_change_of_the_tables_is_seen)
{
	start();
	EXPECT_READ(LINEAR, 0xd000 + DATA);
	map(LINEAR, DATA + 1, PTE_PRESENT | PTE_WRITE);
	EXPECT_READ(LINEAR, 0xd000 + DATA + 1);
	/* a second table for each level in turn, without DATA in it */
	for (u64 level = ROOT; level <= LEVEL1; level++) {
		map(LINEAR, DATA, PTE_PRESENT | PTE_WRITE);
		paging.cr3 = ROOT << 12;
		EXPECT_READ(LINEAR, 0xd000 + DATA);
		memset(page_of(40 + level), 0, PAGE_SIZE);
		switch (level) {
		case ROOT:
			paging.cr3 = (40 + level) << 12;
			break;
		default:
			page_of(level - 1)[index_of(LINEAR, 6 - (unsigned int)level)] =
				(40 + level) << 12 | PTE_PRESENT | PTE_WRITE;
			break;
		}
		EXPECT_NO_READ(LINEAR);
	}
	end();
}

TEST(guest_access, memory_that_goes_is_not_read_any_more)
{
	for (u64 gone = ROOT; gone <= LEVEL1 + 1; gone++) {
		u64 gfn = gone > LEVEL1 ? DATA : gone;

		start();
		EXPECT_READ(LINEAR, 0xd000 + DATA);
		EXPECT_EQ(p2m_remove(&d, gfn_of(gfn), 0), 0);
		EXPECT_NO_READ(LINEAR); /* even before the flush */
		p2m_flush(&d);
		EXPECT_NO_READ(LINEAR);
		end();
	}
	/* another frame in its place */
	start();
	EXPECT_READ(LINEAR, 0xd000 + DATA);
	give(DATA);
	page_of(DATA)[0] = 99;
	EXPECT_READ(LINEAR, 99);
	end();
}

TEST(guest_access, types_of_memory)
{
	struct frame *f;

	start();
	EXPECT_EQ(write_at(LINEAR, 6), 0);
	f = p2m_get_frame(&d, gfn_of(DATA), false, NULL);
	EXPECT_EQ(p2m_set(&d, gfn_of(DATA), frame_mfn(f), 0, P2M_RAM_RO), 0);
	EXPECT_EQ(write_at(LINEAR, 7), -EFAULT);
	EXPECT_READ(LINEAR, 6);
	EXPECT_EQ(p2m_set(&d, gfn_of(DATA), mfn_of(0xfee00), 0, P2M_MMIO), 0);
	EXPECT_NO_READ(LINEAR);
	EXPECT_EQ(write_at(LINEAR, 7), -EFAULT);
	p2m_flush(&d);
	end();
}

TEST(guest_access, more_pages_than_are_remembered)
{
	start();
	for (u64 i = 0; i < 32; i++) {
		map(LINEAR + i * PAGE_SIZE, DATA + i, PTE_PRESENT | PTE_WRITE);
	}
	for (u64 i = 0; i < 100; i++) {
		u64 at = i * 7 % 32;

		EXPECT_READ(LINEAR + at * PAGE_SIZE, 0xd000 + DATA + at);
	}
	end();
}

TEST(guest_access, code_is_fetched_as_far_as_there_is_some)
{
	u8 bytes[15];

	start();
	((u8 *)page_of(DATA))[PAGE_SIZE - 2] = 0x0f;
	((u8 *)page_of(DATA))[PAGE_SIZE - 1] = 0xa2;
	EXPECT_EQ(guest_walk_fetch(&v, LINEAR + PAGE_SIZE - 2, bytes, sizeof(bytes)), 2);
	EXPECT_EQ(bytes[1], 0xa2);
	EXPECT_EQ(guest_walk_fetch(&v, LINEAR + PAGE_SIZE, bytes, sizeof(bytes)), 0);
	map(LINEAR + PAGE_SIZE, DATA + 1, PTE_PRESENT);
	EXPECT_EQ(guest_walk_fetch(&v, LINEAR + PAGE_SIZE - 2, bytes, sizeof(bytes)), 15);
	EXPECT_EQ(bytes[2], (0xd000 + DATA + 1) & 0xff);
	end();
}

TEST_MAIN()
