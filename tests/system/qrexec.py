#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls between dom0 and two guests over vchans of the hypervisor, and the death of a guest.

    python3 tests/system/qrexec.py [--hypervisor xen] [--files 10000] [--mib 64] [--restore yes]

--restore yes also saves a guest and restores it (on Xen; Mullion cannot yet).

The guests are small: a kernel, the agent and the services (qrexec/tests/xen/).
"""

import pathlib
import subprocess
import sys
import tempfile

from systemtest import TOP, SystemTest

sys.path.insert(0, str(TOP / "tools"))
import image  # noqa: E402

test = SystemTest(__doc__, files={"type": int, "default": 300}, mib={"type": int, "default": 4},
                  restore={"choices": ["yes", "no"], "default": "no"})
modules = next(image.debian("modules").iterdir())
with tempfile.TemporaryDirectory(prefix="mullion-share-") as folder:
    share = pathlib.Path(folder, "share")
    subprocess.run(["sh", TOP / "qrexec/tests/xen/make_share.sh", TOP / "build", modules,
                    image.debian("vmlinuz"), share], check=True)
    status, output, _ = test.boot(
        f"QREXEC_FILES={test.args.files} QREXEC_MIB={test.args.mib} QREXEC_RESTORE={test.args.restore} "
        "bash /mnt/share/in_dom0.sh",
        "--share", str(share), "--boot-timeout", "900", timeout=2400)
lines = output.splitlines()
test.expect(status == 0, "the script ran to its end")
test.expect("PASS" in lines[-2:], "every call did what it should")
for line in lines:
    if line.startswith("NOT OK"):
        test.expect(False, line)
test.expect(sum(line.startswith("ok: ") for line in lines) >= 15, "nothing was left out")
test.finish()
