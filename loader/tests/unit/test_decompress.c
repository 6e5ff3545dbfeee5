/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "loader/crc.h"
#include "loader/decompress.h"
#include "compressed.h" /* by make_compressed.py */
#include "hv/compiler.h"
#include "hv/error.h"

static u8 out[sizeof(data_plain) + 64];
static struct decompress_job job;

/* The input exactly as long as it is, on the heap, so that ASan sees each byte too many. */
static int run(const u8 *bytes, size_t size_bytes, size_t capacity)
{
	u8 *in = malloc(size_bytes ? size_bytes : 1), *exact = malloc(capacity ? capacity : 1);
	void *scratch = malloc(DECOMPRESS_SCRATCH_SIZE);
	int rc;

	memcpy(in, bytes, size_bytes);
	memset(scratch, 0xa5, DECOMPRESS_SCRATCH_SIZE);
	job = (struct decompress_job){
		.in = in,
		.in_size_bytes = size_bytes,
		.out = exact,
		.out_capacity_bytes = capacity,
		.scratch = scratch,
	};
	rc = decompress(&job);
	if (!rc) {
		memcpy(out, exact, job.out_size_bytes);
	}
	free(in);
	free(exact);
	free(scratch);
	return rc;
}

static size_t find(const char *name)
{
	size_t i = 0;

	while (strcmp(forms[i].name, name) != 0) {
		i++;
	}
	return i;
}

static bool is_unknown(size_t i)
{
	return strcmp(forms[i].name, "xz_sha256") == 0 || strcmp(forms[i].name, "xz_delta") == 0;
}

TEST(decompress, every_form_gives_the_sample)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (is_unknown(i) || !forms[i].size_bytes) {
			continue;
		}
		memset(out, 0, sizeof(out));
		EXPECT_EQ(run(forms[i].bytes, forms[i].size_bytes, sizeof(data_plain)), 0);
		EXPECT_EQ(job.out_size_bytes, sizeof(data_plain));
		EXPECT_EQ(memcmp(out, data_plain, sizeof(data_plain)), 0);
	}
}

TEST(decompress, bytes_behind_the_stream_do_not_matter)
{
	size_t i = find("xz_kernel");
	u8 *more = malloc(forms[i].size_bytes + 4);

	memcpy(more, forms[i].bytes, forms[i].size_bytes);
	memset(more + forms[i].size_bytes, 0xff, 4);
	EXPECT_EQ(run(more, forms[i].size_bytes + 4, sizeof(data_plain)), 0);
	free(more);
}

TEST(decompress, checks_and_filters_that_are_not_known_are_refused)
{
	EXPECT_EQ(run(forms[find("xz_sha256")].bytes, forms[find("xz_sha256")].size_bytes,
		      sizeof(out)),
		  -EINVAL);
	EXPECT(strstr(job.why, "checksum that is not known"));
	EXPECT_EQ(
		run(forms[find("xz_delta")].bytes, forms[find("xz_delta")].size_bytes, sizeof(out)),
		-EINVAL);
	EXPECT(strstr(job.why, "filter that is not known"));
}

TEST(decompress, other_formats_are_refused)
{
	EXPECT_EQ(run((const u8 *)"BZh91AY", 7, 100), -EINVAL);
	EXPECT(strstr(job.why, "not known"));
	EXPECT_EQ(run((const u8 *)"", 0, 100), -EINVAL);
}

TEST(decompress, one_byte_too_little_room_is_refused)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!is_unknown(i) && forms[i].size_bytes) {
			EXPECT_EQ(run(forms[i].bytes, forms[i].size_bytes, sizeof(data_plain) - 1),
				  -EINVAL);
		}
	}
}

TEST(decompress, every_truncation_is_refused)
{
	size_t i, size, step;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (is_unknown(i)) {
			continue;
		}
		for (size = 0; size < forms[i].size_bytes; size += step) {
			step = size < 100 || forms[i].size_bytes - size < 100 ? 1 : 1777;
			EXPECT_EQ(run(forms[i].bytes, size, sizeof(data_plain)), -EINVAL);
			EXPECT(job.why);
		}
	}
}

/* With a checksum no flipped bit passes, wherever it is, except in fields that say nothing. */
TEST(decompress, flipped_bits_are_noticed)
{
	static const char *const checked[] = {"xz_kernel", "xz_crc64", "gzip_best", "gzip_stored"};
	unsigned int round, at;
	size_t i, k;

	srand(3);
	for (k = 0; k < ARRAY_SIZE(checked); k++) {
		u8 *bytes;

		i = find(checked[k]);
		bytes = malloc(forms[i].size_bytes);
		for (round = 0; round < 60; round++) {
			memcpy(bytes, forms[i].bytes, forms[i].size_bytes);
			at = 32 + (unsigned int)rand() % (unsigned int)(forms[i].size_bytes - 32);
			bytes[at] ^= (u8)(1 << rand() % 8);
			if (run(bytes, forms[i].size_bytes, sizeof(data_plain)) == 0) {
				EXPECT_EQ(memcmp(out, data_plain, sizeof(data_plain)), 0);
				EXPECT(strncmp(checked[k], "gzip", 4) == 0 ||
				       at >= forms[i].size_bytes - 28);
			}
		}
		free(bytes);
	}
}

TEST(crc, known_values)
{
	static struct crc32_table t32;
	static struct crc64_table t64;

	crc32_prepare(&t32);
	crc64_prepare(&t64);
	EXPECT_EQ(crc32_update(&t32, 0, "123456789", 9), 0xcbf43926);
	EXPECT_EQ(crc64_update(&t64, 0, "123456789", 9), 0x995dc9bbdf1939faull);
}

TEST(crc, runs_of_zeroes_count_as_zeroes)
{
	static struct crc32_table t;
	static u8 bytes[3 * CRC32_ZERO_RUN + 100];
	u32 slow;
	size_t i;

	crc32_prepare(&t);
	bytes[0] = bytes[70] = bytes[2 * CRC32_ZERO_RUN + 90] = bytes[sizeof(bytes) - 1] = 0x5a;
	slow = 0;
	for (i = 0; i < sizeof(bytes); i++) {
		slow = crc32_update(&t, slow, bytes + i, 1);
	}
	EXPECT_EQ(crc32_update(&t, 0, bytes, sizeof(bytes)), slow);
}

TEST_MAIN()
