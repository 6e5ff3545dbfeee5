#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Agents that mean harm, and what it costs: the daemon, and the domain beside it."""
import os
import re
import signal
import sys
import time

from stage import LABELS, at_least, at_most, has, run, same, wait_for


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def own_kib(pid):
    """Memory of its own, and what it has in buffers of windows; the guest's pages are the guest's."""
    own, is_buffer = 0, False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            words = line.split()
            if not words[0].endswith(":"):
                is_buffer = "/memfd:gdk-wayland" in line
            elif words[0] == "Rss:" if is_buffer else words[0].startswith("Private_"):
                own += int(words[1])
    return own


def hostile(stage, what):
    program = os.path.join(stage.bin, "hostile_agent")
    return stage.start([program, what], "agent1", VCHAN_SOCKET_DIR=stage.vchan_dir,
                       VCHAN_DOMAIN="1")


def ends(stage, agent, word):
    wait_for("the agent's end", lambda: agent.poll() is not None, 300)
    has("the agent's words", stage.log(agent), word)


def is_survived(what, limit_mib=64):
    def case(stage):
        guid = stage.guid(1)
        agent = hostile(stage, what)
        largest = 0
        while agent.poll() is None:
            for pid in children(guid.pid):
                try:
                    largest = max(largest, own_kib(pid))
                except (FileNotFoundError, ProcessLookupError):
                    pass
            time.sleep(0.1)
        ends(stage, agent, "survived")
        same(f"the daemon's end, after {stage.log(guid)!r}", guid.poll(), None)
        same("ends by a signal", re.findall(".*ended by signal.*", stage.log(guid)), [])
        print(f"   {what}: {largest // 1024} MiB at most")
        at_most("KiB of its own", largest, limit_mib * 1024)
        stage.no_windows()
    case.__name__ = f"{what}_are_survived_within_{limit_mib}_MiB"
    return case


def is_closed(what, rule):
    def case(stage):
        guid = stage.guid(1)
        agent = hostile(stage, what)
        ends(stage, agent, "closed")
        wait_for("the daemon's end", lambda: guid.poll() is not None)
        same("the exit code", guid.returncode, 3)
        lines = [line for line in stage.log(guid).splitlines() if "was closed because" in line]
        same("lines about it", len(lines), 1)
        has("the line", lines[0], rule)
        stage.no_windows()
    case.__name__ = f"{what.replace('-', '_')}_ends_the_connection_and_is_named"
    return case


def frame_rate(stage):
    painter = stage.agent(2, os.path.join(stage.bin, "painter"), "400", "300", "0", "3")
    stage.window("[work]")
    wait_for("the painter's end", lambda: painter.poll() is not None)
    match = re.findall(r"frames (\d+) seconds ([0-9.]+)", stage.log(painter))[-1]
    stage.no_windows_of("[work]")
    return int(match[0]) / float(match[1])


def another_domain_keeps_its_frames_beside_a_flood(stage):
    stage.guid(2, "work", "green")
    alone = frame_rate(stage)
    stage.guid(1, "evil", "red")
    flood = hostile(stage, "damage")
    stage.window("[evil]")
    beside = frame_rate(stage)
    print(f"   {beside:.1f} frames a second beside the flood, {alone:.1f} without")
    # the compositor, two daemons and two agents share this machine's processors
    at_least("frames a second", beside, alone * 0.3 * min(os.cpu_count() / 2, 1))
    ends(stage, flood, "survived")


def each_changed_pixel_is_copied_once_and_painted_once(stage):
    """256 x 128 pixels are one tile of the daemon's: what changes is then what is painted."""
    width, height, part = 768, 384, 256
    guid = stage.guid(1)
    go = os.path.join(stage.root, "go")
    painter = os.path.join(stage.bin, "painter")
    # Only when the display is there: a window that is announced late is not copied before.
    agent = stage.agent(1, "sh", "-c", f"until [ -e {go} ]; do sleep 0.1; done; "
                                       f"{painter} {width} {height} {part} 2")
    wait_for("the connection", lambda: "daemon connected" in stage.log(agent))
    open(go, "w").close()
    wait_for("the painter's end", lambda: agent.poll() is not None)
    stage.no_windows()
    stage.end(guid)
    log = stage.log(agent)
    frames = int(re.search(r"frames (\d+)", log)[1])
    copied = int(re.search(r"copied (\d+) pixels", log)[1])
    painted = sum(int(n) for n in re.findall(r"painted (\d+) pixels", stage.log(guid)))
    at_least("frames", frames, 5)
    # the first picture, and its part for each other frame
    at_most("copied pixels", copied, width * height + frames * part * part)
    at_least("copied pixels", copied, (frames - 2) * part * part)
    at_most("painted pixels", painted, copied)
    at_least("painted pixels", painted, width * height)
    print(f"   {frames} frames, {copied} pixels copied, {painted} painted")


