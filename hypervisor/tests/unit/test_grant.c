// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_guest.h"

#include <xen/grant_table.h>

#define DATA_GFN  20
#define MAP_GFN	  40
#define WHOLE	  (~0u)

static struct domain *owner, *user;

static void *table_page(struct domain *d)
{
	struct frame *f;
	void *bytes;

	EXPECT_EQ(grant_frame_get(d, 0, false, true, &f), 0);
	bytes = heap_from_mfn(frame_mfn(f));
	frame_put(f);
	return bytes;
}

static void set_up(void)
{
	fake_set_up();
	owner = fake_domain(1, 1);
	user = fake_domain(2, 1);
	memset(fake_ram(owner, DATA_GFN), 0xab, PAGE_SIZE);
}

static void tear_down(void)
{
	fake_end(user);
	fake_end(owner);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

static struct grant_entry_v1 *entry(unsigned int ref)
{
	return (struct grant_entry_v1 *)table_page(owner) + ref;
}

static void give(unsigned int ref, u16 flags)
{
	*entry(ref) = (struct grant_entry_v1){.flags = flags, .domid = 2, .frame = DATA_GFN};
}

static s16 map(unsigned int ref, u32 flags, u64 gfn, u32 *handle)
{
	struct grant_map m = {.owner_id = domain_id_of(1), .ref = gref_of(ref), .host_address = gfn << PAGE_SHIFT,
			      .flags = flags};
	s16 rc = grant_map(user, &m);

	*handle = m.handle;
	return rc;
}

static s16 unmap(u32 handle, u64 gfn)
{
	struct grant_unmap u = {.host_address = gfn << PAGE_SHIFT, .handle = handle};

	grant_unmap(user, &u, 1);
	return u.status;
}

TEST(grant, a_mapping_shows_the_frame_and_is_marked)
{
	u32 handle;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &handle), GNTST_okay);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	EXPECT_EQ(p2m_lookup(user, gfn_of(MAP_GFN)).type, P2M_GRANT_RW);
	EXPECT_EQ(*(u8 *)unit_frame_bytes(p2m_lookup(user, gfn_of(MAP_GFN)).mfn), 0xab);
	EXPECT_EQ(unmap(handle, MAP_GFN), GNTST_okay);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access);
	EXPECT_EQ(p2m_lookup(user, gfn_of(MAP_GFN)).type, P2M_NONE);
	EXPECT_EQ(unmap(handle, MAP_GFN), GNTST_bad_handle);
	tear_down();
}

TEST(grant, two_mappings_are_counted)
{
	u32 first, second;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &first), GNTST_okay);
	EXPECT_EQ(map(8, GNTMAP_host_map | GNTMAP_readonly, MAP_GFN + 1, &second), GNTST_okay);
	EXPECT(first != second);
	EXPECT_EQ(unmap(first, MAP_GFN), GNTST_okay);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access | GTF_reading);
	EXPECT_EQ(unmap(second, MAP_GFN + 1), GNTST_okay);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access);
	tear_down();
}

TEST(grant, refusals_of_map)
{
	struct grant_map m = {.owner_id = domain_id_of(77), .ref = gref_of(8), .flags = GNTMAP_host_map};
	u32 h;

	set_up();
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_general_error); /* nothing granted */
	give(8, GTF_permit_access | GTF_readonly);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_general_error);
	EXPECT_EQ(map(8, GNTMAP_host_map | GNTMAP_readonly, MAP_GFN, &h), GNTST_okay);
	EXPECT_EQ(p2m_lookup(user, gfn_of(MAP_GFN)).type, P2M_GRANT_RO);
	EXPECT_EQ(unmap(h, MAP_GFN), GNTST_okay);
	entry(8)->domid = 3;
	EXPECT_EQ(map(8, GNTMAP_host_map | GNTMAP_readonly, MAP_GFN, &h), GNTST_general_error);
	give(8, GTF_accept_transfer);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_general_error);
	give(8, GTF_permit_access);
	EXPECT_EQ(map(512, GNTMAP_host_map, MAP_GFN, &h), GNTST_bad_gntref);
	EXPECT_EQ(map(~0u, GNTMAP_host_map, MAP_GFN, &h), GNTST_bad_gntref);
	EXPECT_EQ(map(8, GNTMAP_readonly, MAP_GFN, &h), GNTST_bad_gntref);
	EXPECT_EQ(map(8, GNTMAP_host_map | GNTMAP_contains_pte, MAP_GFN, &h), GNTST_general_error);
	EXPECT_EQ(grant_map(user, &m), GNTST_bad_domain);
	entry(8)->frame = 99; /* no memory there */
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_bad_page);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access); /* not marked after a refusal */
	EXPECT_EQ(grant_map_count(user), 0);
	tear_down();
}

