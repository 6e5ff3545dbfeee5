/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test and expectation macros for unit tests that are ordinary processes.
 *
 *     TEST(evtchn, send_to_closed_port_is_refused)
 *     {
 *             EXPECT_EQ(evtchn_send(d, port), -EINVAL);
 *     }
 *     TEST_MAIN()
 *
 * A case is named by what must be true. A failed expectation prints both values
 * and ends the case, not the program. `./test NAME` runs the cases whose name
 * contains NAME; the last line counts passed and failed.
 */
#pragma once

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

static struct test_case *test_first;
static struct test_case **test_last = &test_first;
static jmp_buf test_abort;

#define TEST(module, what)                                                                         \
	static void test_##module##_##what(void);                                                  \
	__attribute__((constructor)) static void register_##module##_##what(void)                  \
	{                                                                                          \
		static struct test_case c = {#module "." #what, test_##module##_##what, NULL};     \
		*test_last = &c;                                                                   \
		test_last = &c.next;                                                               \
	}                                                                                          \
	static void test_##module##_##what(void)

#define TEST_FAIL(...)                                                                             \
	do {                                                                                       \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                    \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fputc('\n', stderr);                                                               \
		longjmp(test_abort, 1);                                                            \
	} while (0)

#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			TEST_FAIL("expected: %s", #x);                                             \
		}                                                                                  \
	} while (0)

#define EXPECT_EQ(a, b)                                                                            \
	do {                                                                                       \
		long long test_a = (long long)(a), test_b = (long long)(b);                        \
		if (test_a != test_b) {                                                            \
			TEST_FAIL("%s is %lld (%#llx), expected %s = %lld (%#llx)", #a, test_a,    \
				  (unsigned long long)test_a, #b, test_b,                          \
				  (unsigned long long)test_b);                                     \
		}                                                                                  \
	} while (0)

#define EXPECT_STR(a, b)                                                                           \
	do {                                                                                       \
		const char *test_a = (a), *test_b = (b);                                           \
		if (!test_a || !test_b || strcmp(test_a, test_b) != 0) {                           \
			TEST_FAIL("%s is \"%s\", expected \"%s\"", #a, test_a ? test_a : "(null)", \
				  test_b ? test_b : "(null)");                                     \
		}                                                                                  \
	} while (0)

static inline int test_run_all(int argc, char **argv)
{
	volatile int passed = 0, failed = 0;
	struct test_case *volatile c;

	for (c = test_first; c; c = c->next) {
		if (argc > 1 && !strstr(c->name, argv[1])) {
			continue;
		}
		if (setjmp(test_abort) == 0) {
			c->run();
			passed++;
		} else {
			fprintf(stderr, "FAILED %s\n", c->name);
			failed++;
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

#define TEST_MAIN()                                                                                \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return test_run_all(argc, argv);                                                   \
	}
