// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every caller against every target with every operation: the table below says what must be
 * allowed, everything else must not.
 */
#include "policy/policy.h"

#include <string.h>

#include "base/test.h"

#include <xen/domctl.h>
#include <xen/hvm/params.h>
#include <xen/version.h>
#include <xen/xen.h>

enum { CONTROL, APP, MODEL, OTHER, CALLERS };

static struct domain domains[CALLERS];

static void set_up(void)
{
	memset(domains, 0, sizeof(domains));
	for (unsigned int i = 0; i < CALLERS; i++) {
		domains[i].id = domain_id_of((u16)i);
		domains[i].target = domain_id_of(DOMID_INVALID);
	}
	domains[CONTROL].is_control = domains[CONTROL].is_hardware = true;
	domains[MODEL].target = domains[APP].id;
}

#define ALLOWED(expression) ((expression) == 0)

/* Who may, as a letter for each (caller, target): C control, S self, M the model of the target. */
static bool is_wanted(unsigned int caller, unsigned int target, const char *who)
{
	if (strchr(who, 'C') && caller == CONTROL) {
		return true;
	}
	if (strchr(who, 'S') && caller == target) {
		return true;
	}
	return strchr(who, 'M') && caller == MODEL && target == APP;
}

#define FOR_EACH_PAIR(c, t)                                                                         \
	for (unsigned int c = 0; c < CALLERS; c++)                                                  \
		for (unsigned int t = 0; t < CALLERS; t++)

TEST(policy, domctl)
{
	set_up();
	FOR_EACH_PAIR(c, t) {
		for (u32 cmd = 0; cmd < 1100; cmd++) {
			bool is_models = cmd == XEN_DOMCTL_getdomaininfo || cmd == XEN_DOMCTL_bind_pt_irq ||
					 cmd == XEN_DOMCTL_unbind_pt_irq || cmd == XEN_DOMCTL_memory_mapping ||
					 cmd == XEN_DOMCTL_ioport_mapping;

			EXPECT_EQ(ALLOWED(policy_domctl(&domains[c], &domains[t], cmd)),
				  is_wanted(c, t, is_models ? "CM" : "C"));
		}
	}
	for (unsigned int c = 0; c < CALLERS; c++) {
		EXPECT_EQ(ALLOWED(policy_domctl(&domains[c], NULL, XEN_DOMCTL_createdomain)), c == CONTROL);
	}
}

TEST(policy, machine_wide_calls_are_dom0s)
{
	set_up();
	for (unsigned int c = 0; c < CALLERS; c++) {
		for (u32 cmd = 0; cmd < 100; cmd++) {
			EXPECT_EQ(ALLOWED(policy_sysctl(&domains[c], cmd)), c == CONTROL);
			EXPECT_EQ(ALLOWED(policy_platform(&domains[c], cmd)), c == CONTROL);
			EXPECT_EQ(ALLOWED(policy_physdev(&domains[c], cmd)), c == CONTROL);
		}
		for (u32 cmd = 0; cmd < 16; cmd++) {
			EXPECT_EQ(ALLOWED(policy_version(&domains[c], cmd)),
				  c == CONTROL || (cmd != XENVER_commandline && cmd != XENVER_build_id));
		}
		EXPECT_EQ(ALLOWED(policy_console(&domains[c])), c == CONTROL);
		EXPECT_EQ(ALLOWED(policy_memory_amount(&domains[c])), c == CONTROL);
		EXPECT_EQ(ALLOWED(policy_foreign_memory_in(&domains[c])), c == CONTROL);
		EXPECT_EQ(ALLOWED(policy_loader(&domains[c])), c == CONTROL);
		EXPECT_EQ(ALLOWED(policy_pin_override(&domains[c])), c == CONTROL);
	}
}

