#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""64 MiB are written and read back on NVMe, AHCI, virtio-blk and virtio-scsi."""

from systemtest import SystemTest

COMMAND = """
set -e
root=$(findmnt -no SOURCE /)
head -c 67108864 /dev/urandom >/dev/shm/data
dd if=/dev/shm/data of=/data bs=1M conv=fsync status=none
echo 3 >/proc/sys/vm/drop_caches
cmp /dev/shm/data /data
echo same on $root
"""

test = SystemTest(__doc__)
for disk in ("nvme", "ahci", "virtio-blk", "virtio-scsi"):
    status, output, _ = test.boot(COMMAND, "--disk", disk)
    test.expect(status == 0 and "same on /dev/" in output, f"64 MiB on {disk} read back the same")
test.finish()
