# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's monitor, and what the machine's text screen shows."""

import re
import socket

COLUMNS = 80
ROWS = 25
TEXT = 0xB8000


class Monitor:
    """The human monitor on a unix socket, one command at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(60)
        self.read_answer()

    def read_answer(self):
        data = b""
        while not data.endswith(b"(qemu) "):
            more = self.socket.recv(65536)
            if not more:
                break
            data += more
        return data.decode(errors="replace")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.read_answer()

    def screen(self):
        """The lines of the VGA text screen, from its memory."""
        answer = self.ask(f"xp /{COLUMNS * ROWS}hx {TEXT:#x}")
        cells = [int(word, 16) for line in answer.splitlines() if re.match(r"[0-9a-f]{16}:", line)
                 for word in line.split(":", 1)[1].split()]
        rows = [cells[at:at + COLUMNS] for at in range(0, len(cells), COLUMNS)]
        return "\n".join("".join(chr(cell & 0xFF) for cell in row).rstrip() for row in rows)
