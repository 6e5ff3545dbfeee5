#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock dom0 boots to multi-user on 1, 2, 4 and 16 CPUs and powers the machine off."""

from systemtest import SystemTest

test = SystemTest(__doc__, threads="multi", cpus={"type": int, "action": "append", "help": "this many CPUs only"})
for cpus in test.args.cpus or (1, 2, 4, 16):
    # Not the console's login session: on a busy machine it may come too late for systemd.
    status, output, log = test.boot("echo cpus=$(nproc); systemctl is-active basic.target; "
                                    "systemctl --failed --no-legend --type=service,socket,mount,swap",
                                    "--smp", str(cpus), "--boot-timeout", "600")
    test.expect(status == 0, f"dom0 on {cpus} CPUs runs a command")
    test.expect(f"cpus={cpus}\n" in output, f"dom0 sees {cpus} CPUs")
    test.expect("did not power off" not in output, f"dom0 on {cpus} CPUs powers off")
    test.expect("failed" not in output, f"no unit failed on {cpus} CPUs")
test.finish()
