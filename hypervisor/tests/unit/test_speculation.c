/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which measures a CPU gets, that each is taken where it belongs, and what the command line
 * changes. */
#include "arch/x86/host/speculation.h"

#include <stdlib.h>

#include "base/test.h"
#include "boot/speculation_options.h"

static char taken[8];
static char unknown[100];

static void take(char c)
{
	size_t n = strlen(taken);

	taken[n] = c;
	taken[n + 1] = '\0';
}
void barrier_branch_predictors(void)
{
	take('b');
}
void barrier_return_stack(void)
{
	take('r');
}
void barrier_l1_data(void)
{
	take('l');
}
void barrier_buffers(void)
{
	take('v');
}

static void report(void *context, const char *word, size_t length)
{
	strncat(unknown, word, length);
	strcat(unknown, "|");
}

/* The start with a command line on a CPU, then one switch between domains: what was done in which
 * order. */
static const char *sites_on(const struct speculation_facts *facts, const char *command_line)
{
	struct speculation_options options;

	unknown[0] = taken[0] = '\0';
	speculation_options_parse(command_line, &options, report, NULL);
	speculation_choose(facts, &options, &speculation);
	speculation_switch_domain();
	return taken;
}

#define BIT32(n) (1u << (n))

/* Facts as these CPUs tell them with microcode of 2024 and later. */
static const struct {
	const char *name;
	struct speculation_facts facts;
	const char *sites;
	enum thunk thunk;
	bool has_guest_control;
} models[] = {
	{"QEMU's software emulation", {.is_amd = true}, "r", THUNK_RETPOLINE, false},
	{"AMD family 15h", {.is_amd = true, .ext8_b = BIT32(12)}, "br", THUNK_RETPOLINE, false},
	{"AMD Zen 1",
	 {.is_amd = true, .ext8_b = BIT32(12) | BIT32(15)},
	 "br",
	 THUNK_RETPOLINE,
	 true},
	{"AMD Zen 2",
	 {.is_amd = true, .ext8_b = BIT32(12) | BIT32(14) | BIT32(15) | BIT32(17) | BIT32(24)},
	 "br",
	 THUNK_RETPOLINE,
	 true},
	{"AMD Zen 3, which the VERW of AMD-SB-7029 is for",
	 {.is_amd = true,
	  .ext8_b = BIT32(12) | BIT32(14) | BIT32(15) | BIT32(24) | BIT32(28),
	  .ext21_a = BIT32(5)},
	 "brv",
	 THUNK_RETPOLINE,
	 true},
	{"AMD Zen 4",
	 {.is_amd = true,
	  .ext8_b = BIT32(12) | BIT32(14) | BIT32(15) | BIT32(24) | BIT32(28),
	  .ext21_a = BIT32(5) | BIT32(8)},
	 "brv",
	 THUNK_JMP,
	 true},
	{"AMD Zen 5, to which AMD-SB-7029 does not apply",
	 {.is_amd = true,
	  .ext8_b = BIT32(12) | BIT32(14) | BIT32(15) | BIT32(24) | BIT32(28),
	  .ext21_a = BIT32(5) | BIT32(8),
	  .ext21_c = BIT32(1) | BIT32(2)},
	 "br",
	 THUNK_JMP,
	 true},
	{"Intel Haswell",
	 {.leaf7_d = BIT32(10) | BIT32(26) | BIT32(28)},
	 "brlv",
	 THUNK_RETPOLINE,
	 false},
	{"Intel Skylake",
	 {.leaf7_d = BIT32(10) | BIT32(26) | BIT32(28) | BIT32(29)},
	 "brlv",
	 THUNK_RETPOLINE,
	 false},
	{"Intel Cascade Lake, as a guest's hypervisor sees it",
	 {.leaf7_d = BIT32(10) | BIT32(26) | BIT32(28) | BIT32(29),
	  .capabilities = BIT(0) | BIT(3) | BIT(5)},
	 "br",
	 THUNK_RETPOLINE,
	 false},
	{"Intel Ice Lake server, whose fill buffers leak",
	 {.leaf7_d = BIT32(10) | BIT32(26) | BIT32(28) | BIT32(29),
	  .capabilities = BIT(0) | BIT(3) | BIT(5) | BIT(17)},
	 "brv",
	 THUNK_RETPOLINE,
	 false},
};

