/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#define MAX_SHOWN 40

extern const struct test_case tests_start[], tests_end[];

static const struct test_case *current;
static const char *first_failed;
static unsigned failures, cases_run;

void guest_start(void);

void test_failed(const char *file, int line, const char *what, long got, long wanted)
{
	const char *slash = file;

	for (const char *c = file; *c; c++) {
		slash = *c == '/' ? c + 1 : slash;
	}
	failures++;
	if (!first_failed) {
		first_failed = current ? current->name : "before the first test";
	}
	if (failures <= MAX_SHOWN) {
		print("  %s: %s:%d: %s: got %ld (%#lx), wanted %ld (%#lx)\n",
		      current ? current->name : "-", slash, line, what, got, (unsigned long)got,
		      wanted, (unsigned long)wanted);
	}
}

void skip(const char *reason)
{
	finish("SKIP", reason);
}

static void run_case(const struct test_case *t)
{
	unsigned before = failures;

	if (t->is_dom0_only && !is_dom0()) {
		print("%s: of dom0 only\n", t->name);
		return;
	}
	print("%s ...\n", t->name);
	cases_run++;
	t->run();
	irq_off();
	print("%s: %s\n", t->name, failures == before ? "ok" : "FAILED");
}

/* The compiler may place them in any order; the one of the file is wanted. */
static const struct test_case *next_after(long line)
{
	const struct test_case *next = NULL;

	for (const struct test_case *t = tests_start; t < tests_end; t++) {
		if (t->line > line && (!next || t->line < next->line)) {
			next = t;
		}
	}
	return next;
}

void guest_start(void)
{
	trap_init();
	hypercall_init();
	time_init();
	for (current = next_after(0); current; current = next_after(current->line)) {
		run_case(current);
	}
	if (!next_after(0)) {
		finish("FAIL", "no tests in this guest");
	}
	if (failures) {
		print("%u expectations failed\n", failures);
		finish("FAIL", first_failed);
	}
	if (!cases_run) {
		finish("SKIP", "all of it is of dom0 only");
	}
	finish("PASS", "");
}
