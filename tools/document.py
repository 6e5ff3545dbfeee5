# SPDX-License-Identifier: GPL-2.0-or-later
"""./run --open FILE: the document's way to a disposable, seen from outside of the machine.

tools/document.sh runs in dom0 and talks through files in the shared folder: `requested` appears
when the document was asked for (its time is the host's), then this side looks at the screen until
the disposable's window is there and not blank, and says so with `seen`.
"""

import pathlib
import re
import shutil
import time

import monitor
import screen
from progress import Failure, say

DISPOSABLE_LABEL = "orange"     # as in document.sh
NAME_OK = re.compile(r"[A-Za-z0-9._ -]{1,200}")
SIZE_MAX = 512 << 20
LOOK_SECONDS = 0.1


def check(path):
    """A sentence for each file that cannot be opened, before anything is started."""
    if not path.exists():
        raise Failure(f"--open {path}: there is no such file")
    if not path.is_file():
        raise Failure(f"--open {path}: this is not a file")
    size = path.stat().st_size
    if size == 0:
        raise Failure(f"--open {path}: the file is empty")
    if size > SIZE_MAX:
        raise Failure(f"--open {path}: {size >> 20} MiB; at most {SIZE_MAX >> 20} MiB are opened")
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Failure(f"--open {path}: {error.strerror}") from error


def prepare(share, path):
    """The command for dom0; share is an empty folder."""
    name = path.name if NAME_OK.fullmatch(path.name) else "document" + path.suffix[:16]
    (share / "document").mkdir()
    shutil.copyfile(path, share / "document" / name)
    shutil.copyfile(pathlib.Path(__file__).with_name("document.sh"), share / "document.sh")
    return ["bash", "/mnt/share/document.sh", name]


class Watch:
    """Looks for the window between two steps of ./run's main loop."""

    def __init__(self, share, monitor_path, screenshot):
        self.share = share
        self.monitor_path = monitor_path
        self.screenshot = screenshot
        self.monitor = None
        self.requested = None
        self.mapped = None
        self.seen = None
        self.next_look = 0

    def step(self):
        if self.seen or time.monotonic() < self.next_look:
            return
        if self.requested is None:
            try:
                self.requested = (self.share / "requested").stat().st_mtime
            except FileNotFoundError:
                return
        window = self.look()
        now = time.time()
        if window and self.mapped is None:
            self.mapped = now
            say(f"the disposable's window is mapped, {now - self.requested:.1f} s after the request")
        if window and not window.is_blank:
            self.seen = now
            say(f"its first pixels are there, {now - self.requested:.1f} s after the request")
            self.save()
            (self.share / "seen").write_text(f"{now:.3f}\n")
        self.next_look = time.monotonic() + LOOK_SECONDS

    def dump(self, path, kind):
        if self.monitor is None:
            self.monitor = monitor.Monitor(self.monitor_path)
        self.monitor.execute("screendump", filename=str(path), format=kind)

    def look(self):
        path = self.share.parent / "screen.ppm"
        self.dump(path, "ppm")
        try:
            return screen.Screen(path.read_bytes()).window(DISPOSABLE_LABEL)
        except ValueError:
            return None

    def save(self):
        if self.screenshot:
            self.dump(self.screenshot.resolve(), "png")
            say(f"the screen is in {self.screenshot}")

    def verdict(self, status):
        """The exit status of ./run: 0 only with a window that was mapped and not blank."""
        if status == 0 and not self.seen:
            say("no window with something in it appeared")
            return 1
        return status

