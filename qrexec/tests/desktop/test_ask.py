#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The question window under a headless compositor, driven by a virtual keyboard, and the notices.

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
# The desktop's side of notifications: writes what it is told.
NOTES = """
import os
from gi.repository import Gio, GLib
XML = '<node><interface name="org.freedesktop.Notifications"><method name="Notify">' + ''.join(
    f'<arg type="{t}" direction="in"/>' for t in ('s', 'u', 's', 's', 's', 'as', 'a{sv}', 'i')
    ) + '<arg type="u" direction="out"/></method></interface></node>'
def note(bus, sender, path, interface, method, arguments, invocation):
    with open(os.environ['LOG'], 'a') as f:
        f.write(f'{arguments[3]}|{arguments[4]}\\n')
    invocation.return_value(GLib.Variant('(u)', (1,)))
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object('/org/freedesktop/Notifications', Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], note)
Gio.bus_own_name_on_connection(bus, 'org.freedesktop.Notifications', 0, None, None)
print('ready', flush=True)
GLib.MainLoop().run()
"""
POLICY = ("test.Loud * @anyvm @anyvm allow notify=yes\n"
          "test.Quiet * @anyvm @anyvm deny notify=no\n"
          "test.Ask * @anyvm @default ask default_target=vault\n"
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


class Bus:
    """A session bus with nobody on it but the desktop's notifications."""

    def __init__(self, m):
        self.log = m.dir / "notes"
        self.log.touch()
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--print-address", "--nofork"], stdout=subprocess.PIPE, text=True)
        self.address = self.bus.stdout.readline().strip()
        self.notes = subprocess.Popen(["/usr/bin/python3", "-c", NOTES], stdout=subprocess.PIPE,
                                      env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.address, LOG=str(self.log)))
        if self.notes.stdout.readline() != b"ready\n":
            raise AssertionError("no notifications on the bus")

    def told(self):
        return self.log.read_text().splitlines()

    def close(self):
        for p in (self.notes, self.bus):
            p.kill()
            p.wait()
            p.stdout.close()


def notices(m, bus):
    """What policy did without asking is said where the user sees it."""
    def after(what, wanted, *call_of):
        before = len(bus.told())
        r = m.vm(*call_of)
        wait_for(lambda: len(bus.told()) > before, what=lambda: f"a notice of {what}: {bus.told()}")
        expect(f"notice: {what}", (r.returncode, bus.told()[before:]), wanted)
    after("denied", (126, ["work: denied|other.Service+x \u2192 vault: a rule denies it"]), "work", "vault", "other.Service+x")
    after("allowed, where asked", (0, ["work: allowed|test.Loud \u2192 vault: a rule allows it"]),
          "work", "vault", "test.Loud")
    after("unknown target", (126, ["work: denied|test.Loud \u2192 nowhere: there is no such target"]), "work", "nowhere", "test.Loud")
    before = len(bus.told())
    expect("denied without a notice", m.vm("work", "vault", "test.Quiet").returncode, 126)
    m.set_policy("nonsense\n", "60-broken.policy")
    wait_for(lambda: len(bus.told()) > before, what="a notice of a broken policy")
    expect("notice: the policy broke", bus.told()[-1].split("policy/")[0],
           f"dom0: denied|*: The policy is broken: {m.dir}/")
    after("denied by a broken policy",
          (126, [f"work: denied|test.Loud \u2192 vault: {m.dir}/policy/60-broken.policy:1:0: a rule is SERVICE ARGUMENT SOURCE TARGET ACTION"]), "work", "vault", "test.Loud")
    (m.dir / "policy" / "60-broken.policy").unlink()
    wait_for(lambda: m.vm("work", "vault", "test.Loud").returncode == 0, what="the policy is whole again")


def run(stage, m, bus):
    ask = stage.start([str(BUILD / "ask" / "mullion-ask"), f"--socket={m.dir}/run/ask.sock"], "ask",
                      XDG_RUNTIME_DIR=stage.desktop_dir, WAYLAND_DISPLAY=stage.socket,
                      GDK_BACKEND="wayland", GSK_RENDERER="cairo", PATH=os.environ["PATH"],
                      DBUS_SESSION_BUS_ADDRESS=bus.address)
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

    notices(m, bus)

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
        m.service("test.Loud", "#!/bin/sh\n")
        bus = Bus(m)
        for name in ("vault", "bank", "net"):
            m.ids.pop(name)
        m.set_domains("vault type=AppVM label=black tags=offered\nbank type=AppVM label=green tags=offered\n"
                      "net type=AppVM label=red\n")
        wait_for(lambda: m.vm("work", "vault", "other.Service").returncode == 126)
        try:
            with guid_stage.Stage(str(BUILD)) as stage:
                run(stage, m, bus)
        finally:
            bus.close()
    finally:
        m.close()


main()
