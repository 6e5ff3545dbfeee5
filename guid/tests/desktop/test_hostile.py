#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Agents that mean harm, and what it costs: the daemon, and the domain beside it."""
import os
import re
import sys
import time

from stage import run, wait_for


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def private_kib(pid):
    """Memory of its own: what it maps of the guest's pages is the guest's."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        text = f.read()
    return sum(int(n) for n in re.findall(r"Private_(?:Clean|Dirty):\s+(\d+)", text))


def hostile(stage, what):
    program = os.path.join(stage.bin, "hostile_agent")
    return stage.start([program, what], "agent1", VCHAN_SOCKET_DIR=stage.vchan_dir,
                       VCHAN_DOMAIN="1")


def ends(stage, agent, word, timeout=60):
    wait_for("the agent's end", lambda: agent.poll() is not None, timeout)
    assert word in stage.log(agent), stage.log(agent)


def is_survived(what, limit_mib=64):
    def case(stage):
        guid = stage.guid(1)
        agent = hostile(stage, what)
        largest = 0
        while agent.poll() is None:
            for pid in children(guid.pid):
                try:
                    largest = max(largest, private_kib(pid))
                except (FileNotFoundError, ProcessLookupError):
                    pass
            time.sleep(0.1)
        ends(stage, agent, "survived")
        assert guid.poll() is None, stage.log(guid)
        assert "ended by signal" not in stage.log(guid), stage.log(guid)
        assert largest < limit_mib * 1024, f"{largest} KiB of its own"
        stage.no_windows()
    case.__name__ = f"{what}_are_survived_within_{limit_mib}_MiB"
    return case


def is_closed(what, rule):
    def case(stage):
        guid = stage.guid(1)
        agent = hostile(stage, what)
        ends(stage, agent, "closed")
        wait_for("the daemon's end", lambda: guid.poll() is not None)
        assert guid.returncode == 3, guid.returncode
        lines = [line for line in stage.log(guid).splitlines() if "was closed because" in line]
        assert len(lines) == 1 and rule in lines[0], stage.log(guid)
        stage.no_windows()
    case.__name__ = f"{what.replace('-', '_')}_ends_the_connection_and_is_named"
    return case


def another_domain_keeps_its_frames_beside_a_flood(stage):
    stage.guid(1, "evil", "red")
    stage.guid(2, "work", "green")
    flood = hostile(stage, "damage")
    stage.window("[evil]")
    painter = stage.agent(2, os.path.join(stage.bin, "painter"), "400", "300", "0", "3")
    stage.window("[work]")
    wait_for("the painter's end", lambda: painter.poll() is not None, 30)
    match = re.search(r"frames (\d+) seconds ([0-9.]+)", stage.log(painter))
    rate = int(match[1]) / float(match[2])
    print(f"   {rate:.1f} frames a second beside the flood")
    # the compositor, two daemons and two agents share this machine's processors
    assert rate > 20 * min(os.cpu_count() / 2, 1), rate
    ends(stage, flood, "survived")


def each_changed_pixel_is_copied_once(stage):
    stage.guid(1)
    agent = stage.agent(1, os.path.join(stage.bin, "painter"), "600", "400", "64", "2")
    stage.window("[work]")
    wait_for("the painter's end", lambda: agent.poll() is not None, 30)
    log = stage.log(agent)
    frames = int(re.search(r"frames (\d+)", log)[1])
    copied = int(re.search(r"copied (\d+) pixels", log)[1])
    assert frames > 30, log
    # the first picture, and 64 x 64 for each other frame
    assert copied <= 600 * 400 + frames * 64 * 64, log
    assert copied >= (frames - 2) * 64 * 64, log


CASES = [
    is_survived("windows"), is_survived("damage"), is_survived("resize"), is_survived("popups"),
    is_survived("titles"), is_survived("huge"), is_survived("silent"),
    is_closed("too-many", "too many windows"),
    is_closed("unknown-window", "MAP: the window was created before"),
    is_closed("foreign-pages", "WINDOW_DUMP: a dump refers to pages that the domain shares"),
    another_domain_keeps_its_frames_beside_a_flood,
    each_changed_pixel_is_copied_once,
]

if __name__ == "__main__":
    sys.exit(run(CASES))
