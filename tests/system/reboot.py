#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 reboots the machine and powers it off."""

from systemtest import SystemTest

test = SystemTest(__doc__)
status, output, log = test.boot("sync; systemctl --force reboot; sleep 100",
                                "--dom0-args", "loglevel=7")
test.expect(status == 125 and "the machine went down before COMMAND had ended" in output,
            "the machine resets")
test.expect("reboot: Restarting system" in log or "reboot: machine restart" in log,
            "because dom0's kernel asked for it")
status, output, log = test.boot("true", "--dom0-args", "loglevel=7")
test.expect(status == 0 and "did not power off" not in output, "the machine powers off")
test.expect("reboot: Power down" in log, "because dom0's kernel asked for it")
test.finish()
