# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a bare-metal guest in dom0's place and judge the last line of its console."""

import dataclasses
import pathlib
import shlex
import subprocess
import tempfile
import time

import machine

VERDICTS = ("PASS", "FAIL", "SKIP")
SETTLE_SECONDS = 2


@dataclasses.dataclass
class Guest:
    """A line of hypervisor/tests/guest/tests.list."""
    name: str
    smp: int = 1
    memory: int = 512
    timeout: float = 150
    qemu: str = ""
    hypervisor: str = ""            # added to the hypervisor's command line
    only: str = ""                  # xen or mullion: why is in the list, as a comment
    args: str = ""                  # the guest's own command line
    iommu: str = "intel"            # or amd
    elf: str = ""                   # the guest's file, when the name is another

    def file(self):
        return f"{self.elf or self.name}.elf"


def read_list(path):
    guests = []
    for line in path.read_text().splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        guest = Guest(words[0])
        for word in words[1:]:
            key, _, value = word.partition("=")
            kind = type(getattr(guest, key))
            setattr(guest, key, kind(value))
        guests.append(guest)
    return guests


def verdict_of(text):
    """(PASS, FAIL or SKIP, reason) of a finished console, or None."""
    for line in reversed(text.replace("\r", "").split("\n")[:-1]):
        words = line.split(None, 1)
        if words and words[0].rstrip(":") in VERDICTS:
            return words[0].rstrip(":"), words[1] if len(words) > 1 else ""
    return None


def machine_for(guest, elf, hypervisor, icount=False):
    return machine.Machine(
        hypervisor=hypervisor, dom0="pvh", smp=guest.smp, memory_mib=guest.memory, kernel=elf,
        has_initrd=False, disk="none", net="none", hypervisor_args=guest.hypervisor,
        dom0_args=guest.args, icount=icount, iommu=guest.iommu,
        qemu_args="-device isa-debug-exit,iobase=0xf4,iosize=4 " + guest.qemu)


def run(guest, elf, hypervisor, icount=False):
    """(verdict, reason, the guest's console, the hypervisor's console)"""
    m = machine_for(guest, elf, hypervisor, icount)
    with tempfile.TemporaryDirectory(prefix="mullion-guest-") as folder:
        log = pathlib.Path(folder, "com1")
        console = pathlib.Path(folder, "com2")
        console.touch()
        log.touch()
        command = machine.qemu_command(m, ["-serial", f"file:{log}", "-serial", f"file:{console}"])
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        deadline = time.monotonic() + guest.timeout
        verdict = None
        try:
            while time.monotonic() < deadline:
                has_ended = qemu.poll() is not None
                verdict = read_verdict(console, log)
                if has_ended or verdict:
                    break
                time.sleep(0.05)
        finally:
            if qemu.poll() is None:
                qemu.kill()
            messages = qemu.communicate()[0].decode(errors="replace")
        verdict = read_verdict(console, log) or verdict
        if verdict is None:
            why = "the machine ended" if has_ended else f"no verdict in {guest.timeout:.0f} s"
            verdict = ("FAIL", why)
        text = console.read_bytes().decode(errors="replace")
        return (*verdict, text, messages + log.read_bytes().decode(errors="replace"))


def read_verdict(console, log):
    """The guest speaks on COM2; when that does not answer, through the hypervisor's console."""
    return (verdict_of(console.read_bytes().decode(errors="replace"))
            or verdict_of(guest_part(log.read_bytes().decode(errors="replace"))))


def guest_part(text):
    lines = [line for line in text.replace("\r", "").split("\n") if "guest: " in line]
    return "\n".join(line.split("guest: ", 1)[1] for line in lines) + "\n"
