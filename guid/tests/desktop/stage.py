# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop in one machine: a headless compositor, daemons, agents and real programs.

The compositor (sway on its headless back-end) stands for dom0's desktop; every agent is a
"domain" over the local transport. Processes end with the stage, by their ids.
"""
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from virtual_input import VirtualInput

WIDTH, HEIGHT = 1280, 800
TIMEOUT = 90  # seconds; for machines that do much else, nothing waits this long when all is well
BACKGROUND = (0x40, 0x50, 0x60)
NOBODY = 65534

SWAY_CONFIG = f"""xwayland disable
output HEADLESS-1 resolution {WIDTH}x{HEIGHT} position 0 0 background #405060 solid_color
output WL-1 resolution {WIDTH}x{HEIGHT} position 0 0 background #405060 solid_color
output WL-2 resolution {WIDTH}x{HEIGHT} position {WIDTH} 0 background #405060 solid_color
default_border none
default_floating_border none
input * repeat_delay 10000
focus_follows_mouse no
for_window [app_id=".*"] floating enable
"""

LABELS = {"red": (0xb3, 0x15, 0x2a), "green": (0x2f, 0x7d, 0x32), "blue": (0x1d, 0x5f, 0xc4),
          "purple": (0x7d, 0x2f, 0xa8)}


class Skip(Exception):
    """Something that this machine does not have."""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def wait_for(what, condition, timeout=TIMEOUT, seen=None):
    """Calls condition() until it gives something true, which is returned.

    seen() says, when it never does, what was there instead.
    """
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            instead = f"; there is {seen()!r}" if seen else ""
            raise AssertionError(f"waited {timeout} s for: {what}{instead}")
        time.sleep(0.05)


def wait_same(what, get, expected, timeout=TIMEOUT):
    wait_for(f"{what} to be {expected!r}", lambda: get() == expected, timeout, get)


def same(what, seen, expected):
    if seen != expected:
        raise AssertionError(f"{what}: expected {expected!r}, seen {seen!r}")


def at_least(what, seen, limit):
    if not seen >= limit:
        raise AssertionError(f"{what}: expected {limit!r} or more, seen {seen!r}")


def at_most(what, seen, limit):
    if not seen <= limit:
        raise AssertionError(f"{what}: expected {limit!r} or less, seen {seen!r}")


def has(what, seen, part):
    if part not in seen:
        raise AssertionError(f"{what}: expected {part!r} in it, seen {seen!r}")


class Picture:
    """A screenshot: rows of RGB."""

    def __init__(self, ppm):
        match = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
        self.width, self.height = int(match[1]), int(match[2])
        self.data = ppm[match.end():]

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.data[at:at + 3])

    def crop(self, x, y, width, height):
        rows = (self.data[(row * self.width + x) * 3:(row * self.width + x + width) * 3]
                for row in range(y, y + height))
        return Picture(b"P6 %d %d 255\n" % (width, height) + b"".join(rows))

    def count(self, colour, tolerance=24):
        """How many pixels look like this colour."""
        d, r, g, b = self.data, *colour
        return sum(1 for i in range(0, len(d), 3)
                   if abs(d[i] - r) <= tolerance and abs(d[i + 1] - g) <= tolerance
                   and abs(d[i + 2] - b) <= tolerance)

    def difference(self, other, tolerance=24):
        """Share of pixels, 0..1, that differ by more than the tolerance in any channel."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        a, b = self.data, other.data
        if a == b:
            return 0.0
        differing = sum(1 for i in range(0, len(a), 3)
                        if abs(a[i] - b[i]) > tolerance or abs(a[i + 1] - b[i + 1]) > tolerance
                        or abs(a[i + 2] - b[i + 2]) > tolerance)
        return differing / (self.width * self.height)

    def save(self, path):
        with open(path, "wb") as f:
            f.write(b"P6 %d %d 255\n" % (self.width, self.height) + self.data)


