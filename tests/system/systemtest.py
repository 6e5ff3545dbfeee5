# SPDX-License-Identifier: GPL-2.0-or-later
"""What the system tests share: boot through ./run, collect failures, print a verdict.

Each test takes `--hypervisor mullion|xen|none` (default mullion), so that it can be tried where it
is known to work.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

BOOT_FAILED = 125
# What QEMU's threads do to each other (docs/testing.md).
EMULATOR_FAULT = "QEMU died of|QEMU ended without a word|triple fault"
TOP = pathlib.Path(__file__).resolve().parent.parent.parent


class SystemTest:
    """threads: "multi" for a test of several CPUs that have to run at the same time."""

    def __init__(self, description, threads="single", **options):
        parser = argparse.ArgumentParser(description=description)
        for name, settings in options.items():
            parser.add_argument(f"--{name}", **settings)
        parser.add_argument("--hypervisor", choices=["mullion", "xen", "none"], default="mullion")
        parser.add_argument("--dom0", choices=["pv", "pvh"], default="pvh")
        self.args = parser.parse_args()
        self.failures = []
        self.threads = threads
        self.was_repeated = False

    def boot(self, command, *options, timeout=400, meanwhile=None):
        """(exit status, output, serial log) of one command in a freshly booted dom0.

        meanwhile(path of the serial log) runs in a thread of its own from the start on. Once in a
        test a machine that its emulator's threads took away is booted again.
        """
        result = self.boot_once(command, options, timeout, meanwhile)
        if (result[0] == BOOT_FAILED and self.threads == "multi" and not self.was_repeated
                and re.search(EMULATOR_FAULT, result[1] + result[2])):
            self.was_repeated = True
            print("repeated: a fault that QEMU's threads are known for", flush=True)
            result = self.boot_once(command, options, timeout, meanwhile)
        return result

    def boot_once(self, command, options, timeout, meanwhile):
        with tempfile.NamedTemporaryFile(prefix="mullion-serial-") as log:
            if meanwhile:
                threading.Thread(target=meanwhile, args=(pathlib.Path(log.name),), daemon=True).start()
            start = time.monotonic()
            done = subprocess.run(
                [TOP / "run", "--no-build", "--headless", "--hypervisor", self.args.hypervisor,
                 "--dom0", self.args.dom0, "--threads", self.threads, "--log", log.name, "--timeout", str(timeout), *options,
                 "--", command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                check=False)
            output = done.stdout.decode(errors="replace")
            print(f"--- {' '.join(options)}: status {done.returncode} after "
                  f"{time.monotonic() - start:.0f} s\n{output}", flush=True)
            return done.returncode, output, pathlib.Path(log.name).read_text(errors="replace")

    def expect(self, condition, what):
        print(f"{'ok' if condition else 'FAILED'}: {what}", flush=True)
        if not condition:
            self.failures.append(what)

    def finish(self):
        if self.failures:
            print(f"FAIL {self.failures[0]} ({len(self.failures)} in all)")
            sys.exit(1)
        print("PASS")
