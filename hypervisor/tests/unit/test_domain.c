// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_guest.h"

#include <xen/sched.h>

#include "domain/watchdog.h"
#include "mm/window.h"

TEST(domain, is_found_by_id_until_the_last_reference_goes)
{
	struct domain *d, *again;

	fake_set_up();
	d = fake_domain(5, 1);
	again = domain_get(domain_id_of(5));
	EXPECT(again == d);
	domain_put(again);
	EXPECT(!domain_get(domain_id_of(6)));
	fake_end(d);
	EXPECT(!domain_get(domain_id_of(5)));
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(domain, ids_are_unique_and_the_next_free_one_is_given)
{
	struct domain_config config = {.vcpu_count = 1};
	struct domain *a, *b, *c;

	fake_set_up();
	a = fake_domain(7, 1);
	EXPECT_EQ(domain_create(domain_id_of(7), &config, &b), -EEXIST);
	EXPECT_EQ(domain_create(domain_id_of(DOMAIN_ID_MAX + 1), &config, &b), -EINVAL);
	EXPECT_EQ(domain_create(domain_id_of(DOMID_INVALID), &config, &b), 0);
	EXPECT_EQ(domain_create(domain_id_of(DOMID_INVALID), &config, &c), 0);
	EXPECT(b->id.v != c->id.v && b->id.v != 7 && b->id.v != 0);
	fake_end(a);
	fake_end(b);
	fake_end(c);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(domain, impossible_vcpu_counts_are_refused)
{
	struct domain_config config = {.vcpu_count = VCPU_MAX + 1};
	struct domain *d;

	fake_set_up();
	EXPECT_EQ(domain_create(domain_id_of(1), &config, &d), -EINVAL);
	d = fake_domain(1, 2);
	EXPECT_EQ(domain_set_vcpu_count(d, 1), -EINVAL);
	EXPECT_EQ(domain_set_vcpu_count(d, 3), -EINVAL);
	EXPECT_EQ(domain_set_vcpu_count(d, 0), -EINVAL);
	EXPECT_EQ(domain_set_vcpu_count(d, 2), 0); /* twice does nothing */
	fake_end(d);
}

TEST(domain, a_failed_allocation_at_any_point_leaves_nothing)
{
	struct domain *d;
	unsigned int n;
	int rc;

	for (n = 1; n < 200; n++) {
		fake_set_up();
		unit_fail_allocation(n);
		rc = fake_try_domain(3, 2, &d);
		if (!unit_has_failed()) {
			EXPECT_EQ(rc, 0);
			unit_fail_allocation(0);
			fake_end(d);
			break;
		}
		unit_fail_allocation(0);
		EXPECT_EQ(rc, -ENOMEM);
		d = domain_get(domain_id_of(3)); /* made, but not all its vCPUs */
		if (d) {
			fake_end(d);
		}
		fake_grace();
		EXPECT_EQ(unit_heap_in_use(), 0);
	}
	EXPECT(n > 5 && n < 200);
}

TEST(domain, is_not_freed_while_somebody_has_its_frame)
{
	struct domain *a, *b;
	struct domain *found;

	fake_set_up();
	a = fake_domain(1, 1);
	b = fake_domain(2, 1);
	memset(fake_ram(b, 4), 0x5a, PAGE_SIZE);
	EXPECT_EQ(physmap_map_foreign(a, gfn_of(9), b, gfn_of(4)), 0);
	while (domain_kill(b) == -ERESTART) {
	}
	domain_put(b);
	fake_grace();
	found = domain_get(domain_id_of(2));
	EXPECT(found == b);
	EXPECT_EQ(b->frame_count, 1);
	domain_put(found);

	EXPECT_EQ(physmap_remove(a, gfn_of(9)), 0);
	p2m_flush(a);
	fake_grace();
	EXPECT(!domain_get(domain_id_of(2)));
	fake_end(a);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(domain, destroying_twice_and_destroying_dom0_are_answered)
{
	struct domain *zero, *d;

	fake_set_up();
	zero = fake_domain(0, 1);
	EXPECT_EQ(domain_kill(zero), -EINVAL);
	d = fake_domain(1, 1);
	while (domain_kill(d) == -ERESTART) {
	}
	EXPECT_EQ(domain_kill(d), 0);
	EXPECT_EQ(domain_kill(d), 0);
	domain_put(d);
	fake_grace();
	EXPECT(!domain_get(domain_id_of(1)));
	fake_end(zero);
}

TEST(domain, the_first_shutdown_code_counts)
{
	struct domain *d;

	fake_set_up();
	d = fake_domain(1, 1);
	domain_unpause(d);
	vcpu_up(d->vcpus[0]);
	EXPECT(vcpu_is_runnable(d->vcpus[0]));
	domain_shutdown(d, SHUTDOWN_reboot);
	domain_shutdown(d, SHUTDOWN_crash);
	EXPECT_EQ(d->shutdown_code, SHUTDOWN_reboot);
	EXPECT(d->is_shut_down && !vcpu_is_runnable(d->vcpus[0]));
	domain_resume(d);
	EXPECT(!d->is_shut_down && vcpu_is_runnable(d->vcpus[0]));
	EXPECT_EQ(d->shutdown_code, SHUTDOWN_CODE_NONE);
	fake_end(d);
}

TEST(domain, the_last_cpu_that_halts_powers_off)
{
	struct domain *d;

	fake_set_up();
	d = fake_domain(1, 2);
	domain_unpause(d);
	vcpu_up(d->vcpus[0]);
	vcpu_up(d->vcpus[1]);
	vcpu_halt(d->vcpus[1]);
	EXPECT(!d->is_shut_down && vcpu_is_runnable(d->vcpus[0]));
	vcpu_halt(d->vcpus[0]);
	EXPECT(d->is_shut_down);
	EXPECT_EQ(d->shutdown_code, SHUTDOWN_poweroff);
	fake_end(d);
}

TEST(domain, pauses_are_counted)
{
	struct domain *d;
	struct vcpu *v;

	fake_set_up();
	d = fake_domain(1, 1);
	v = d->vcpus[0];
	vcpu_up(v);
	EXPECT(!vcpu_is_runnable(v)); /* made paused */
	domain_unpause(d);
	domain_pause(d);
	domain_pause_nosync(d);
	domain_unpause(d);
	EXPECT(!vcpu_is_runnable(v));
	domain_unpause(d);
	EXPECT(vcpu_is_runnable(v));
	vcpu_pause_nosync(v);
	EXPECT(!vcpu_is_runnable(v));
	vcpu_unpause(v);
	vcpu_down(v);
	EXPECT(!vcpu_is_runnable(v));
	fake_end(d);
}

TEST(domain, a_watchdog_that_is_not_fed_ends_it)
{
	struct domain *d;

	fake_set_up();
	d = fake_domain(1, 1);
	EXPECT_EQ(domain_watchdog_set(d, 0, 0), -EINVAL);
	EXPECT_EQ(domain_watchdog_set(d, 3, 1), -EINVAL);
	EXPECT_EQ(domain_watchdog_set(d, 1, 1), -EINVAL); /* not in use */
	EXPECT_EQ(domain_watchdog_set(d, 0, 2), 1);
	EXPECT_EQ(domain_watchdog_set(d, 0, 9), 2);
	EXPECT_EQ(domain_watchdog_set(d, 0, 9), -ENOSPC);
	unit_advance(1 * NS_PER_SEC);
	softirq_run();
	EXPECT_EQ(domain_watchdog_set(d, 1, 2), 0);
	unit_advance(3 * NS_PER_SEC / 2);
	softirq_run();
	EXPECT(!d->is_shut_down);
	unit_advance(1 * NS_PER_SEC);
	softirq_run();
	EXPECT(d->is_shut_down);
	EXPECT_EQ(d->shutdown_code, SHUTDOWN_watchdog);
	fake_end(d);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(domain, run_state_times_add_up)
{
	struct vcpu_runstate_info info;
	struct domain *d;
	struct vcpu *v;

	fake_set_up();
	d = fake_domain(1, 1);
	v = d->vcpus[0];
	vcpu_runstate_change(v, RUNSTATE_running, 0);
	vcpu_runstate_change(v, RUNSTATE_blocked, 700);
	vcpu_runstate_change(v, RUNSTATE_running, 1000);
	unit_now = 1500;
	vcpu_runstate_get(v, &info);
	EXPECT_EQ(info.state, RUNSTATE_running);
	EXPECT_EQ(info.state_entry_time, 1000);
	EXPECT_EQ(info.time[RUNSTATE_running], 1200);
	EXPECT_EQ(info.time[RUNSTATE_blocked], 300);
	fake_end(d);
}

/* The guest's memory is written by vcpu_runstate_publish() alone, which no lock is held over. */
TEST(domain, a_change_of_run_state_is_told_by_publishing_it)
{
	struct vcpu_runstate_info *told;
	enum p2m_type type;
	struct domain *d;
	struct vcpu *v;

	fake_set_up();
	d = fake_domain(1, 1);
	v = d->vcpus[0];
	EXPECT_EQ(physmap_populate(d, gfn_of(1), 0), 0);
	v->runstate_area = (struct guest_area){
		.frames = {p2m_get_frame(d, gfn_of(1), true, &type)}, .offset = 64, .size_bytes = sizeof(*told)};
	vcpu_runstate_change(v, RUNSTATE_running, 100);
	vcpu_runstate_publish(v, 100);
	vcpu_runstate_change(v, RUNSTATE_blocked, 700);
	told = (struct vcpu_runstate_info *)((u8 *)window_map(frame_mfn(v->runstate_area.frames[0])) + 64);
	EXPECT_EQ(told->state, RUNSTATE_running);
	vcpu_runstate_publish(v, 700);
	EXPECT_EQ(told->state, RUNSTATE_blocked);
	EXPECT_EQ(told->time[RUNSTATE_running], 600);
	window_unmap(told);
	fake_end(d);
}

TEST(domain, claims_keep_frames_for_who_made_them)
{
	struct domain *a, *b;
	u64 available;

	fake_set_up();
	a = fake_domain(1, 1);
	b = fake_domain(2, 1);
	a->frame_limit = b->frame_limit = UNIT_FRAME_COUNT;
	available = frame_free_count();
	EXPECT_EQ(physmap_claim(a, available), 0);
	EXPECT_EQ(physmap_claim(a, 5), -EINVAL); /* one at a time */
	EXPECT_EQ(physmap_populate(b, gfn_of(1), 0), -ENOMEM);
	EXPECT_EQ(physmap_populate(a, gfn_of(1), 0), 0);
	EXPECT_EQ(physmap_claim(a, 0), 0);
	EXPECT_EQ(physmap_populate(b, gfn_of(1), 0), 0);
	fake_end(a);
	fake_end(b);
}

TEST_MAIN()
