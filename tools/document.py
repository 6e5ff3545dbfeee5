# SPDX-License-Identifier: GPL-2.0-or-later
"""./run --open FILE: a document's way to a disposable, seen from outside of the machine.

tools/document.sh runs in dom0 and talks through files in the shared folder, one of each for every
document N (from 1 on). `requested.N` appears when it was asked for (its time is the host's); this
side then looks at the screen until the disposable's window is there and not blank, and says so with
`seen.N`. `close.N` asks this side to close the window as a user does, with the mouse.
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
CLICK_SECONDS = 10              # then once more: the desktop may not have been ready for the first


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


def prepare(share, paths):
    """The command for dom0; share is an empty folder."""
    names = []
    for number, path in enumerate(paths, 1):
        name = path.name if NAME_OK.fullmatch(path.name) else "document" + path.suffix[:16]
        folder = share / "documents" / str(number)
        folder.mkdir(parents=True)
        shutil.copyfile(path, folder / name)
        names.append(name)
    for script in ("document.sh", "dom0_lib.sh"):
        shutil.copyfile(pathlib.Path(__file__).with_name(script), share / script)
    return ["bash", "/mnt/share/document.sh", *names]


def picture_of(path, number):
    """a.png, a-2.png, a-3.png."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


class Watch:
    """Looks for the windows between two steps of ./run's main loop."""

    def __init__(self, share, monitor_path, screenshot, count, cpu_seconds):
        self.share = share
        self.monitor_path = monitor_path
        self.screenshot = screenshot
        self.count = count
        self.cpu_seconds = cpu_seconds      # of the machine's process, so far
        self.monitor = None
        self.seen = 0                       # so many documents
        self.requested = None               # when the next one was
        self.cpu_at_request = 0
        self.is_mapped = False
        self.next_look = self.next_click = 0

    def step(self):
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + LOOK_SECONDS
        if self.is_closing():
            self.close_window()
        if self.seen < self.count:
            self.look_for(self.seen + 1)

    def is_closing(self):
        """Only until the next document is asked for: that one's window shall stay."""
        return ((self.share / f"close.{self.seen}").exists() and
                not (self.share / f"requested.{self.seen + 1}").exists())

    def look_for(self, number):
        if self.requested is None:
            try:
                self.requested = (self.share / f"requested.{number}").stat().st_mtime
            except FileNotFoundError:
                return
            self.cpu_at_request = self.cpu_seconds()
        window = self.window()
        since = time.time() - self.requested
        cpu = self.cpu_seconds() - self.cpu_at_request
        if window and not self.is_mapped:
            self.is_mapped = True
            say(f"document {number}: its window is mapped, {since:.1f} s after the request")
        if window and not window.is_blank:
            say(f"document {number}: its first pixels are there, {since:.1f} s after the request "
                f"({cpu:.1f} s of CPU)")
            self.save(number)
            self.seen, self.requested, self.is_mapped = number, None, False
            (self.share / f"seen.{number}").write_text(f"{since:.3f}\n")

    def close_window(self):
        window = self.window()
        if window and time.monotonic() > self.next_click:
            self.next_click = time.monotonic() + CLICK_SECONDS
            monitor.click(self.connected(), window.close_button, window.screen_size)

    def connected(self):
        if self.monitor is None:
            self.monitor = monitor.Monitor(self.monitor_path)
        return self.monitor

    def dump(self, path, kind):
        self.connected().execute("screendump", filename=str(path), format=kind)

    def window(self):
        path = self.share.parent / "screen.ppm"
        self.dump(path, "ppm")
        try:
            return screen.Screen(path.read_bytes()).window(DISPOSABLE_LABEL)
        except ValueError:
            return None

    def save(self, number):
        if self.screenshot:
            path = picture_of(self.screenshot, number)
            self.dump(path.resolve(), screen.format_of(path))
            say(f"the screen is in {path}")

    def verdict(self, status):
        """The exit status of ./run: 0 only if every window was mapped and not blank."""
        if status == 0 and self.seen < self.count:
            say(f"no window with something in it appeared for document {self.seen + 1}")
            return 1
        return status
