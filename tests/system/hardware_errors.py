#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""NMIs are told and harm nobody, whenever they come; a machine check is reported and stops the machine; errors
that the hardware corrected are found and told.

QEMU's monitor makes both. Its machine check goes to the CPU's present guest past the hypervisor, so
it is given to a CPU that runs none.
"""

import socket
import tempfile
import time

from systemtest import SystemTest

test = SystemTest(__doc__)


def wait_for(log, text):
    while text not in log.read_text(errors="replace"):
        time.sleep(0.2)


def tell(path, command):
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(path)
        monitor.sendall(command.encode() + b"\n")
        while b"(qemu) " not in monitor.recv(4096):
            pass
        time.sleep(0.1)


with tempfile.TemporaryDirectory(prefix="mullion-monitor-") as folder:
    def send_nmis(log):
        wait_for(log, "first domain:")
        try:
            while True:
                tell(f"{folder}/nmi", "nmi")
                time.sleep(0.5)
        except OSError:
            pass  # the machine is off

    def send_corrected(log):
        wait_for(log, "first domain:")
        for times in range(3):
            tell(f"{folder}/corrected", f"mce 1 4 0x9c000000000000c{times} 0 0xabcd000 0x8c")
            wait_for(log, f"status 9c000000000000c{times}" if times < 2 else "reboot: ")

    def send_machine_check(log):
        wait_for(log, "first domain:")
        time.sleep(5)
        # uncorrected, with an address; the interrupted code could go on
        tell(f"{folder}/mce", "mce 3 4 0xbd000000000000c0 5 0xabcd000 0x8c")

    status, output, log = test.boot("sleep 3; echo alive", "--qemu-args",
                                    f"-monitor unix:{folder}/nmi,server=on,wait=off",
                                    meanwhile=send_nmis)
    test.expect(status == 0 and "alive" in output, "dom0 does not notice NMIs")
    test.expect(log.count("NMI on cpu 0:") >= 10, f"each is told: {log.count('NMI on cpu 0:')}")

    status, output, log = test.boot("sleep 32; echo alive", "--qemu-args",
                                    f"-monitor unix:{folder}/corrected,server=on,wait=off",
                                    meanwhile=send_corrected)
    test.expect(status == 0 and "alive" in output, "dom0 does not notice corrected errors")
    test.expect("corrected an error, 1 times" in log and "corrected an error, 2 times" in log,
                "the first and the second are told")
    test.expect("cpu 1 bank 4 status 9c000000000000c0 address 000000000abcd000" in log, "with the bank")
    test.expect("corrected an error, 3 times" not in log, "the third is not")

    status, output, log = test.boot("sleep 100", "--smp", "4", "--hypervisor-args", "dom0_max_vcpus=1",
                                    "--qemu-args", f"-monitor unix:{folder}/mce,server=on,wait=off",
                                    meanwhile=send_machine_check)
    test.expect(status == 125, "a machine check stops the machine")
    test.expect("machine check: cpu 3 bank 4 status bd000000000000c0 address 000000000abcd000" in log,
                "the bank is reported")
    test.expect("Exception 18 (machine check)" in log, "and the registers of that CPU")
test.finish()
