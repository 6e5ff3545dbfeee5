#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many disposables, their deaths and their daemon's, hostile programs in them; nothing is left."""

import pathlib
import re
import shutil
import tempfile

import systemtest

test = systemtest.SystemTest(__doc__, **{
    "one-by-one": {"type": int, "default": 20, "metavar": "N"},
    "at-once": {"type": int, "default": 5, "metavar": "N"},
})
with tempfile.TemporaryDirectory(prefix="mullion-disposables-") as folder:
    share = pathlib.Path(folder)
    shutil.copy(pathlib.Path(__file__).with_suffix(".sh"), share)
    shutil.copy(systemtest.TOP / "tools" / "dom0_lib.sh", share)
    status, output, _ = test.boot(
        f"bash /mnt/share/disposables.sh {test.args.one_by_one} {test.args.at_once}", "--domains",
        "--memory", "6G", "--boot-timeout", "600", "--share", folder, timeout=2400)
test.expect(status == 0, f"the script ran to its end: {status}")
for failed in re.findall(r"^FAILED: (.*)$", output, re.MULTILINE):
    test.expect(False, failed)
test.expect("mullion list:" in output, "all of it was tried")
test.finish()