TEST(grant, frames_of_others_cannot_be_granted_on)
{
	u32 h, h2;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	*((struct grant_entry_v1 *)table_page(user) + 8) =
		(struct grant_entry_v1){.flags = GTF_permit_access, .domid = 1, .frame = MAP_GFN};
	struct grant_map m = {.owner_id = user->id, .ref = gref_of(8), .host_address = 50 << PAGE_SHIFT,
			      .flags = GNTMAP_host_map};
	EXPECT_EQ(grant_map(owner, &m), GNTST_bad_page);
	(void)h2;
	EXPECT_EQ(unmap(h, MAP_GFN), GNTST_okay);
	tear_down();
}

TEST(grant, unmapping_tells_the_owner_only_after_the_flush)
{
	u32 h;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	fake_flush_count = 0;
	EXPECT_EQ(unmap(h, MAP_GFN + 1), GNTST_general_error); /* another address: refused, still there */
	EXPECT_EQ(p2m_lookup(user, gfn_of(MAP_GFN)).type, P2M_GRANT_RW);
	EXPECT_EQ(unmap(h, MAP_GFN), GNTST_okay);
	EXPECT(fake_flush_count >= 1);
	EXPECT_EQ(unmap(12345, MAP_GFN), GNTST_bad_handle);
	EXPECT_EQ(unmap(~0u, MAP_GFN), GNTST_bad_handle);
	tear_down();
}

TEST(grant, a_guest_that_drops_the_page_otherwise_only_closes_the_books)
{
	u32 h;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	EXPECT_EQ(physmap_remove(user, gfn_of(MAP_GFN)), 0);
	p2m_flush(user);
	fake_ram(user, MAP_GFN); /* its own memory is there now: not to be touched */
	EXPECT_EQ(unmap(h, MAP_GFN), GNTST_okay);
	EXPECT_EQ(p2m_lookup(user, gfn_of(MAP_GFN)).type, P2M_RAM);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access);
	tear_down();
}

TEST(grant, the_mapper_dies_and_the_owner_gets_its_page_back)
{
	u32 h;

	set_up();
	for (unsigned int i = 8; i < 80; i++) {
		give(i, GTF_permit_access);
		EXPECT_EQ(map(i, GNTMAP_host_map, MAP_GFN + i, &h), GNTST_okay);
	}
	fake_end(user);
	for (unsigned int i = 8; i < 80; i++) {
		EXPECT_EQ(entry(i)->flags, GTF_permit_access);
	}
	fake_end(owner);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(grant, the_owner_dies_and_is_kept_until_it_is_unmapped)
{
	struct domain *found;
	u32 h;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	while (domain_kill(owner) == -ERESTART) {
	}
	domain_put(owner);
	fake_grace();
	found = domain_get(domain_id_of(1));
	EXPECT(found == owner);
	domain_put(found);
	EXPECT_EQ(*(u8 *)unit_frame_bytes(p2m_lookup(user, gfn_of(MAP_GFN)).mfn), 0xab);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN + 1, &h), GNTST_bad_domain);
	EXPECT_EQ(unmap(0, MAP_GFN), GNTST_okay);
	fake_grace();
	EXPECT(!domain_get(domain_id_of(1)));
	fake_end(user);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

static struct gnttab_copy copy_from(unsigned int ref, u64 to_gfn, u16 length)
{
	return (struct gnttab_copy){
		.source = {.u.ref = ref, .domid = 1},
		.dest = {.u.gmfn = to_gfn, .domid = DOMID_SELF},
		.len = length,
		.flags = GNTCOPY_source_gref,
	};
}

