/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is accepted is within its bounds, and encodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "vchan/share_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct share_packet packet;
	uint8_t again[SHARE_PACKET_SIZE];

	if (share_packet_decode(data, size, &packet)) {
		return 0;
	}
	if (!packet.page_count || packet.page_count > SHARE_PAGES_PER_REGION_MAX ||
	    packet.first_ref + packet.page_count < packet.first_ref) {
		abort();
	}
	share_packet_encode(&packet, again);
	if (memcmp(again, data, SHARE_PACKET_SIZE)) {
		abort();
	}
	return 0;
}
