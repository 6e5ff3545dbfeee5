#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mulliond and mullion on a session bus of their own, with a real XFS store, no hypervisor.

    test_daemon.py MULLIOND MULLION

Needs root for a loop mount; exit 77 (skipped) without it.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

failures = 0


def expect(what, truth, shown=""):
    global failures
    if not truth:
        failures += 1
        print(f"FAILED: {what} {shown}")


class World:
    def __init__(self, top, daemon, client):
        self.top, self.daemon_path, self.client_path = top, daemon, client
        self.domains, self.volumes = top / "domains", top / "volumes"
        self.domains.mkdir()
        self.daemon = None

    def start_daemon(self):
        self.daemon = subprocess.Popen(
            [self.daemon_path, "--session", "--offline", f"--domains={self.domains}",
             f"--volumes={self.volumes}"], stderr=subprocess.PIPE, text=True)
        for _ in range(1800):
            if self.mullion("list")[0] == 0:
                return
            time.sleep(0.05)
        sys.exit("the daemon does not answer")

    def stop_daemon(self):
        self.daemon.terminate()
        expect("the daemon ends cleanly", self.daemon.wait(90) == 0, self.daemon.stderr.read())

    def mullion(self, *words):
        done = subprocess.run([self.client_path, "--session", *words], capture_output=True,
                              text=True, timeout=90, check=False)
        return done.returncode, done.stdout, done.stderr

    def names(self):
        return [d["name"] for d in json.loads(self.mullion("list", "--json")[1])]


def test_domains(w):
    image = w.top / "system.img"
    image.write_bytes(b"system" * 1000)
    code, _, err = w.mullion("list")
    expect("without a daemon it says what to do", code == 1 and "systemctl start" in err, err)
    w.start_daemon()
    # the image must be on the store's file system to be shared with it
    code, _, err = w.mullion("template", "create", "debian", str(image))
    expect("an image elsewhere is refused with a reason", code == 1 and "reflink" in err
           or "share blocks" in err, err)
    image = w.volumes / "system.img"
    image.write_bytes(b"system" * 1000)
    expect("template", w.mullion("template", "create", "debian", str(image))[0] == 0)
    expect("domain", w.mullion("domain", "create", "work", "template=debian", "label=green",
                               "disposable.allowed=true")[0] == 0)
    expect("both are listed", w.names() == ["debian", "work"], w.names())
    expect("the template shares its blocks", (w.volumes / "debian/root.img").read_bytes() ==
           image.read_bytes())
    code, out, _ = w.mullion("domain", "show", "work")
    expect("show", code == 0 and "label=green" in out, out)
    expect("set", w.mullion("domain", "set", "work", "label=blue", "private_mib=4096")[0] == 0)
    expect("a home grows", (w.volumes / "work/private.img").stat().st_size == 4096 << 20)
    code, _, err = w.mullion("domain", "set", "work", "private_mib=100")
    expect("and does not shrink", code == 1 and "only grow" in err, err)
    expect("clone", w.mullion("domain", "clone", "work", "copy")[0] == 0)
    code, _, err = w.mullion("domain", "remove", "debian")
    expect("a template in use stays", code == 1 and "in use" in err, err)
    code, _, err = w.mullion("domain", "start", "work")
    expect("a start without hypervisor fails", code == 1 and "--offline" in err, err)
    expect("and leaves no run image", not (w.volumes / "work/root-run.img").exists())
    code, _, err = w.mullion("disposable", "start", "work")
    expect("a disposable as well", code == 1, err)
    expect("and leaves nothing", not list(w.volumes.glob("disp*")))
    code, out, err = w.mullion("volume", "list", "--json")
    disks = {(d["domain"], d["disk"]): d["size-bytes"] for d in json.loads(out)}
    expect("volumes", code == 0 and disks.get(("work", "private.img")) == 4096 << 20 and
           ("debian", "root.img") in disks, out + err)
    code, out, err = w.mullion("volume", "list")
    expect("volumes as a table", code == 0 and "4096 MiB" in out, out + err)
    for words in (("open", "work", "/nonexistent"), ("open", "work", str(w.top)),
                  ("open", "--disposable", "/dev/null"), ("open", "work", str(image)),
                  ("run", "work", "ls", "-l"), ("run", "--disposable", "ls", "-l"),
                  ("run", "--disposable", "--from=debian", "--", "ls"), ("run", "absent", "ls"),
                  ("run", "--app", "foot", "work"), ("run", "--disposable", "--app", "foot")):
        code, _, err = w.mullion(*words)
        expect(f"not reached: {' '.join(words)}", code == 125 and err.startswith("mullion: "),
               f"{code} {err}")
    new = w.volumes / "new.img"
    new.write_bytes(b"newer system")
    for words, reason in ((("template", "update", "work", str(new)), "no template"),
                          (("template", "update", "debian", "/nonexistent"), "No such file"),
                          (("template", "update", "absent", str(new)), "no domain"),
                          (("template", "update", "debian"), "offline")):
        code, _, err = w.mullion(*words)
        expect(f"refused: {' '.join(words)}", code in (1, 125) and reason in err, f"{code} {err}")
    root = w.volumes / "debian/root.img"
    expect("and the template is as before", root.read_bytes() == image.read_bytes())
    code, _, err = w.mullion("template", "update", "debian", str(new))
    expect("a template is updated", code == 0 and root.read_bytes() == b"newer system", err)
    expect("the document is untouched", image.read_bytes() == b"system" * 1000)
    expect("nothing was started", not list(w.volumes.glob("disp*")))
    for words in (("run",), ("run", "work"), ("open",), ("open", "work"), ("run", "--disposable"),
                  ("run", "--app"), ("run", "--app", "foot"), ("run", "--app", "foot", "work", "x"),
                  ("run", "--app", "../x", "work"), ("run", "--app", "-x", "work")):
        expect(f"usage: {' '.join(words)}", w.mullion(*words)[0] == 2)
    code, out, _ = w.mullion("doctor", "--json")
    findings = {f["question"]: f for f in json.loads(out)}
    expect("doctor", code == 1 and not findings["hypervisor"]["ok"] and
           findings["domains"]["ok"] and findings["hypervisor"]["advice"], out)
    code, out, _ = w.mullion("doctor")
    expect("doctor in words", code == 1 and "PROBLEM: " in out and "to do: " in out, out)
    code, _, err = w.mullion("domain", "set", "work", "disposables=debian")
    expect("disposables of one that allows none", code == 1 and "does not allow" in err, err)
    expect("remove", w.mullion("domain", "remove", "copy")[0] == 0)
    expect("nothing is left of it", not list(w.volumes.glob("*copy*")) and w.names() ==
           ["debian", "work"], list(w.volumes.iterdir()))
    w.stop_daemon()


