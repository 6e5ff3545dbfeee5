#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manager under a headless compositor, with a daemon that has no hypervisor.

test_manager.py MULLIOND MULLION MULLION-MANAGER [PICTURE.png]
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TIMEOUT = 90
NOBODY = 65534
COLOURS = {"red": (0xb3, 0x15, 0x2a), "green": (0x2f, 0x7d, 0x32), "blue": (0x1d, 0x5f, 0xc4)}
SWAY = "xwayland disable\noutput HEADLESS-1 resolution 1024x700\ndefault_border none\n"


def wait_for(what, condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {TIMEOUT} s for {what}")
        time.sleep(0.1)


def picture(environment):
    done = subprocess.run(["grim", "-t", "ppm", "-"], env=environment, capture_output=True,
                          check=False)
    return done.stdout


def count(ppm, colour):
    """Pixels of exactly this colour; runs of four, so that bytes out of step do not count."""
    return ppm.count(bytes(colour) * 4)


def run(top, mulliond, mullion, manager, keep):
    children = []
    runtime = top / "runtime"
    runtime.mkdir(mode=0o700)
    (top / "domains").mkdir()
    (top / "sway").write_text(SWAY)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "WLR_BACKENDS": "headless",
                   "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1",
                   "GSK_RENDERER": "cairo", "GDK_BACKEND": "wayland", "HOME": str(top),
                   "GSETTINGS_BACKEND": "memory", "GTK_A11Y": "none"}

    def start(*command, **options):
        children.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                         **options))
        return children[-1]

    def call(*words):
        return subprocess.run([mullion, "--session", *words], env=environment, check=False,
                              capture_output=True, text=True)

    try:
        # It does not run as root.
        os.chown(runtime, NOBODY, NOBODY)
        top.chmod(0o755)
        start("sway", "-c", str(top / "sway"), user=NOBODY, group=NOBODY, extra_groups=[])
        wait_for("the compositor", lambda: list(runtime.glob("wayland-?")))
        environment["WAYLAND_DISPLAY"] = next(runtime.glob("wayland-?")).name
        start(mulliond, "--session", "--offline", "--domains", str(top / "domains"),
              "--volumes", str(top / "volumes"))
        wait_for("the daemon", lambda: call("list").returncode == 0)
        image = top / "volumes" / "system.img"
        image.write_bytes(b"system" * 1000)
        for words in (("template", "create", "debian", str(image)),
                      ("domain", "create", "work", "template=debian", "label=green"),
                      ("domain", "create", "mail", "template=debian", "label=blue")):
            assert call(*words).returncode == 0, words
        window = start(manager, "--session")
        wait_for("the domains with their colours",
                 lambda: (shot := picture(environment)) and count(shot, COLOURS["green"]) > 40
                 and count(shot, COLOURS["blue"]) > 40)
        print("ok: the window shows the domains and their colours")
        red = count(picture(environment), COLOURS["red"])
        assert red < 40, red
        # What happens elsewhere appears by itself.
        assert call("domain", "create", "news", "template=debian", "label=red").returncode == 0
        wait_for("a new domain", lambda: count(picture(environment), COLOURS["red"]) > 40)
        print("ok: a new domain appears")
        if keep:
            subprocess.run(["grim", keep], env=environment, check=True)
        assert call("domain", "start", "work").returncode == 1      # --offline: it cannot
        assert call("domain", "remove", "mail").returncode == 0
        wait_for("a domain to go", lambda: count(picture(environment), COLOURS["blue"]) < 40)
        print("ok: a removed domain goes")
        # The daemon ends: the window says so and lives on.
        children[1].terminate()
        children[1].wait(TIMEOUT)
        wait_for("an empty list", lambda: count(picture(environment), COLOURS["green"]) < 40)
        assert window.poll() is None
        print("ok: it outlives the daemon")
    finally:
        for child in reversed(children):
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def main():
    if os.geteuid() != 0:
        print("SKIP: a loop mount needs root")
        return 77
    for program in ("sway", "grim", "dbus-run-session", "mkfs.xfs"):
        if not shutil.which(program):
            print(f"SKIP: {program} is not installed")
            return 77
    if "MULLION_TEST_BUS" not in os.environ:
        os.environ["MULLION_TEST_BUS"] = "1"
        os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, *sys.argv])
    programs = [os.path.abspath(path) for path in sys.argv[1:4]]
    with tempfile.TemporaryDirectory(prefix="mullion-manager-") as folder:
        top = pathlib.Path(folder)
        with open(top / "disk", "wb") as disk:
            disk.truncate(512 << 20)
        (top / "volumes").mkdir()
        subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(top / "disk")], check=True)
        if subprocess.run(["mount", "-o", "loop", str(top / "disk"), str(top / "volumes")],
                          check=False).returncode:
            print("SKIP: no loop mount of XFS here")
            return 77
        try:
            run(top, *programs, sys.argv[4] if len(sys.argv) > 4 else None)
        finally:
            subprocess.run(["umount", str(top / "volumes")], check=True)
    print("PASS")
    return 0


sys.exit(main())