class Stage:
    def __init__(self, build_dir, keep=None):
        need("sway", "grim")
        self.bin = os.path.abspath(build_dir)
        self.keep = keep
        self.root = tempfile.mkdtemp(prefix="guid-stage.")
        os.chmod(self.root, 0o755)
        self.processes = []
        self.prefix = []
        self.desktop_dir = self._folder("desktop")
        self.vchan_dir = self._folder("vchan")
        self.guest_vchan_dir = self.vchan_dir  # another one with something in between
        self.socket = None
        self.input = None
        self.environment = {k: v for k, v in os.environ.items()
                            if k not in ("WAYLAND_DISPLAY", "DISPLAY", "SWAYSOCK",
                                         "DBUS_SESSION_BUS_ADDRESS")}
        self.environment.update(LC_ALL="C.UTF-8", GTK_A11Y="none", GSETTINGS_BACKEND="memory",
                                NO_AT_BRIDGE="1", HOME=self._folder("home"),
                                XDG_CACHE_HOME=self._folder("cache"))
        self.desktop = None

    def __enter__(self):
        self.start_desktop()
        return self

    def __exit__(self, *_):
        if self.keep and self.desktop and self.desktop.poll() is None:
            try:
                self.shot().save(os.path.join(self.keep, "last.ppm"))
            except Exception:  # the picture is an aid, the failure itself is told elsewhere
                pass
        for p in reversed(self.processes):
            self.end(p)
        shutil.rmtree(self.root, ignore_errors=True)

    def _folder(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def start(self, argv, log, stdin=subprocess.DEVNULL, **environment):
        env = dict(self.environment, **environment)
        path = os.path.join(self.root, log + ".log")
        with open(path, "ab") as out:
            p = subprocess.Popen(argv, env=env, stdout=out, stderr=out, stdin=stdin,
                                 cwd=self.root, start_new_session=True)
        p.log = path
        self.processes.append(p)
        return p

    def end(self, p, how=signal.SIGTERM):
        if p.poll() is None:
            try:
                os.killpg(p.pid, how)
                p.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait(TIMEOUT)
            except ProcessLookupError:
                pass
        if p in self.processes:
            self.processes.remove(p)

    def kill(self, p):
        os.kill(p.pid, signal.SIGKILL)
        p.wait(TIMEOUT)

    def log(self, p):
        with open(p.log, errors="replace") as f:
            return f.read()

    @staticmethod
    def as_user(*argv):
        """What starts this without any privilege, whoever runs the tests."""
        if os.geteuid():
            return list(argv)
        need("setpriv")
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv]

    # ---- dom0 ----

    def start_desktop(self, **environment):
        config = os.path.join(self.root, "sway.conf")
        with open(config, "w") as f:
            f.write(SWAY_CONFIG)
        argv = self.as_user("sway", "-c", config)  # sway does not run as root
        if os.geteuid() == 0:
            os.chown(self.desktop_dir, NOBODY, NOBODY)
        for name in os.listdir(self.desktop_dir):
            os.unlink(os.path.join(self.desktop_dir, name))
        ipc = os.path.join(self.desktop_dir, "sway.sock")
        environment.setdefault("WLR_BACKENDS", "headless")
        self.desktop = self.start(argv, "sway", XDG_RUNTIME_DIR=self.desktop_dir, SWAYSOCK=ipc,
                                  HOME=self.desktop_dir, WLR_RENDERER="pixman",
                                  WLR_LIBINPUT_NO_DEVICES="1", **environment)
        self.socket = os.path.join(self.desktop_dir, "wayland-1")
        wait_for("the desktop to start", lambda: self._is_desktop_up(ipc))
        self.ipc = ipc
        self.input = VirtualInput(self.socket, WIDTH, HEIGHT)
        self.input.move(WIDTH - 2, HEIGHT - 2)

    def start_inner_desktop(self):
        """Another desktop, whose monitors are windows of the first: they can go.

        Returns what takes a monitor away. (The headless back-end does not turn one off.)
        """
        outer, ipc = self.socket, self.ipc
        self.desktop_dir = self._folder("inner")
        self.start_desktop(WLR_BACKENDS="wayland", WLR_WL_OUTPUTS="2", WAYLAND_DISPLAY=outer)

        def unplug(name):
            inner, self.ipc = self.ipc, ipc
            self.sway(f'[title="{name}"] kill')
            self.ipc = inner
            wait_for("a monitor to go", lambda: name not in self.outputs(), seen=self.outputs)
        return unplug

    def _is_desktop_up(self, ipc):
        if self.desktop.poll() is not None:
            raise AssertionError("sway ended: " + self.log(self.desktop))
        return os.path.exists(self.socket) and os.path.exists(ipc)

    def shot(self, output=None, scale=1):
        where = ["-o", output] if output else []
        result = subprocess.run(["grim", *where, "-s", str(scale), "-t", "ppm", "-"], stdout=subprocess.PIPE, check=True,
                                timeout=TIMEOUT, env=dict(self.environment, WAYLAND_DISPLAY=self.socket,
                                                     XDG_RUNTIME_DIR=self.desktop_dir))
        return Picture(result.stdout)

    def wait_changed(self, what, before, share=0.005):
        """The picture when at least this share of it differs from the one before."""
        def find():
            now = self.shot()
            return now if now.difference(before) >= share else None
        return wait_for(what, find, seen=lambda: f"{self.shot().difference(before):.4f} changed")

    def wait_back(self, what, before, share=0.01):
        wait_for(what, lambda: self.shot().difference(before) < share,
                 seen=lambda: f"{self.shot().difference(before):.4f} changed")

    def keep_shot(self, name):
        if self.keep:
            self.shot().save(os.path.join(self.keep, name + ".ppm"))

    def sway(self, command):
        result = subprocess.run(["swaymsg", "-s", self.ipc, "-r", command],
                                stdout=subprocess.PIPE, timeout=TIMEOUT, env=self.environment)
        answer = json.loads(result.stdout)
        same(f"the desktop's answer to {command!r}", [a for a in answer if not a["success"]], [])
        return answer

    def outputs(self):
        """Names of the monitors that are on."""
        found = json.loads(subprocess.run(
            ["swaymsg", "-s", self.ipc, "-r", "-t", "get_outputs"], stdout=subprocess.PIPE,
            check=True, timeout=TIMEOUT, env=self.environment).stdout)
        return [o["name"] for o in found if o["active"]]

    def windows(self):
        """Title, rectangle and focus of every window on the desktop."""
        tree = json.loads(subprocess.run(
            ["swaymsg", "-s", self.ipc, "-r", "-t", "get_tree"], stdout=subprocess.PIPE,
            check=True, timeout=TIMEOUT, env=self.environment).stdout)
        found, todo = [], [tree]
        while todo:
            node = todo.pop()
            todo += node.get("nodes", []) + node.get("floating_nodes", [])
            if node.get("pid"):
                r = node["rect"]
                found.append({"title": node["name"], "focused": node["focused"], "id": node["id"],
                              "rect": (r["x"], r["y"], r["width"], r["height"])})
        return found

    def find_window(self, title_part):
        return next((w for w in self.windows() if title_part in (w["title"] or "")), None)

    def window(self, title_part):
        """The window whose title contains this, when it is there."""
        return wait_for(f"a window {title_part!r}", lambda: self.find_window(title_part),
                        seen=self.windows)

    def focused(self, title_part):
        """The same, when it gets what is typed: all that follows is delivered in order."""
        def find():
            w = self.find_window(title_part)
            return w if w and w["focused"] else None
        return wait_for(f"a window {title_part!r} with the focus", find, seen=self.windows)

    def focus(self, window):
        self.sway(f'[con_id={window["id"]}] focus')
        return wait_for(f"{window['title']!r} to have the focus", lambda: next(
            (w for w in self.windows() if w["id"] == window["id"] and w["focused"]), None),
            seen=self.windows)

    def at_rest(self, title_part):
        """A window that has got its last size, and the picture with it."""
        while True:
            before = self.focused(title_part)
            picture = self.settled()
            now = self.window(title_part)
            if now == before:
                return now, picture

    def wait_rect(self, title_part, rect):
        wait_same(f"the place of {title_part!r}",
                  lambda: (self.find_window(title_part) or {"rect": None})["rect"], rect)

    def no_windows_of(self, title_part):
        wait_for(f"no window {title_part!r}", lambda: not self.find_window(title_part),
                 seen=self.windows)

    def no_windows(self):
        wait_for("all windows to go", lambda: not self.windows(), seen=self.windows)

    def settled(self, rect=None, timeout=30):
        """A picture (of a part) that stays the same for a moment."""
        end = time.monotonic() + timeout
        before = None
        while time.monotonic() < end:
            now = self.shot()
            if rect:
                now = now.crop(*rect)
            if before and now.data == before.data:
                return now
            before = now
            time.sleep(0.25)
        return before

    # ---- domains ----

    def guid(self, domain, name="work", label="red", *options):
        return self.start([*self.prefix, os.path.join(self.bin, "mullion-guid"),
                           f"--domain={domain}", f"--name={name}", f"--label={label}", *options],
                          f"guid{domain}", stdin=subprocess.PIPE, VCHAN_SOCKET_DIR=self.vchan_dir,
                          VCHAN_DOMAIN="0", WAYLAND_DISPLAY=self.socket, GDK_BACKEND="wayland",
                          XDG_RUNTIME_DIR=self.desktop_dir)

    def agent(self, domain, *program, options=()):
        return self.start([*self.prefix, os.path.join(self.bin, "mullion-gui-agent"), "--no-repeat",
                           *options, "--", *program],
                          f"agent{domain}", VCHAN_SOCKET_DIR=self.guest_vchan_dir,
                          VCHAN_DOMAIN=str(domain), XDG_RUNTIME_DIR=self._folder(f"run{domain}"))

    def become_user(self):
        """From now on daemons and agents have no privilege, as in dom0's session."""
        self.prefix = self.as_user()
        for folder in (self.vchan_dir, self.guest_vchan_dir, self._folder("run1")):
            if self.prefix:
                os.chown(folder, NOBODY, NOBODY)


def run(cases):
    """Runs the named cases (all without names); 77 when every one was skipped."""
    build_dir = os.environ.get("GUID_BIN", "build/guid")
    keep = os.environ.get("GUID_SHOTS")
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for case in cases:
        name = case.__name__
        if wanted and not any(w in name for w in wanted):
            continue
        started = time.monotonic()
        stage = None
        try:
            stage = Stage(build_dir, keep)
            with stage:
                try:
                    case(stage)
                except Exception:
                    for p in stage.processes:
                        print(f"---- {os.path.basename(p.log)}\n{stage.log(p)[-3000:]}")
                    raise
            passed += 1
            print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skip as why:
            skipped += 1
            print(f"SKIP {name}: {why}", flush=True)
        except Exception as error:  # one broken case does not hide the others
            failed += 1
            import traceback
            traceback.print_exc()
            print(f"FAILED {name}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    if failed:
        return 1
    return 0 if passed else 77
