# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions from one place of a boot to another, the machine's load left out.

QEMU counts instructions (-icount shift=0) and, because it records the run, tells the count (QMP's
query-replay). Places are program counters at which its debugger interface stops: the same way for any
hypervisor, without a change to it.
"""

import lzma
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tools"))

import machine      # noqa: E402
from monitor import Monitor     # noqa: E402

NOTE_PV_ENTRY = 1
NOTE_PVH_ENTRY = 18
SECONDS = 280


def connect(path, qemu):
    while qemu.poll() is None:
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(str(path))
            s.settimeout(SECONDS)
            return s
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.02)
    raise RuntimeError("QEMU did not start")


class Debugger:
    """As much of GDB's remote protocol as stopping at an address takes."""

    def __init__(self, s):
        self.socket = s

    def receive(self):
        data = b""
        while True:
            start, end = data.find(b"$"), data.find(b"#")
            if 0 <= start < end and len(data) >= end + 3:
                self.socket.sendall(b"+")
                return data[start + 1:end].decode()
            data += self.socket.recv(4096)

    def send(self, text):
        self.socket.sendall(b"$" + text.encode() + b"#%02x" % (sum(text.encode()) & 0xFF))

    def ask(self, text):
        self.send(text)
        return self.receive()

    def run_to(self, address):
        if self.ask(f"Z1,{address:x},1") != "OK":
            raise RuntimeError(f"no breakpoint at {address:#x}")
        self.ask("c")
        self.ask(f"z1,{address:x},1")


def count_between(m, entry, places):
    """Instructions from entry to each of places, which are passed in this order, and the serial log."""
    with tempfile.TemporaryDirectory(prefix="mullion-icount-") as name:
        folder = pathlib.Path(name)
        log = folder / "serial"
        command = machine.qemu_command(m, ["-serial", f"file:{log}"])
        at = command.index("-icount")
        command[at + 1] = f"shift=0,rr=record,rrfile={folder / 'record'}"
        command += ["-S", "-gdb", f"unix:{folder / 'gdb'},server=on,wait=off",
                    "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"]
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            debugger = Debugger(connect(folder / "gdb", qemu))
            control = Monitor(folder / "qmp")
            counts = []
            for place in [entry, *places]:
                debugger.run_to(place)
                counts.append(control.execute("query-replay")["icount"])
        finally:
            qemu.kill()
            qemu.wait()
        text = log.read_text(errors="replace") if log.exists() else ""
    return [count - counts[0] for count in counts[1:]], text


# --- where things are ---


def elf_entry(path):
    """Physical, of a 32-bit ELF file that a boot loader takes."""
    with open(path, "rb") as f:
        return struct.unpack_from("<I", f.read(52), 24)[0]


def symbol(path, name):
    text = subprocess.run(["nm", str(path)], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        words = line.split()
        if words[-1] == name:
            return int(words[0], 16)
    raise RuntimeError(f"{path}: no {name}")


def unpacked(vmlinuz):
    """The ELF file in a bzImage whose payload is xz, as Debian's."""
    data = vmlinuz.read_bytes()
    sectors, = struct.unpack_from("<B", data, 0x1F1)
    offset, size = struct.unpack_from("<II", data, 0x248)
    start = (sectors + 1) * 512 + offset
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data[start:start + size])


def xen_entries(elf):
    """{note type: address} of a 64-bit kernel's Xen notes."""
    table, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    found = {}
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", elf, table + i * size)
        end = at + length
        while kind == 4 and at + 12 <= end:
            name_size, value_size, note = struct.unpack_from("<III", elf, at)
            value_at = at + 12 + (name_size + 3) // 4 * 4
            if elf[at + 12:at + 16] == b"Xen\0" and value_size in (4, 8):
                found[note] = int.from_bytes(elf[value_at:value_at + value_size], "little")
            at = value_at + (value_size + 3) // 4 * 4
    return found