def test_refusals(w):
    (w.domains / "broken.domain").write_text("[domain]\nkind=app\ntemplate=absent\n")
    (w.volumes / "disp12").mkdir()
    (w.volumes / "disp12/private-run.img").write_text("left by a crash")
    w.start_daemon()
    expect("what a crash left is swept up", not (w.volumes / "disp12").exists())
    code, out, err = w.mullion("list")
    expect("a broken description is named", code == 0 and "broken" in err and "absent" in err, err)
    for words in (("domain", "create", "Work", "template=debian"),
                  ("domain", "create", "work", "template=debian"),
                  ("domain", "create", "new", "template=nothing"),
                  ("domain", "create", "new", "kind=template"),
                  ("domain", "create", "broken", "template=debian"),
                  ("domain", "set", "work", "colour=red"),
                  ("domain", "set", "absent", "label=red"),
                  ("domain", "clone", "work", "debian"),
                  ("domain", "clone", "work", "dom0"),
                  ("domain", "remove", "absent"),
                  ("domain", "stop", "work"),
                  ("domain", "start", "absent")):
        code, _, err = w.mullion(*words)
        expect(f"refused: {' '.join(words)}", code == 1 and err.startswith("mullion: "),
               f"{code} {err}")
    for words in ((), ("domain",), ("domain", "start"), ("domain", "start", "a", "b"),
                  ("domain", "set", "work", "label"), ("--nonsense",)):
        expect(f"usage: {' '.join(words)}", w.mullion(*words)[0] == 2)
    expect("nothing was left", w.names() == ["debian", "work"] and
           not list(w.volumes.glob(".*")), list(w.volumes.iterdir()))
    w.stop_daemon()


def main():
    if os.geteuid() != 0:
        print("SKIP: a loop mount needs root")
        return 77
    if "MULLION_TEST_BUS" not in os.environ:
        os.environ["MULLION_TEST_BUS"] = "1"
        os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="mullion-daemon-") as folder:
        top = pathlib.Path(folder)
        disk = top / "disk"
        with open(disk, "wb") as f:
            f.truncate(512 << 20)
        (top / "volumes").mkdir()
        subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(disk)], check=True)
        mounted = subprocess.run(["mount", "-o", "loop", str(disk), str(top / "volumes")],
                                 check=False, capture_output=True, text=True)
        if mounted.returncode:
            print(f"SKIP: no loop mount of XFS here: {mounted.stderr.strip()}")
            return 77
        world = World(top, *map(os.path.abspath, sys.argv[1:3]))
        try:
            test_domains(world)
            test_refusals(world)
        finally:
            if world.daemon and world.daemon.poll() is None:
                world.daemon.kill()  # a failure is not to be hidden by a store in use
                world.daemon.wait()
            subprocess.run(["umount", str(top / "volumes")], check=True)
    print(f"{failures} failures")
    return 1 if failures else 0


sys.exit(main())