TEST(grant, copies_the_bytes_that_were_asked_for)
{
	struct gnttab_copy op;
	u8 *to;

	set_up();
	give(8, GTF_permit_access | GTF_readonly);
	to = fake_ram(user, 30);
	memset(to, 0, PAGE_SIZE);
	op = copy_from(8, 30, 100);
	op.dest.offset = 7;
	EXPECT_EQ(grant_copy(user, &op), GNTST_okay);
	EXPECT_EQ(to[6], 0);
	EXPECT_EQ(to[7], 0xab);
	EXPECT_EQ(to[106], 0xab);
	EXPECT_EQ(to[107], 0);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access | GTF_readonly);
	tear_down();
}

TEST(grant, refusals_of_copy)
{
	struct gnttab_copy op;

	set_up();
	fake_ram(user, 30);
	op = copy_from(8, 30, 100);
	EXPECT_EQ(grant_copy(user, &op), GNTST_general_error);
	give(8, GTF_permit_access | GTF_readonly);
	op.source.offset = 4000;
	EXPECT_EQ(grant_copy(user, &op), GNTST_bad_copy_arg);
	op = copy_from(8, 99, 100);
	EXPECT_EQ(grant_copy(user, &op), GNTST_bad_page);
	op = copy_from(8, 30, 100);
	op.flags = 0;
	EXPECT_EQ(grant_copy(user, &op), GNTST_permission_denied); /* another's frame by number */
	op = copy_from(8, 30, 100);
	op.source.domid = 77;
	EXPECT_EQ(grant_copy(user, &op), GNTST_bad_domain);
	/* Into a grant that is for reading. */
	op = (struct gnttab_copy){.source = {.u.gmfn = 30, .domid = DOMID_SELF},
				  .dest = {.u.ref = 8, .domid = 1},
				  .len = 1,
				  .flags = GNTCOPY_dest_gref};
	EXPECT_EQ(grant_copy(user, &op), GNTST_general_error);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access | GTF_readonly);
	tear_down();
}

