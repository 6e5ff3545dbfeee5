#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The question window under a headless compositor, driven by a virtual keyboard.

    test_ask.py [FOLDER]   keeps a picture of the window in FOLDER
"""
import os
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
    out = p.communicate(timeout=15)[0]
    return out, p.returncode


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, expected {wanted!r}")
    print(f"ok: {what}")


def run(stage, m):
    stage.start([str(BUILD / "ask" / "mullion-ask"), f"--socket={m.dir}/run/ask.sock"], "ask",
                XDG_RUNTIME_DIR=stage.desktop_dir, WAYLAND_DISPLAY=stage.socket, GDK_BACKEND="wayland",
                GSK_RENDERER="cairo", PATH=os.environ["PATH"])
    # It connects by itself; until then a question is a no.
    wait_for(lambda: m.vm("work", "vault", "other.Service").returncode == 126)
    end = time.monotonic() + 20
    while True:
        p = call(m)
        time.sleep(0.3)
        if p.poll() is None:
            break
        p.communicate()
        if time.monotonic() > end:
            raise AssertionError("the window's program did not connect")
    stage.window("Question")
    # Typed blindly while the window comes up: nothing of it counts.
    seen = time.monotonic()
    press(stage, "Tab", "Return", "Escape")
    if time.monotonic() - seen < 0.4:
        time.sleep(0.1)
        expect("keys in the first half second do nothing", p.poll(), None)
    time.sleep(0.8)
    expect("the window is still there", len(stage.windows()), 1)
    if KEEP:
        stage.shot().save(os.path.join(KEEP, "ask.ppm"))
    press(stage, "Tab", "Return")
    expect("the default target by keyboard", finished(p), (b"7\n", 0))
    stage.no_windows()

    p = call(m)
    stage.window("Question")
    time.sleep(0.9)
    press(stage, "Down", "Tab", "Return")
    expect("another target by keyboard", finished(p), (b"9\n", 0))
    stage.no_windows()

    p = call(m)
    stage.window("Question")
    time.sleep(0.9)
    press(stage, "Escape")
    expect("Escape is a no", finished(p), (b"", 126))
    stage.no_windows()

    p = call(m)
    w = stage.window("Question")
    time.sleep(0.9)
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
        time.sleep(0.2)
        with guid_stage.Stage(str(BUILD)) as stage:
            run(stage, m)
    finally:
        m.close()


main()
