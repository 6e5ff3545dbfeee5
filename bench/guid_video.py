#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that redraws a whole window as fast as it may, through agent and daemon.

    bench/guid_video.py [BUILD] [WIDTH HEIGHT SECONDS]

Prints frames a second, the longest pause between two, the share of frames that a 60 Hz monitor
would have shown and that were not there in time, and processor time of daemon and
agent together for each second and each megapixel; the program itself and the compositor
(which stands for dom0's desktop) are listed apart. Then the time from a key to the picture that
a program draws for it, and memory of the daemon with ten
windows, drawn in all the time and lying still: all that is resident in it, its share of that
(a page that N processes map counts as 1/N), and what nobody else maps.
"""
import os
import pathlib
import re
import signal
import sys
import time

# The headless compositor counts from when it has painted, which takes it 1.7 ms for this size:
# 60 frames a second are seen with
CLOCK_HZ = 66

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "guid/tests/desktop"))
import stage as staging  # noqa: E402


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        text = f.read()

    def mib(field):
        return sum(int(n) for n in re.findall(rf"^{field}:\s+(\d+)", text, re.M)) / 1024
    return (f"resident {mib('Rss'):.1f} MiB, its share {mib('Pss'):.1f} MiB, "
            f"of its own {mib('Private_(?:Clean|Dirty)'):.1f} MiB")


def video(build, width, height, seconds):
    with staging.Stage(build) as stage:
        guid = stage.guid(1)
        agent = stage.agent(1, os.path.join(build, "painter"), str(width), str(height), "0",
                            str(seconds))
        stage.window("[work]")
        daemon = children(guid.pid)[0]
        program = children(agent.pid)[0]
        start = {name: cpu_seconds(pid) for name, pid in
                 (("daemon", daemon), ("agent", agent.pid), ("program", program),
                  ("compositor", stage.desktop.pid))}
        begun = time.monotonic()
        time.sleep(max(seconds - 1, 1))
        used = {name: cpu_seconds(pid) - start[name] for name, pid in
                (("daemon", daemon), ("agent", agent.pid), ("program", program),
                 ("compositor", stage.desktop.pid))}
        passed = time.monotonic() - begun
        staging.wait_for("the program's end", lambda: agent.poll() is not None, 30)
        frames, length, longest, late = re.search(
            r"frames (\d+) seconds ([0-9.]+) longest_ms ([0-9.]+) late (\d+)",
            stage.log(agent)).groups()
    rate = int(frames) / float(length)
    megapixels = rate * passed * width * height / 1e6
    print(f"video {width}x{height}: {rate:.1f} frames/s, longest pause {longest} ms, "
          f"{int(late) / (int(frames) + int(late)) * 100:.1f} % dropped")
    for name, cpu in used.items():
        print(f"  {name}: {cpu / passed * 100:.0f} % of a processor")
    ours = used["daemon"] + used["agent"]
    print(f"  daemon and agent: {ours / passed * 100:.0f} %, {ours / megapixels * 1000:.2f} ms for "
          "each megapixel")


def input_to_screen(build, count=40):
    """From a key of the virtual keyboard to the picture after it, painted and with the desktop."""
    with staging.Stage(build) as stage:
        stage.guid(1)
        agent = stage.agent(1, os.path.join(build, "painter"), "640", "480", "-1", "120")
        stage.focused("[work]")
        staging.wait_for("the focus", lambda: "focus" in stage.log(agent))
        times = []
        for i in range(count):
            time.sleep(0.1 + i % 7 * 0.003)  # at all points of a frame
            begun = time.monotonic()
            stage.input.press("Up")
            staging.wait_for("a picture", lambda: stage.log(agent).count("shown ") == i + 1)
            shown = float(re.findall(r"shown ([0-9.]+)", stage.log(agent))[-1])
            times.append((shown - begun) * 1000)
    times.sort()
    print(f"key to picture: half of {count} within {times[count // 2]:.1f} ms, nine of ten within "
          f"{times[count * 9 // 10]:.1f} ms; two frames are 33.3 ms")


def ten_windows(build):
    with staging.Stage(build) as stage:
        guid = stage.guid(1)
        script = os.path.join(stage.root, "ten")
        with open(script, "w") as f:
            f.write("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10; do\n"
                    f"{build}/painter 640 480 1 60 & sleep 0.1\ndone\nwait\n")
        os.chmod(script, 0o755)
        agent = stage.agent(1, script)
        staging.wait_for("ten windows", lambda: len(stage.windows()) == 10, 30)
        time.sleep(1)
        daemon = children(guid.pid)[0]
        print("ten windows of 640x480, drawn in:", memory(daemon))
        for program in children(children(agent.pid)[0]):
            os.kill(program, signal.SIGSTOP)
        time.sleep(4)
        print("ten windows of 640x480, still:", memory(daemon))


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else TOP / "build/guid")
    width, height, seconds = (int(w) for w in (sys.argv[2:5] or ("1920", "1080", "8")))
    staging.WIDTH, staging.HEIGHT = max(width, 1280), max(height + 100, 800)
    staging.SWAY_CONFIG = staging.SWAY_CONFIG.replace("1280x800",
                                                      f"{staging.WIDTH}x{staging.HEIGHT}@{CLOCK_HZ}Hz")
    video(build, width, height, seconds)
    input_to_screen(build)
    ten_windows(build)


if __name__ == "__main__":
    main()