def mappings(pid, name):
    with open(f"/proc/{pid}/maps") as f:
        return f.read().count(f"/memfd:{name}")


def shared_regions(pid):
    """How many regions of shared pages a process has, mapped and as descriptors."""
    mapped = mappings(pid, "share")
    folder = f"/proc/{pid}/fd"
    files = 0
    for name in os.listdir(folder):
        try:
            files += "/memfd:share" in os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            pass
    return mapped, files


def a_thousand_resizes_leak_no_page(stage):
    guid = stage.guid(1)
    painter = os.path.join(stage.bin, "painter")
    agent = stage.agent(1, painter, "400", "300", "0", "3600", "1000")
    stage.window("[work]")
    daemon = children(guid.pid)[0]
    most, buffers = [0, 0], 0

    def is_done():
        nonlocal buffers
        buffers = max(buffers, mappings(daemon, "gdk-wayland"))
        for i, pid in enumerate((agent.pid, daemon)):
            most[i] = max(most[i], *shared_regions(pid))
        return "resized" in stage.log(agent)
    wait_for("a thousand sizes", is_done, 300)
    print(f"   {most[0]} regions at most in the agent, {most[1]} in the daemon, {buffers} buffers")
    at_most("regions of the agent", most[0], 3)
    at_most("regions of the daemon", most[1], 8)
    at_most("buffers of its window", buffers, 4)
    for name, pid in (("agent", agent.pid), ("daemon", daemon)):
        wait_for(f"the {name} to have those of one window", lambda: shared_regions(pid)[0] == 1,
                 seen=lambda: shared_regions(pid))


def a_window_that_lies_still_gives_a_buffer_back(stage):
    """One of two: the desktop shows the other. What changes then is painted in a new one."""
    guid = stage.guid(1)
    agent = stage.agent(1, os.path.join(stage.bin, "painter"), "400", "300", "200", "3600")
    x, y, width, height = stage.window("[work]")["rect"]
    daemon, program = children(guid.pid)[0], children(agent.pid)[0]

    def buffers():
        return mappings(daemon, "gdk-wayland")
    wait_for("two buffers", lambda: buffers() == 2, seen=buffers)
    for _ in range(3):
        os.kill(program, signal.SIGSTOP)
        wait_for("one buffer", lambda: buffers() == 1, seen=buffers)
        before = stage.shot().crop(x, y, width, height)
        at_least("red of its frame", before.count(LABELS["red"]), 2 * (width + height))
        os.kill(program, signal.SIGCONT)
        wait_for("another picture", lambda: 0.05 < stage.shot().crop(x, y, width, height)
                 .difference(before) < 0.5)
        wait_for("two buffers", lambda: buffers() == 2, seen=buffers)


def the_daemon_gives_up_its_rights(stage):
    """All that it has before the first byte of a guest; its parent reads nothing of any guest."""
    stage.become_user()
    guid = stage.guid(1)
    stage.agent(1, os.path.join(stage.bin, "painter"), "400", "300", "1", "3600")
    stage.window("[work]")
    daemon = children(guid.pid)[0]
    with open(f"/proc/{daemon}/status") as f:
        status = dict(line.split(":", 1) for line in f.read().splitlines())
    same("system calls", status["Seccomp"].strip(), "2")
    same("new privileges", status["NoNewPrivs"].strip(), "1")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        same(name, int(status[name], 16), 0)
    folder = f"/proc/{daemon}/fd"
    files = sorted({re.sub(r"\d+|\[.*\]", "", os.readlink(f"{folder}/{n}"))
                    for n in os.listdir(folder) if int(n) > 2})
    allowed = ("socket:", "pipe:", "anon_inode:", "/memfd:")
    same("files", [f for f in files if not f.startswith(allowed)], [])


CASES = [
    is_survived("windows"), is_survived("damage"), is_survived("resize"), is_survived("popups"), is_survived("dock"),
    is_survived("titles"), is_survived("huge"), is_survived("silent"),
    is_closed("too-many", "too many windows"),
    is_closed("unknown-window", "MAP: the window was created before"),
    is_closed("foreign-pages", "WINDOW_DUMP: a dump refers to pages that the domain shares"),
    another_domain_keeps_its_frames_beside_a_flood,
    each_changed_pixel_is_copied_once_and_painted_once,
    a_thousand_resizes_leak_no_page,
    a_window_that_lies_still_gives_a_buffer_back,
    the_daemon_gives_up_its_rights,
]

if __name__ == "__main__":
    sys.exit(run(CASES))