TEST(speculation, each_model_gets_what_it_needs)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(models); i++) {
		const char *sites = sites_on(&models[i].facts, "");

		if (strcmp(sites, models[i].sites) != 0 || speculation.thunk != models[i].thunk ||
		    speculation.is_on[SPECULATION_GUEST_CONTROL] != models[i].has_guest_control) {
			TEST_FAIL("%s: %s, thunk %d", models[i].name, sites, speculation.thunk);
		}
	}
}

/* Each option turns off its own site on the CPU that has all, and no other. */
TEST(speculation, each_measure_has_an_option)
{
	static const struct speculation_facts all = {.leaf7_d = ~0u};

	EXPECT_STR(sites_on(&all, "x spec-ctrl=no-ibpb"), "rlv");
	EXPECT_STR(sites_on(&all, "spec-ctrl=rsb=no y"), "blv");
	EXPECT_STR(sites_on(&all, "spec-ctrl=l1d-flush=off"), "brv");
	EXPECT_STR(sites_on(&all, "spec-ctrl=no-verw"), "brl");
	EXPECT_STR(sites_on(&all, "spec-ctrl=no"), "");
	EXPECT_EQ(speculation.thunk, THUNK_JMP);
	EXPECT_STR(sites_on(&all, "spec-ctrl=no,verw,ibpb=yes"), "bv");
	EXPECT_STR(sites_on(&all, "spec-ctrl=bti-thunk=lfence,no-rsb"), "blv");
	EXPECT_EQ(speculation.thunk, THUNK_LFENCE);
	sites_on(&all, "spec-ctrl=bti-thunk=jmp");
	EXPECT_EQ(speculation.thunk, THUNK_JMP);
	sites_on(&all, "spec-ctrl=no,bti-thunk=retpoline");
	EXPECT_EQ(speculation.thunk, THUNK_RETPOLINE);
	EXPECT_STR(unknown, "");
}

TEST(speculation, options_of_amd)
{
	static const struct speculation_facts zen4 = {
		.is_amd = true, .ext8_b = BIT32(12) | BIT32(14), .ext21_a = BIT32(5) | BIT32(8)};

	sites_on(&zen4, "spec-ctrl=no-msr-sc");
	EXPECT(!speculation.is_on[SPECULATION_GUEST_CONTROL]);
	sites_on(&zen4, "spec-ctrl=auto-ibrs=no");
	EXPECT(!speculation.is_on[SPECULATION_AUTO_IBRS]);
	EXPECT_EQ(speculation.thunk, THUNK_RETPOLINE);
}

/* What the CPU is not able to do would be a fault; what it does not need may be asked for. */
TEST(speculation, on_means_if_the_cpu_is_able_to)
{
	static const struct speculation_facts none = {.is_amd = true};
	static const struct speculation_facts immune = {.leaf7_d = BIT32(10) | BIT32(28),
							.capabilities = BIT(0) | BIT(5)};

	EXPECT_STR(sites_on(&none, "spec-ctrl=ibpb,rsb,l1d-flush,verw,auto-ibrs,msr-sc"), "r");
	EXPECT(!speculation.is_on[SPECULATION_AUTO_IBRS]);
	EXPECT(!speculation.is_on[SPECULATION_GUEST_CONTROL]);
	EXPECT_STR(sites_on(&immune, ""), "r");
	EXPECT_STR(sites_on(&immune, "spec-ctrl=l1d-flush,verw"), "rlv");
}

TEST(speculation, unknown_words_are_told)
{
	static const struct speculation_facts none = {0};

	EXPECT_STR(sites_on(&none, "spec-ctrl=rsb,xen,ibpb=maybe,pv=no"), "r");
	EXPECT_STR(unknown, "xen|pv=no|");
	EXPECT_STR(sites_on(&none, "spec-ctrl=bti-thunk=magic"), "r");
	EXPECT_EQ(speculation.thunk, THUNK_RETPOLINE);
}

TEST(speculation, thunks_jump_through_their_register)
{
	u8 code[THUNK_CODE_MAX];

	EXPECT_EQ(speculation_thunk_code(THUNK_JMP, 0, code), 3);
	EXPECT(memcmp(code, "\xff\xe0\xcc", 3) == 0); /* jmp *%rax; int3 */
	EXPECT_EQ(speculation_thunk_code(THUNK_JMP, 11, code), 4);
	EXPECT(memcmp(code, "\x41\xff\xe3\xcc", 4) == 0); /* jmp *%r11; int3 */
	EXPECT_EQ(speculation_thunk_code(THUNK_LFENCE, 15, code), 7);
	EXPECT(memcmp(code, "\x0f\xae\xe8\x41\xff\xe7\xcc", 7) == 0); /* lfence; jmp *%r15; int3 */
}

TEST_MAIN()
