# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver's half of the protocol in installer/images/dom0/agent.c."""

import base64
import os
import socket


class Agent:
    """Talks to the agent in dom0 over QEMU's second serial port, a UNIX socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.pending = b""
        self.is_ready = False
        self.status = None

    def fileno(self):
        return self.socket.fileno()

    def receive(self, command):
        """Handle what has arrived. Returns False when QEMU has closed the line."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if not data:
            return False
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            self.handle(line.strip(b"\r\0"), command)
        return True

    def handle(self, line, command):
        # Firmware or a boot loader may have written before the agent: look for the mark.
        kind, _, payload = line[line.find(b"@"):].partition(b" ")
        if kind == b"@READY":
            self.is_ready = True
            words = b"".join(os.fsencode(word) + b"\0" for word in command)
            self.socket.setblocking(True)
            self.socket.sendall(b"@RUN " + base64.b64encode(words) + b"\n")
            self.socket.setblocking(False)
        elif kind in (b"@OUT", b"@ERR"):
            write_all(1 if kind == b"@OUT" else 2, base64.b64decode(payload))
        elif kind == b"@EXIT":
            self.status = int(payload)

    def bye(self):
        """After the status: the machine may go down now."""
        self.socket.setblocking(True)
        try:
            self.socket.sendall(b"@BYE\n")
        except OSError:
            pass        # it is down already
        self.socket.setblocking(False)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]
