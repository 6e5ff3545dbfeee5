#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The question window under a headless compositor, driven by a virtual keyboard.

    test_ask.py [FOLDER]   keeps a picture of the window in FOLDER
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parents[3] / "guid/tests/desktop"))
from harness import *
import stage as guid_stage

KEEP = sys.argv[1] if len(sys.argv) > 1 else None
POLICY = ("test.Ask * @anyvm @default ask default_target=vault\n"
          "test.Ask * @anyvm @tag:offered ask\n"
          "* * @anyvm @anyvm deny\n")


def call(m, target="@default"):
    return subprocess.Popen(m.vm_command("work", target, "test.Ask+some-argument"), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(m.env, VCHAN_DOMAIN="5"))


def press(stage, *keys):
    for key in keys:
        stage.input.key(key, True)
        stage.input.key(key, False)


def finished(p):
    out = p.communicate(timeout=guid_stage.TIMEOUT)[0]
    return out, p.returncode


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, expected {wanted!r}")
    print(f"ok: {what}")


def unlocked(stage):
    """The window, when its words are no longer grey: it takes keys now."""
    def black():
        rect = stage.window("Question")["rect"]
        return stage.shot().crop(*rect).count((60, 60, 60), 12)
    guid_stage.wait_for("the window to take keys", lambda: black() > 200, seen=black)
    return stage.focused("Question")


def keys_before_the_window_is_known(stage, m, ask):
    """
    Typed in the first half second, seen by a program that was too busy to look: nothing of it
    counts. The program is stopped, so that both is certain.
    """
    for _ in range(20):
        began = time.monotonic()
        p = call(m)
        stage.window("Question")
        os.kill(ask.pid, signal.SIGSTOP)
        is_in_time = time.monotonic() - began < 0.45
        if is_in_time:
            press(stage, "Tab", "Return", "Escape")
            time.sleep(1)
        os.kill(ask.pid, signal.SIGCONT)
        unlocked(stage)
        if is_in_time:
            expect("keys in the first half second do nothing", p.poll(), None)
            return p
        press(stage, "Escape")
        finished(p)
        stage.no_windows()
    print("SKIP keys in the first half second: this machine does not show a window that fast")
    p = call(m)
    unlocked(stage)
    return p


def run(stage, m):
    ask = stage.start([str(BUILD / "ask" / "mullion-ask"), f"--socket={m.dir}/run/ask.sock"], "ask",
                      XDG_RUNTIME_DIR=stage.desktop_dir, WAYLAND_DISPLAY=stage.socket,
                      GDK_BACKEND="wayland", GSK_RENDERER="cairo", PATH=os.environ["PATH"])
    # It connects by itself; until then a question is a no.
    wait_for(lambda: m.vm("work", "vault", "other.Service").returncode == 126)

    def question():
        p = call(m)
        guid_stage.wait_for("a window or an answer",
                            lambda: p.poll() is not None or stage.windows())
        if p.poll() is None:
            return p
        p.communicate()
    p = guid_stage.wait_for("the window's program to connect", question)
    unlocked(stage)
    press(stage, "Escape")
    finished(p)
    stage.no_windows()

    p = keys_before_the_window_is_known(stage, m, ask)
    expect("the window is still there", len(stage.windows()), 1)
    if KEEP:
        stage.shot().save(os.path.join(KEEP, "ask.ppm"))
    press(stage, "Tab", "Return")
    expect("the default target by keyboard", finished(p), (b"7\n", 0))
    stage.no_windows()

    p = call(m)
    unlocked(stage)
    press(stage, "Down", "Tab", "Return")
    expect("another target by keyboard", finished(p), (b"9\n", 0))
    stage.no_windows()

    p = call(m)
    unlocked(stage)
    press(stage, "Escape")
    expect("Escape is a no", finished(p), (b"", 126))
    stage.no_windows()

    p = call(m)
    w = unlocked(stage)
    stage.sway(f'[con_id={w["id"]}] kill')
    expect("closing the window is a no", finished(p), (b"", 126))
    stage.no_windows()

    p = call(m)
    stage.window("Question")
    p.kill()
    p.communicate()
    m.kill("policy")
    stage.no_windows()
    print("ok: a question whose policy process is gone disappears")


def main():
    m = Machine(policy=POLICY, domains=("work:5", "vault:7", "bank:9", "net:11"))
    try:
        m.service("test.Ask", "#!/bin/sh\necho $VCHAN_DOMAIN\n")
        for name in ("vault", "bank", "net"):
            m.ids.pop(name)
        m.set_domains("vault type=AppVM label=black tags=offered\nbank type=AppVM label=green tags=offered\n"
                      "net type=AppVM label=red\n")
        wait_for(lambda: m.vm("work", "vault", "other.Service").returncode == 126)
        with guid_stage.Stage(str(BUILD)) as stage:
            run(stage, m)
    finally:
        m.close()


main()
