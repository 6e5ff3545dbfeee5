#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 pings QEMU's gateway through e1000e and virtio-net."""

from systemtest import SystemTest

test = SystemTest(__doc__)
for card, driver in (("e1000e", "e1000e"), ("virtio-net", "virtio_net")):
    status, output, _ = test.boot("ls -l /sys/class/net/eth0/device/driver; "
                                  "ping -c 5 -i 0.3 -W 5 10.0.2.2", "--net", card)
    test.expect(status == 0 and driver in output, f"five pings through {card}")
test.finish()
