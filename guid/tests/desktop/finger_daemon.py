# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands for a daemon whose user has a touch screen, which no virtual device here is.

Speaks just enough for an agent to show its windows, and sends fingers over the extension.
"""
import os
import socket
import struct
import threading

from stage import wait_for

CREATE, MAP = 130, 132
HELLO, TOUCH = 1, 7
DOWN, MOTION, UP, CANCEL = range(4)


class FingerDaemon(threading.Thread):
    def __init__(self, folder, domain, width, height):
        super().__init__(daemon=True)
        self.folder, self.domain = folder, domain
        self.size = (width, height)
        self.shown = []  # ids of windows that are mapped, in order
        self.pages = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pages.bind(f"{folder}/share.{domain}.0.6000.sock")
        self.pages.listen(1)
        self.extension = None
        self.start()

    def connect(self, port):
        path = f"{self.folder}/vchan.{self.domain}.0.{port}.sock"
        wait_for(path, lambda: os.path.exists(path))
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        return s

    @staticmethod
    def read(s, size):
        data = b""
        while len(data) < size:
            chunk = s.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def take_pages(self):
        peer = self.pages.accept()[0]
        while True:
            data, fds, _, _ = socket.recv_fds(peer, 64, 4)
            for fd in fds:
                os.close(fd)
            if not data:
                return

    def run(self):
        threading.Thread(target=self.take_pages, daemon=True).start()
        self.extension = self.connect(6001)
        self.extension.sendall(struct.pack("<IIII", HELLO, 0, 4, 3))
        display = self.connect(6000)
        self.read(display, 4)
        display.sendall(struct.pack("<IIIII", 1 << 16 | 8, *self.size, 24, 4096))
        try:
            while True:
                kind, window, size = struct.unpack("<III", self.read(display, 12))
                self.read(display, size)
                if kind == MAP:
                    self.shown.append(window)
        except (EOFError, OSError):
            pass

    def finger(self, kind, number, x, y):
        """On the first window."""
        self.extension.sendall(struct.pack("<IIIIIii", TOUCH, self.shown[0], 16, kind, number, x, y))
