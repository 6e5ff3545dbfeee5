#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mulliond starts, watches, takes over and ends domains and disposables; nothing is left."""

import pathlib
import re
import tempfile

import programs
from systemtest import SystemTest

test = SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-share-") as folder:
    share = pathlib.Path(folder, "share")
    share.mkdir()
    programs.fill(share,
                  ["domains/mulliond", "domains/mullion", "domains/block-ready",
                   "domains/start-domain", "qrexec/qrexec-daemon"],
                  [("domains/data/org.mullion.Domains1.conf", "org.mullion.Domains1.conf"),
                   ("tests/system/mulliond.sh", "mulliond.sh"),
                   ("qrexec/systemd/qrexec-daemon@.service", "qrexec-daemon@.service")])
    status, output, _ = test.boot("bash /mnt/share/mulliond.sh", "--share", str(share),
                                  "--boot-timeout", "400", timeout=900)
facts = dict(re.findall(r"^([^\n:]+): (.*)$", output, re.MULTILINE))


def expect(name, wanted):
    test.expect(facts.get(name) == wanted, f"{name}: {facts.get(name)}, wanted {wanted}")


test.expect(status == 0, "the script ran to its end")
expect("start", "0")
expect("one after its start", "running")
expect("unit of one", "active")
expect("one after the restart", "running")
expect("disposable", "disp1")
expect("disposable after the restart", "running")
expect("disposable after its call", "")
expect("killed while it starts", "0")
expect("its start", "1")
expect("one after its death", "stopped")
expect("unit of one after its death", "inactive")
test.expect("DOMAIN_ID=" in output and "template_for_dispvms=yes" in output,
            "other daemons are told of a domain")
test.expect(facts.get("kill", "").startswith("0 "), "kill")
for name in ("all", "two"):
    for what in ("loops", "run images", "back-ends", "machines"):
        expect(f"{what} of {name}", "0")
before, after = map(int, facts.get("memory", "0 -99").split())
# The first start leaves a little with dom0's own daemons.
test.expect(after >= before - 2, f"free memory comes back: {before} MiB before, {after} MiB after")
test.expect(int(facts.get("daemon KiB", "999999")) < 20000,
            f"the daemon has {facts.get('daemon KiB')} KiB of its own")
test.finish()
