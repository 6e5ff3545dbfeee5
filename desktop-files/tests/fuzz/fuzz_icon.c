/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any answer is a picture of our size, or refused. */
#include "desktop-files/icon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static uint8_t pixels[ICON_BYTES], png[ICON_PNG_MAX];

	if (icon_decode(data, size_bytes, 0xe8820c, pixels) == 0) {
		(void)icon_png(pixels, png);
	}
	return 0;
}
