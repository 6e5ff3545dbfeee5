/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "initrds.h" /* by make_initrds.py */
#include "hv/compiler.h"
#include "hv/error.h"
#include "loader/decompress.h"
#include "loader/initrd.h"

static const char *why;

/* The input exactly as long as it is, on the heap, so that ASan sees each byte too many. */
static int check(const u8 *bytes, size_t size_bytes)
{
	u8 *exact = malloc(size_bytes ? size_bytes : 1);
	static u64 scratch[DECOMPRESS_SCRATCH_SIZE / 8];
	int rc;

	memcpy(exact, bytes, size_bytes);
	why = NULL;
	rc = initrd_check(exact, size_bytes, scratch, &why);
	free(exact);
	return rc;
}

TEST(initrd, a_whole_one_passes)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(initrds); i++) {
		EXPECT_EQ(check(initrds[i].bytes, initrds[i].size_bytes), 0);
	}
}

TEST(initrd, a_cut_one_is_refused_wherever_it_can_be_seen)
{
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(initrds); i++) {
		unsigned int passed = 0;

		for (size = initrds[i].seen_from; size < initrds[i].seen_to; size++) {
			passed += check(initrds[i].bytes, size) == 0;
			EXPECT(passed || why);
		}
		if (passed != initrds[i].unseen) {
			fprintf(stderr, "%s: %u cuts pass\n", initrds[i].name, passed);
		}
		EXPECT_EQ(passed, initrds[i].unseen);
	}
}

TEST(initrd, what_is_no_archive_is_the_kernels_to_judge)
{
	EXPECT_EQ(check((const u8 *)"hello, this is no archive", 25), 0);
	EXPECT_EQ(check((const u8 *)"", 0), 0);
	EXPECT_EQ(check((const u8 *)"\0\0\0\0\0", 5), 0);
}
TEST_MAIN()
