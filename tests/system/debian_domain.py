#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock xl and a Debian domain with systemd: login, reboot, shutdown, destruction; nothing left.

Its kernel comes from dom0, and once from its own disk through GRUB.
"""

import pathlib
import re
import shutil
import tempfile

from systemtest import SystemTest

test = SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-share-") as share:
    shutil.copy(pathlib.Path(__file__).with_suffix(".sh"), share)
    _, output, _ = test.boot("bash /mnt/share/debian_domain.sh", "--domains", "--share", share,
                             timeout=600)
facts = dict(re.findall(r"^([a-z ]+): (.*?)\r?$", output, re.MULTILINE))


def number(name):
    return int(facts[name]) if facts.get(name, "").isdigit() else None


for name, what in {
        "first login": "the domain reaches a login on its console",
        "first command": "a command there answers, on the disk that dom0 gave",
        "reboot": "xl reboot starts it anew", "second login": "and it reaches a login again",
        "second command": "and obeys again", "shutdown": "xl shutdown ends it",
        "shutdown gone": "and it is gone", "destroy gone": "xl destroy ends one that is starting",
        "grub login": "with Debian's PVH GRUB its own kernel starts",
        "grub command": "and it obeys", "grub gone": "and ends",
        "disk free": "nobody holds its disk", "end": "the script ran to its end"}.items():
    test.expect(name in facts and facts[name] != "no", what)
for step in ("shutdown", "destroy", "grub"):
    test.expect(number(f"{step} domains") == 1, f"only dom0 is listed after {step}")
    test.expect(number(f"{step} backends") == number("start backends"),
                f"no device is left in xenstore after {step}")
test.expect(number("destroy nodes") is not None and
            number("destroy nodes") == number("shutdown nodes"), "no node is left in xenstore")
test.expect(number("destroy memory") is not None and number("grub memory") is not None and
            number("grub memory") == number("destroy memory") and
            number("destroy memory") == number("shutdown memory"),
            f"free memory comes back: {facts.get('start memory')}, "
            f"{facts.get('shutdown memory')}, {facts.get('destroy memory')} MiB")
test.expect(not re.search("WARNING:|BUG:|Oops:|blkback.*error", output),
            "dom0's kernel has nothing to complain of")
test.finish()
