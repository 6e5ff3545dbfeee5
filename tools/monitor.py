# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's monitor protocol, as far as it is needed: one command after the other."""

import json
import re
import socket
import time

from progress import Failure

TEXT_SCREEN = 0xB8000
TEXT_COLUMNS, TEXT_ROWS = 80, 25
ABSOLUTE_MAX = 0x7fff       # of a tablet's axis
CLICK_STEP_SECONDS = 0.2    # a machine in emulation takes events one after the other


class Monitor:
    """A connection to `-qmp unix:PATH`."""

    def __init__(self, path, timeout_seconds=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_seconds)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rw", encoding="utf-8")
        json.loads(self.stream.readline())      # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                raise Failure(f"QEMU ended during {command}")
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"QEMU's {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def text_screen(self):
        """The lines of the VGA text screen, from its memory."""
        command = f"xp /{TEXT_COLUMNS * TEXT_ROWS}hx {TEXT_SCREEN:#x}"
        answer = self.execute("human-monitor-command", **{"command-line": command})
        cells = [int(word, 16) for line in answer.splitlines() if re.match(r"[0-9a-f]{16}:", line)
                 for word in line.split(":", 1)[1].split()]
        rows = [cells[at:at + TEXT_COLUMNS] for at in range(0, len(cells), TEXT_COLUMNS)]
        return "\n".join("".join(chr(cell & 0xFF) for cell in row).rstrip() for row in rows)


def click(monitor, point, size):
    """The left button at a point of a screen of this size; needs a tablet in the machine."""
    axes = [{"type": "abs", "data": {"axis": axis, "value": at * ABSOLUTE_MAX // whole}}
            for axis, at, whole in zip("xy", point, size)]
    steps = [axes] + [[{"type": "btn", "data": {"button": "left", "down": is_down}}]
                      for is_down in (True, False)]
    for events in steps:
        monitor.execute("input-send-event", events=events)
        time.sleep(CLICK_STEP_SECONDS)
