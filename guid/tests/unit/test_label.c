/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/label.h"

#include "base/test.h"

#include <stdbool.h>
#include <stdlib.h>

TEST(label, names_are_found_and_others_are_not)
{
	size_t i;

	for (i = 0; i < LABEL_COUNT; i++) {
		EXPECT(label_find(labels[i].name) == &labels[i]);
	}
	EXPECT(!label_find("pink"));
	EXPECT(!label_find(""));
}

TEST(label, no_two_share_a_pattern_or_look_alike)
{
	size_t i, j;

	for (i = 0; i < LABEL_COUNT; i++) {
		for (j = i + 1; j < LABEL_COUNT; j++) {
			int red = abs((int)(labels[i].rgb >> 16 & 0xff) -
				      (int)(labels[j].rgb >> 16 & 0xff));
			int green = abs((int)(labels[i].rgb >> 8 & 0xff) -
					(int)(labels[j].rgb >> 8 & 0xff));
			int blue = abs((int)(labels[i].rgb & 0xff) - (int)(labels[j].rgb & 0xff));

			EXPECT(labels[i].pattern != labels[j].pattern);
			EXPECT(red + green + blue > 80);
		}
	}
}

TEST(label, the_title_can_be_read)
{
	size_t i;

	EXPECT_EQ(label_contrast(0xffffff, 0x000000), 2100);
	EXPECT_EQ(label_contrast(0x808080, 0x808080), 100);
	for (i = 0; i < LABEL_COUNT; i++) {
		EXPECT(label_contrast(labels[i].rgb, labels[i].ink_rgb) >= 450);
	}
}

TEST_MAIN()
