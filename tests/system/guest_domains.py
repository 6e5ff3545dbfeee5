#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guests of the guest ring once more, as PVH domains that stock xl starts from dom0.

    tests/system/guest_domains.py [--hypervisor xen --dom0 pv] [--only NAME] [--at-a-time N]

A test that makes sense in dom0's place only says SKIP and why.
"""

import pathlib
import re
import shutil
import sys
import tempfile

from systemtest import TOP, SystemTest

sys.path.insert(0, str(TOP / "tools"))
import guest  # noqa: E402

GUESTS = TOP / "hypervisor" / "tests" / "guest"
BUILT = TOP / "build" / "hypervisor" / "tests" / "guest"
# Enough for the frames that the tests take for RAM.
MEMORY_MIB = 128

test = SystemTest(__doc__, only={"action": "append"}, **{"at-a-time": {"type": int, "default": 1}})
guests = [g for g in guest.read_list(GUESTS / "tests.list")
          if not test.args.only or g.name in test.args.only]
with tempfile.TemporaryDirectory(prefix="mullion-share-") as folder:
    share = pathlib.Path(folder)
    shutil.copy(pathlib.Path(__file__).with_suffix(".sh"), share)
    for g in guests:
        shutil.copy(BUILT / f"{g.name}.elf", share)
    (share / "list").write_text("".join(
        f"{g.name} {g.smp} {MEMORY_MIB} {g.timeout:.0f} {g.args}\n" for g in guests))
    status, output, log = test.boot(f"bash /mnt/share/guest_domains.sh {test.args.at_a_time}",
                                    "--share", str(share), timeout=1500)
said = dict(re.findall(r"^=== (\S+) (.*?)(?=^===)", output.replace("\r", ""), re.MULTILINE | re.DOTALL))
for g in guests:
    verdict, reason = guest.verdict_of(said.get(g.name, "")) or ("FAIL", "no verdict")
    test.expect(verdict != "FAIL", f"{g.name}: {verdict} {reason}")
test.finish()
