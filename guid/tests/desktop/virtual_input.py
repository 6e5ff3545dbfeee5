# SPDX-License-Identifier: GPL-2.0-or-later
"""A keyboard and a pointer for a compositor that knows the wlroots protocols for virtual ones.

Speaks the Wayland wire directly, so that key codes are those of a real keyboard (evdev) under
a known layout; helpers that make their own keymaps would send codes that no keyboard has.
"""
import array
import os
import socket
import struct
import time

KEYMAP = """xkb_keymap {
 xkb_keycodes { include "evdev+aliases(qwerty)" };
 xkb_types { include "complete" };
 xkb_compat { include "complete" };
 xkb_symbols { include "pc+LAYOUT+inet(evdev)" };
};
"""

ROWS = [("1234567890-=", 2), ("qwertyuiop[]", 16), ("asdfghjkl;'`", 30), ("\\zxcvbnm,./", 43)]
SHIFTED = dict(zip("!@#$%^&*()_+{}:\"~|<>?", "1234567890-=[];'`\\,./"))
NAMED = {"Return": 28, "Escape": 1, "Tab": 15, "BackSpace": 14, "space": 57, "Shift": 42, "Ctrl": 29,
         "Alt": 56, "Up": 103, "Down": 108, "Left": 105, "Right": 106, "F10": 68, "F11": 87, "CapsLock": 58}
MODIFIERS = {"Shift": 1, "Ctrl": 4, "Alt": 8}
BUTTONS = {"left": 0x110, "right": 0x111, "middle": 0x112}


def key_code(name):
    """(evdev code, needs Shift) of a named key or a character."""
    if name in NAMED:
        return NAMED[name], False
    if name == " ":
        return 57, False
    shifted = name.isupper() or name in SHIFTED
    plain = SHIFTED.get(name, name.lower())
    for row, first in ROWS:
        if plain in row:
            return first + row.index(plain), shifted
    raise ValueError(f"no key for {name!r}")


class VirtualInput:
    def __init__(self, socket_path, width, height, layout="us"):
        self.size = (width, height)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(socket_path)
        self.next_id = 2
        self.globals = {}
        registry = self._new_id()
        self._send(1, 1, struct.pack("<I", registry))  # wl_display.get_registry
        self._roundtrip()
        seat = self._bind(registry, "wl_seat")
        keyboards = self._bind(registry, "zwp_virtual_keyboard_manager_v1")
        pointers = self._bind(registry, "zwlr_virtual_pointer_manager_v1")
        self.keyboard = self._new_id()
        self._send(keyboards, 0, struct.pack("<II", seat, self.keyboard))
        self.pointer = self._new_id()
        self._send(pointers, 0, struct.pack("<II", seat, self.pointer))
        fd = os.memfd_create("keymap")
        data = KEYMAP.replace("LAYOUT", layout).encode() + b"\0"
        os.write(fd, data)
        self._send(self.keyboard, 0, struct.pack("<II", 1, len(data)), fd)
        os.close(fd)
        self.modifiers = 0
        self._roundtrip()

    def _new_id(self):
        self.next_id += 1
        return self.next_id - 1

    def _send(self, obj, opcode, body=b"", fd=None):
        message = struct.pack("<II", obj, (8 + len(body)) << 16 | opcode) + body
        if fd is None:
            self.sock.sendall(message)
        else:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
            self.sock.sendmsg([message], rights)

    def _bind(self, registry, interface):
        if interface not in self.globals:
            raise RuntimeError(f"the compositor has no {interface}")
        name, version = self.globals[interface]
        new = self._new_id()
        text = interface.encode() + b"\0"
        body = struct.pack("<II", name, len(text)) + text + b"\0" * (-len(text) % 4)
        self._send(registry, 0, body + struct.pack("<II", 1, new))
        return new

    def _roundtrip(self):
        callback = self._new_id()
        self._send(1, 0, struct.pack("<I", callback))
        data = b""
        while True:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise RuntimeError("the compositor is gone")
            data += chunk
            while len(data) >= 8:
                obj, size_op = struct.unpack("<II", data[:8])
                size = size_op >> 16
                if len(data) < size:
                    break
                body, data = data[8:size], data[size:]
                if obj == 2 and size_op & 0xffff == 0:
                    name, length = struct.unpack("<II", body[:8])
                    interface = body[8:8 + length - 1].decode()
                    version = struct.unpack("<I", body[-4:])[0]
                    self.globals[interface] = (name, version)
                elif obj == 1 and size_op & 0xffff == 0:
                    raise RuntimeError(f"protocol error: {body!r}")
                elif obj == callback:
                    return

    @staticmethod
    def _now():
        return int(time.monotonic() * 1000) & 0xffffffff

    # ---- keyboard ----

    def key(self, name, is_press):
        code, _ = key_code(name)
        self._send(self.keyboard, 1, struct.pack("<III", self._now(), code, int(is_press)))
        if name in MODIFIERS:
            bit = MODIFIERS[name]
            self.modifiers = self.modifiers | bit if is_press else self.modifiers & ~bit
            self._send(self.keyboard, 2, struct.pack("<IIII", self.modifiers, 0, 0, 0))
        self._roundtrip()
        time.sleep(0.004)

    def press(self, *names):
        """Keys together: all but the last are held, as in press("Ctrl", "Shift", "c")."""
        for name in names:
            self.key(name, True)
        for name in reversed(names):
            self.key(name, False)

    def type(self, text):
        for c in text:
            if c == "\n":
                self.press("Return")
            elif key_code(c)[1]:
                self.press("Shift", SHIFTED.get(c, c.lower()))
            else:
                self.press(c)

    # ---- pointer ----

    def move(self, x, y):
        self._send(self.pointer, 1, struct.pack("<IIIII", self._now(), int(x), int(y), *self.size))
        self._send(self.pointer, 4)
        self._roundtrip()
        time.sleep(0.02)

    def button(self, name, is_press):
        self._send(self.pointer, 2,
                   struct.pack("<III", self._now(), BUTTONS[name], int(is_press)))
        self._send(self.pointer, 4)
        self._roundtrip()
        time.sleep(0.02)

    def click(self, x, y, name="left"):
        self.move(x - 1, y)
        self.move(x, y)
        self.button(name, True)
        self.button(name, False)

    def scroll(self, clicks):
        """Wheel clicks, down is positive."""
        for _ in range(abs(clicks)):
            step = 1 if clicks > 0 else -1
            self._send(self.pointer, 5, struct.pack("<I", 0))  # axis_source wheel
            self._send(self.pointer, 7, struct.pack("<IIii", self._now(), 0, step * 15 * 256, step))
            self._send(self.pointer, 4)
            self._roundtrip()
            time.sleep(0.03)
