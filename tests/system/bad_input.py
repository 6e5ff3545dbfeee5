#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input at start gets a sentence on the serial console and on the screen, then a reboot or a halt.

Broken kernels and initrds, missing hardware, wrong options. No disk: nothing of this gets to
dom0's userland.
"""

import gzip
import lzma
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

from systemtest import SystemTest, TOP

sys.path.insert(0, str(TOP / "tools"))

import image        # noqa: E402
import machine      # noqa: E402
from monitor import Monitor     # noqa: E402

SECONDS = 240       # an emulated start takes three; a loaded machine is patient
BARE = TOP / "build" / "hypervisor" / "tests" / "guest" / "version.elf"
FIRST = "Check the file that the boot loader loads as the first module."
SECOND = "Check the file that the boot loader loads as the second module."
MORE = "Give the first domain more memory with dom0_mem=."


def boot(folder, kernel, initrd=None, is_over=None, **fields):
    """The serial log of a machine that should end by itself (or by is_over, with its screen)."""
    log = folder / "serial"
    log.write_bytes(b"")
    m = machine.Machine(kernel=kernel, has_initrd=False, disk="none", net="none", memory_mib=512,
                        **{"smp": 1, **fields})
    command = machine.qemu_command(m, ["-serial", f"file:{log}"])
    if initrd:
        command[command.index("-initrd") + 1] += f",{initrd}"
    if kernel is None:
        at = command.index("-initrd")
        del command[at:at + 2]
    command += ["-qmp", f"unix:{folder / 'monitor'},server=on,wait=off"]
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + SECONDS
    screen = ""
    try:
        while qemu.poll() is None and time.monotonic() < deadline:
            if is_over and is_over in log.read_text(errors="replace"):
                screen = Monitor(folder / "monitor").text_screen()
                break
            time.sleep(0.1)
        ended = qemu.poll() is not None
    finally:
        if qemu.poll() is None:
            qemu.kill()
        qemu.wait()
    return log.read_text(errors="replace"), ended, screen


def one_line(text):
    return " ".join(line.strip() for line in text.replace("(hv)", "").split("\n"))


class Cases:
    def __init__(self, test, folder):
        self.test = test
        self.folder = folder
        self.vmlinuz = image.image("dom0") / "vmlinuz"
        self.initrd = image.image("dom0") / "initrd"

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def refused(self, what, kernel, *sentences, **fields):
        log, ended, _ = boot(self.folder, kernel, **fields)
        text = one_line(log)
        missing = [s for s in sentences if s not in text]
        self.test.expect(not missing and ended and "Rebooting." in text,
                         f"{what}: {missing or sentences[0]}")
        if missing or not ended:
            print(log[-1500:], flush=True)

    def kernels(self):
        packed = self.vmlinuz.read_bytes()
        flipped = bytearray(packed)
        flipped[len(packed) // 2] ^= 0x10
        self.refused("half a kernel", self.file("half", packed[:len(packed) // 2]),
                     "the kernel is truncated", FIRST)
        self.refused("the kernel's first sector", self.file("sector", packed[:512]),
                     "Cannot start the first domain: the kernel", FIRST)
        self.refused("a flipped bit", self.file("flipped", bytes(flipped)), "corrupt", FIRST)
        self.refused("a text file", self.file("text", b"This is no kernel.\n" * 99),
                     "the kernel is neither a bzImage nor an ELF file", FIRST)
        bare = BARE.read_bytes()
        self.refused("a kernel without PVH entry",
                     self.file("no-note", bare.replace(b"Xen\0", b"Xan\0")),
                     "the kernel has no PVH entry", FIRST)
        self.refused("a kernel for where there is no RAM", self.file("high", moved(bare, 0xE0000000)),
                     "the kernel wants memory from 0xe0", "which is not all RAM", MORE)
        self.refused("too little memory for the kernel", self.vmlinuz,
                     "there is no memory to unpack the kernel", MORE,
                     hypervisor_args="dom0_mem=48M")
        self.refused("no kernel", None, "There is no kernel for the first domain")

    def initrds(self):
        whole = self.initrd.read_bytes()
        cut = self.file("cut", whole[:len(whole) * 2 // 3])
        self.refused("two thirds of the initrd", self.vmlinuz, "the initrd is truncated", SECOND,
                     initrd=cut)
        self.file("member", self.vmlinuz.read_bytes()[:1 << 20])
        plain = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=self.folder, check=True,
                               input=b"member\n", stdout=subprocess.PIPE).stdout
        packers = {"cpio": bytes, "gzip": gzip.compress,
                   "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
                   "zstd": lambda data: subprocess.run(["zstd", "-q"], input=data, check=True,
                                                       stdout=subprocess.PIPE).stdout}
        for name, pack in packers.items():
            data = pack(plain)
            for what, size in (("half", len(data) // 2), ("nearly all", len(data) - 5)):
                if name == "cpio" and what != "half":
                    continue        # its end is padding
                cut = self.file(f"cut.{name}", plain + data[:size])
                self.refused(f"{what} of an initrd's second part ({name})", self.vmlinuz,
                             "the initrd is truncated", SECOND, initrd=cut)

    def hardware(self):
        self.refused("no IOMMU", BARE, "IOMMU", iommu="none")
        self.refused("no SVM", BARE, "SVM", qemu_args="-cpu max,-svm")
        self.refused("no nested paging", BARE, "nested paging", qemu_args="-cpu max,+svm,-npt")

    def options(self):
        self.refused("a size that is none", BARE, "dom0_mem= must be a size",
                     hypervisor_args="dom0_mem=lots")
        self.refused("a number that is none", BARE, "dom0_max_vcpus= must be a number",
                     hypervisor_args="dom0_max_vcpus=x")
        self.refused("an overlong command line", BARE, "is too long", hypervisor_args="x" * 3000)

    def halts(self):
        """With noreboot the sentence stays, on the screen too."""
        kernel = self.file("text", b"This is no kernel.\n" * 99)
        log, ended, screen = boot(self.folder, kernel, is_over="Halted (noreboot)",
                                  hypervisor_args="noreboot console=com1,vga")
        self.test.expect("Halted (noreboot)" in log and not ended, "noreboot: it waits")
        shown = "".join(screen.split())     # lines are broken where the screen ends
        self.test.expect("neitherabzImagenoranELFfile" in shown and "firstmodule" in shown,
                         "the sentence is on the screen")
        print(screen)


def moved(elf, physical):
    """The same ELF file with its last segment somewhere else."""
    out = bytearray(elf)
    is_64bit = elf[4] == 2
    table, = struct.unpack_from("<Q" if is_64bit else "<I", elf, 32 if is_64bit else 28)
    size, count = struct.unpack_from("<HH", elf, 54 if is_64bit else 42)
    for i in reversed(range(count)):
        at = table + i * size
        if struct.unpack_from("<I", elf, at)[0] == 1:
            struct.pack_into("<Q" if is_64bit else "<I", out, at + (24 if is_64bit else 12), physical)
            break
    return bytes(out)


test = SystemTest(__doc__, only={"help": "kernels, initrds, hardware, options or halts"})
with tempfile.TemporaryDirectory(prefix="mullion-bad-") as name:
    cases = Cases(test, pathlib.Path(name))
    for group in ("kernels", "initrds", "hardware", "options", "halts"):
        if test.args.only in (None, group):
            getattr(cases, group)()
test.finish()
