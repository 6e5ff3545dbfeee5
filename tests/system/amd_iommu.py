#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 boots and reads its disk behind AMD's IOMMU as well."""

from systemtest import SystemTest

test = SystemTest(__doc__)
status, output, _ = test.boot("dd if=/dev/nvme0n1 of=/dev/null bs=1M count=64 && echo read",
                              "--iommu", "amd")
test.expect(status == 0 and "read" in output, "64 MiB read from NVMe behind the AMD IOMMU")
test.finish()
