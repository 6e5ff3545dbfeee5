# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's monitor protocol, as far as it is needed: one command after the other."""

import json
import socket

from progress import Failure


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
