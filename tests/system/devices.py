#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 has the machine's other devices for real: keyboard and mouse at an xHCI controller, the standard
VGA as a DRM device, the real-time clock.

A key that is pressed on QEMU's monitor must come out of the keyboard's event device.
"""

import pathlib
import socket
import tempfile
import threading

from systemtest import SystemTest

COMMAND = """
set -e
udevadm settle
ls /dev/input/by-id
test -n "$(ls /dev/input/by-id | grep Mouse)" && echo mouse=yes
# Three events: scan code, key, end of the report. The key's: type 1, code 30 (a), value 1 (pressed);
# struct input_event, <linux/input.h>
timeout 120 head -c 72 /dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard*-event-kbd | od -An -v -w24 -t x1 |
	grep -q '01 00 1e 00 01 00 00 00$' && echo key=yes
grep -q '[1-9].*xhci_hcd' /proc/interrupts && echo interrupts=yes
echo drm=$(basename $(readlink /sys/class/drm/card0/device/driver))
before=$(date +%s)
hwclock --systohc && hwclock --hctosys
test $(($(date +%s) - before)) -lt 60 && echo clock=yes
"""


def press_keys(path, has_ended):
    """Presses `a` every two seconds, as soon as there is a monitor, until the machine is off."""
    while not has_ended.wait(2):
        try:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.connect(path)
                monitor.sendall(b"sendkey a\n")
                has_ended.wait(0.5)
        except OSError:
            pass


test = SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-devices-") as folder:
    path = str(pathlib.Path(folder, "monitor"))
    has_ended = threading.Event()
    presser = threading.Thread(target=press_keys, args=(path, has_ended))
    presser.start()
    status, output, log = test.boot(
        COMMAND, "--qemu-args", "-device qemu-xhci -device usb-kbd -device usb-mouse "
        f"-monitor unix:{path},server=on,wait=off", timeout=300)
    has_ended.set()
    presser.join()
test.expect(status == 0, "the command in dom0 succeeds")
test.expect("mouse=yes" in output, "the USB mouse is there")
test.expect("key=yes" in output, "a key of the USB keyboard arrives")
test.expect("interrupts=yes" in output, "the xHCI controller interrupts")
test.expect("drm=bochs" in output, "the VGA is a DRM device")
test.expect("clock=yes" in output, "the clock is set and read")
test.finish()
