#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""GRUB 2 on a BIOS machine starts Mullion and Debian's dom0, by multiboot2 and by multiboot.

The text screen is read as well: what start says is on it. With MULLION_SCREEN=PREFIX a picture of it
is left in PREFIX-PROTOCOL.png.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from systemtest import SystemTest, TOP

sys.path.insert(0, str(TOP / "tools"))

import grub         # noqa: E402
import machine      # noqa: E402
from monitor import Monitor     # noqa: E402

SECONDS = 300


def halted(folder, protocol):
    """The screen, and the log, of a start that waits because its kernel is none."""
    kernel = folder / "text"
    kernel.write_bytes(b"This is no kernel.\n" * 99)
    log = folder / "serial"
    log.write_bytes(b"")
    m = machine.Machine(kernel=kernel, has_initrd=False, disk="none", net="none", memory_mib=512,
                        smp=1, loader=protocol, hypervisor_args="noreboot console=com1,vga")
    qemu = subprocess.Popen(machine.qemu_command(m, ["-serial", f"file:{log}"])
                            + ["-qmp", f"unix:{folder / 'monitor'},server=on,wait=off"],
                            stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + SECONDS
    try:
        while time.monotonic() < deadline and qemu.poll() is None:
            if "Halted (noreboot)" in log.read_text(errors="replace"):
                monitor = Monitor(folder / "monitor")
                if "MULLION_SCREEN" in os.environ:
                    monitor.execute("screendump", format="png",
                                    filename=f"{os.environ['MULLION_SCREEN']}-{protocol}.png")
                return monitor.text_screen(), log.read_text(errors="replace")
            time.sleep(0.1)
        return "", log.read_text(errors="replace")
    finally:
        qemu.kill()
        qemu.wait()


test = SystemTest(__doc__)
for protocol in grub.COMMANDS:
    status, output, log = test.boot("cat /proc/cmdline; echo cpus=$(nproc)", "--loader", protocol, "--smp", "2")
    test.expect(status == 0 and "cpus=2\n" in output, f"{protocol}: dom0 runs a command")
    test.expect("loaded by GRUB 2" in log, f"{protocol}: GRUB loaded it")
    test.expect("command line: console=com1" in log and "root=/dev/nvme0n1" in output,
                f"{protocol}: both command lines arrive")
with tempfile.TemporaryDirectory(prefix="mullion-grub-") as name:
    for protocol in grub.COMMANDS:
        screen, log = halted(pathlib.Path(name), protocol)
        print(screen, flush=True)
        shown = "".join(screen.split())
        test.expect("loadedbyGRUB2" in shown, f"{protocol}: the screen shows the start from its first line")
        test.expect("neitherabzImagenoranELFfile" in shown and "Halted(noreboot)" in shown,
                    f"{protocol}: and how it ended")
test.finish()
