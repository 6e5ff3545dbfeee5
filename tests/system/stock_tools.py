#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's own tests of a live Xen in dom0, and libvirt with a PVH domain."""

import pathlib
import re
import shutil
import tempfile

from systemtest import SystemTest

# What the script must say, on Xen as on Mullion. A number alone is an exit status.
EXPECTED = {
    # QEMU's CPU says that it has no RTM and runs XBEGIN all the same: test-tsx tells that on Xen, too.
    "test-resource": "0", "test-paging-mempool": "0", "test-tsx": "1", "test-cpu-policy": "0",
    "test-xenstore": "0",
    "virsh version": "0", "virsh capabilities": "0", "virsh list": "0 Domain-0 running",
    "virsh define": "0", "virsh state defined": "shut off", "virsh start": "0",
    "virsh state started": "running", "virsh domain": "up", "virsh dominfo": "1 131072",
    "virsh suspend": "0", "virsh state suspended": "paused", "virsh resume": "0",
    "virsh start again": "1", "virsh destroy": "0", "virsh state destroyed": "shut off",
    "virsh destroy again": "1", "virsh undefine": "0",
    "virsh create": "0", "virsh state created": "running", "virsh destroy created": "0",
    "virsh list end": "0 Domain-0 running",
    "end": "reached",
}

test = SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-share-") as share:
    shutil.copy(pathlib.Path(__file__).with_suffix(".sh"), share)
    _, output, _ = test.boot("bash /mnt/share/stock_tools.sh", "--share", share, timeout=400)
facts = dict(re.findall(r"^([a-zA-Z][-a-zA-Z0-9 ]*): (.*?)\r?$", output, re.MULTILINE))
for name, value in EXPECTED.items():
    test.expect(facts.get(name) == value, f"{name}: {value}, got {facts.get(name)}")
test.expect("Host reports no RTM, but appears available" in output and "xc_resource_op() for" not in output,
            "test-tsx fails for QEMU's sake alone")
start, end = facts.get("memory start"), facts.get("memory end")
test.expect(start is not None and start == end, f"free memory: {start} MiB before the last domain, {end} after")
test.finish()
