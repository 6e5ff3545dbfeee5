#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command of Debian's unmodified xl, with the mini guest, its disks and its network."""

import pathlib
import re
import shutil
import tempfile

from systemtest import SystemTest

# What the script must say, on Xen as on Mullion. A number alone is an exit status.
EXPECTED = {
    # the machine
    "info cpus": "2", "info caps": "1", "info scheduler": "credit2", "info numa": "0",
    "list": "Domain-0 0 2", "list long": "0", "uptime": "0", "dmesg": "yes", "debug-keys": "0",
    "debug-keys help": "yes", "dmesg cleared": "yes",
    "xenstore read": "one two ", "xenstore list": "a b ", "xenstore ls": 'a = "one" b = "two" ',
    "xenstore watch": "/tool/test/a /tool/test/a ", "xenstore chmod": "(n0,r1)",
    "xenstore exists": "1",
    # a domain, its console and its vCPUs
    "create": "0", "up": "yes", "console": "mini: pong", "ping": "mini: pong", "domid": "0",
    "domname": "a", "create again": "1",
    "vcpu-pin": "0", "ping moved": "mini: pong", "vcpu-pin list": "1 1 / all", "vcpu-pin soft": "0",
    "vcpu-pin soft list": "1 1 / 0", "vcpu-pin off": "0", "vcpu-pin off list": "all / all",
    "ping pinned": "mini: pong", "vcpu-pin nowhere": "1", "vcpu-pin nobody": "1",
    "vcpu-set": "0", "vcpu-set cpus": "mini: 2 cpus", "vcpu-set list": "yes",
    "vcpu-set back": "0", "vcpu-set back list": "yes", "vcpu-set back state": "--p",
    "vcpu-set too many": "1",
    # memory, pause, name, weight
    "mem-set": "0", "mem-set list": "yes", "mem-set back": "0", "mem-set back list": "yes",
    "mem-max": "0", "xentop": "1 308224 2", "mem-max back": "0",
    "pause": "0", "pause list": "yes", "pause silent": "yes", "unpause": "0",
    "unpause speaks": "yes", "unpause again": "0",
    "rename": "0", "rename list": "1", "rename back": "0",
    "sched-credit2": "0", "sched-credit2 list": "512 50", "sched-credit2 all": "0",
    "sched-credit2 back": "0", "sched-credit2 weight 0": "1", "sched-credit2 cap": "1",
    # pools of CPUs
    "cpupool-list": "Pool-0 2 y 2", "cpupool-cpu-remove": "0", "cpupool-create": "0",
    "cpupool-list side": "1 y 0", "cpupool-migrate": "0", "cpupool-migrate list": "side",
    "ping in pool": "mini: pong", "cpupool cpu": "1", "cpupool-destroy busy": "1",
    "cpupool-rename": "0", "cpupool-migrate back": "0", "cpupool-destroy": "0",
    "cpupool-cpu-add": "0", "cpupool-list end": "Pool-0 2 2", "cpupool-migrate dom0": "1",
    # keys and buttons
    "sysrq": "0", "sysrq seen": "yes", "trigger": "0", "trigger seen": "yes",
    "ping after NMI": "mini: pong", "trigger power": "0", "ping after triggers": "mini: pong",
    # disks
    "block-attach": "0", "block-attach second": "0", "block-list": "51712 0 4 51728 0 4 ",
    "copy": "mini: copied 16777216 bytes", "block-detach": "0", "block-detach second": "0",
    "block-list end": "yes", "no disk": "mini: no disk", "loop free": "yes", "copy same": "yes",
    "block-attach nothing": "1", "block-detach nothing": "1",
    # network
    "create b": "0", "network-attach": "0", "network-list": "0 0 00:16:3e:00:00:0a 4",
    "net a": "mini: net 10.0.9.2", "net b": "mini: net 10.0.9.3", "ping from dom0": "10",
    "ping dom0": "mini: 10.0.9.1 answered 3 times",
    "ping each other": "mini: 10.0.9.2 answered 3 times", "exchange same": "True",
    "exchange domains": "mini: 16777216 of 16777216 bytes came back from 10.0.9.2",
    "network-detach": "0", "network-list end": "yes", "vif gone": "yes",
    # ends
    "reboot": "0", "reboot id": "yes", "ping rebooted": "mini: pong",
    "shutdown": "0", "shutdown gone": "yes", "crash kept": "yes",
    "destroy": "0", "destroy gone": "yes", "destroy again": "1", "destroy dom0": "1",
    "pause nobody": "1",
    # what cannot be, refused before anything is taken
    "create without kernel": "3", "create no note": "3", "create too large": "3",
    "create many vcpus": "3", "create b again": "0",
    "destroy b": "0", "nothing left": "1", "end": "reached",
}

test = SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-share-") as share:
    shutil.copy(pathlib.Path(__file__).with_suffix(".sh"), share)
    _, output, _ = test.boot("bash /mnt/share/toolstack.sh", "--share", share, timeout=500)
facts = dict(re.findall(r"^([a-zA-Z][-a-zA-Z0-9 ]*): (.*?)\r?$", output, re.MULTILINE))
for name, value in EXPECTED.items():
    test.expect(facts.get(name) == value, f"{name}: {value}, got {facts.get(name)}")
test.expect(facts.get("info version") == ("4.17" if test.args.hypervisor == "xen" else "4.17-mullion"),
            "the tools' version of the interface is told")
for left in ("memory", "nodes", "backends"):
    start, end = facts.get(f"{left} start"), facts.get(f"{left} end")
    test.expect(start is not None and start == end, f"{left}: {start} before the last domains, {end} after")
test.expect(not re.search("WARNING:|BUG:|Oops:|blkback.*error", output),
            "dom0's kernel has nothing to complain of")
test.finish()