/* Control and devices are two rights, though dom0 has both today. */
TEST(policy, who_has_the_devices_need_not_have_control)
{
	set_up();
	domains[CONTROL].is_control = false;
	EXPECT(ALLOWED(policy_physdev(&domains[CONTROL], 0)));
	EXPECT(ALLOWED(policy_pin_override(&domains[CONTROL])));
	EXPECT(!ALLOWED(policy_sysctl(&domains[CONTROL], 0)));
	domains[CONTROL].is_control = true;
	domains[CONTROL].is_hardware = false;
	EXPECT(!ALLOWED(policy_physdev(&domains[CONTROL], 0)));
	EXPECT(!ALLOWED(policy_pin_override(&domains[CONTROL])));
}

TEST(policy, memory_events_and_grants)
{
	set_up();
	FOR_EACH_PAIR(c, t) {
		EXPECT_EQ(ALLOWED(policy_memory_of(&domains[c], &domains[t])), is_wanted(c, t, "CSM"));
		EXPECT_EQ(ALLOWED(policy_evtchn_for(&domains[c], &domains[t])), is_wanted(c, t, "CSM"));
		EXPECT_EQ(ALLOWED(policy_grant_for(&domains[c], &domains[t])), is_wanted(c, t, "CSM"));
		EXPECT_EQ(ALLOWED(policy_memory_map_of(&domains[c], &domains[t])), is_wanted(c, t, "CM"));
		EXPECT_EQ(ALLOWED(policy_device_model(&domains[c], &domains[t])),
			  c != t && is_wanted(c, t, "CM"));
	}
}

TEST(policy, hvm_parameters)
{
	static const struct {
		u32 param;
		const char *set, *get;
	} rows[] = {
		{HVM_PARAM_CALLBACK_IRQ, "CSM", "CSM"},
		{HVM_PARAM_VM86_TSS_SIZED, "CSM", "CSM"},
		{HVM_PARAM_VM_GENERATION_ID_ADDR, "CSM", "CSM"},
		{HVM_PARAM_ALTP2M, "CSM", "CSM"},
		{HVM_PARAM_STORE_PFN, "CM", "CSM"},
		{HVM_PARAM_STORE_EVTCHN, "CM", "CSM"},
		{HVM_PARAM_CONSOLE_PFN, "CM", "CSM"},
		{HVM_PARAM_CONSOLE_EVTCHN, "CM", "CSM"},
		{HVM_PARAM_X87_FIP_WIDTH, "CM", "CSM"},
		{HVM_PARAM_IOREQ_PFN, "CM", "CM"},
		{HVM_PARAM_BUFIOREQ_PFN, "CM", "CM"},
		{HVM_PARAM_IDENT_PT, "CM", "CM"},
		{HVM_PARAM_IOREQ_SERVER_PFN, "CM", "CM"},
		{HVM_PARAM_NR_IOREQ_SERVER_PAGES, "CM", "CM"},
		{HVM_PARAM_MONITOR_RING_PFN, "CM", "CM"},
		{HVM_PARAM_DM_DOMAIN, "CM", "CM"},
	};

	set_up();
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FOR_EACH_PAIR(c, t) {
			EXPECT_EQ(ALLOWED(policy_hvm_param(&domains[c], &domains[t], rows[i].param, true)),
				  is_wanted(c, t, rows[i].set));
			EXPECT_EQ(ALLOWED(policy_hvm_param(&domains[c], &domains[t], rows[i].param, false)),
				  is_wanted(c, t, rows[i].get));
		}
	}
}

TEST(policy, a_domain_without_a_target_is_nobodys_model)
{
	set_up();
	/* An id that means "none" must not make a model of whoever has that number. */
	domains[OTHER].id = domain_id_of(DOMID_INVALID);
	EXPECT(!ALLOWED(policy_memory_of(&domains[APP], &domains[OTHER])));
	EXPECT(!ALLOWED(policy_device_model(&domains[APP], &domains[OTHER])));
}

TEST_MAIN()