TEST(grant, version_2_has_its_marks_in_the_status_page)
{
	union grant_entry_v2 *e;
	struct frame *f;
	u16 *status;
	u32 h;

	set_up();
	EXPECT_EQ(grant_set_version(owner, 3), -EINVAL);
	EXPECT_EQ(grant_frame_get(owner, 0, true, true, &f), -EINVAL);
	EXPECT_EQ(grant_set_version(owner, 2), 0);
	e = (union grant_entry_v2 *)table_page(owner) + 9;
	EXPECT_EQ(grant_frame_get(owner, 0, true, false, &f), 0);
	status = heap_from_mfn(frame_mfn(f));
	frame_put(f);
	e->full_page.hdr.flags = GTF_permit_access;
	e->full_page.hdr.domid = 2;
	e->full_page.frame = DATA_GFN;
	EXPECT_EQ(map(9, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	EXPECT_EQ(status[9], GTF_reading | GTF_writing);
	EXPECT_EQ(e->full_page.hdr.flags, GTF_permit_access);
	EXPECT_EQ(grant_set_version(owner, 1), -EBUSY);
	EXPECT_EQ(map(256, GNTMAP_host_map, MAP_GFN, &h), GNTST_bad_gntref); /* half as many entries */
	EXPECT_EQ(unmap(0, MAP_GFN), GNTST_okay);
	EXPECT_EQ(status[9], 0);
	/* A part of a page is for copies only. */
	e->sub_page.hdr.flags = GTF_permit_access | GTF_sub_page;
	e->sub_page.page_off = 100;
	e->sub_page.length = 50;
	EXPECT_EQ(map(9, GNTMAP_host_map, MAP_GFN, &h), GNTST_general_error);
	fake_ram(user, 30);
	struct gnttab_copy op = copy_from(9, 30, 50);
	EXPECT_EQ(grant_copy(user, &op), GNTST_general_error);
	op.source.offset = 100;
	EXPECT_EQ(grant_copy(user, &op), GNTST_okay);
	op.len = 51;
	EXPECT_EQ(grant_copy(user, &op), GNTST_general_error);
	e->sub_page.page_off = 4090; /* over the end: the granter's nonsense */
	op = copy_from(9, 30, 10);
	op.source.offset = 4085;
	EXPECT(grant_copy(user, &op) != GNTST_okay);
	EXPECT_EQ(status[9], 0);
	EXPECT_EQ(grant_set_version(owner, 1), 0);
	tear_down();
}

TEST(grant, reserved_entries_survive_a_change_of_version)
{
	set_up();
	give(1, GTF_permit_access);
	give(20, GTF_permit_access);
	EXPECT_EQ(grant_set_version(owner, 2), 0);
	EXPECT_EQ(((union grant_entry_v2 *)table_page(owner))[1].full_page.frame, DATA_GFN);
	EXPECT_EQ(grant_set_version(owner, 1), 0);
	EXPECT_EQ(entry(1)->flags, GTF_permit_access);
	EXPECT_EQ(entry(1)->frame, DATA_GFN);
	EXPECT_EQ(entry(20)->flags, 0);
	tear_down();
}

TEST(grant, tables_end_at_their_limit)
{
	struct frame *f;

	set_up();
	EXPECT_EQ(grant_frame_get(owner, 63, false, true, &f), 0);
	frame_put(f);
	EXPECT_EQ(grant_frame_count(owner), 64);
	EXPECT_EQ(grant_frame_get(owner, 64, false, true, &f), -EINVAL);
	EXPECT_EQ(grant_frame_get(owner, ~0ull, false, true, &f), -EINVAL);
	tear_down();
}

TEST(grant, handles_end_at_their_limit_and_come_back)
{
	struct domain_config config = {.vcpu_count = 1, .maptrack_frame_limit = 1};
	u32 h = 0, n = 0;

	fake_set_up();
	owner = fake_domain(1, 1);
	fake_ram(owner, DATA_GFN);
	EXPECT_EQ(domain_create(domain_id_of(2), &config, &user), 0);
	user->frame_limit = 100;
	give(8, GTF_permit_access);
	while (map(8, GNTMAP_host_map, MAP_GFN + n % 100, &h) == GNTST_okay) {
		n++;
	}
	EXPECT(n >= 100 && n < 200);
	EXPECT_EQ(map(8, GNTMAP_host_map, MAP_GFN, &h), GNTST_no_device_space);
	p2m_flush(user);
	fake_end(user);
	EXPECT_EQ(entry(8)->flags, GTF_permit_access);
	fake_end(owner);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(grant, entries_are_swapped_when_nobody_uses_them)
{
	u32 h;

	set_up();
	give(8, GTF_permit_access);
	EXPECT_EQ(grant_swap(owner, gref_of(8), gref_of(9)), GNTST_okay);
	EXPECT_EQ(entry(9)->flags, GTF_permit_access);
	EXPECT_EQ(entry(8)->flags, 0);
	EXPECT_EQ(map(9, GNTMAP_host_map, MAP_GFN, &h), GNTST_okay);
	EXPECT_EQ(grant_swap(owner, gref_of(8), gref_of(9)), GNTST_eagain);
	EXPECT_EQ(grant_swap(owner, gref_of(8), gref_of(512)), GNTST_bad_gntref);
	EXPECT_EQ(unmap(h, MAP_GFN), GNTST_okay);
	tear_down();
}

TEST(grant, a_failed_allocation_maps_nothing)
{
	unsigned int n;
	u32 h;
	s16 rc;

	for (n = 1; n < 20; n++) {
		set_up();
		give(8, GTF_permit_access);
		unit_fail_allocation(n);
		rc = map(8, GNTMAP_host_map, MAP_GFN, &h);
		EXPECT_EQ(rc, unit_has_failed() ? GNTST_no_device_space : GNTST_okay);
		unit_fail_allocation(0);
		EXPECT_EQ(entry(8)->flags & GTF_reading, rc == GNTST_okay ? GTF_reading : 0);
		tear_down();
		if (rc == GNTST_okay) {
			break;
		}
	}
	EXPECT(n > 1 && n < 20);
}

TEST_MAIN()
