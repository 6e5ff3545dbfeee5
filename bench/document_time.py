# SPDX-License-Identifier: GPL-2.0-or-later
"""A document's way from the request to its first pixel, and its parts, on Mullion and on Xen."""

import pathlib
import re
import statistics
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
GOAL_RATIO = 0.9
PARTS = {"policy answered": "policy answered", "machine built": "machine built",
         "agent connected": "its agent connected"}


def parts_of(output):
    """[{part: ms}] of each document, in the order of ./run's output."""
    found = []
    for line in output.splitlines():
        seen = re.search(r"first pixels are there, ([0-9.]+) s after the request \(([0-9.]+) s of CPU", line)
        part = re.match(r"part: (.*) after (\d+) ms", line)
        if seen:
            found.append({"first pixel": float(seen[1]) * 1000, "CPU": float(seen[2]) * 1000})
        for name, text in PARTS.items():
            if part and found and part[1] == text:
                found[-1].setdefault(name, int(part[2]))
    return found


def one(hypervisor, document, count):
    with tempfile.TemporaryDirectory(prefix="mullion-bench-") as folder:
        command = [TOP / "run", "--no-build", "--headless", "--hypervisor", hypervisor, "--memory", "5G",
                   "--boot-timeout", "600", "--screenshot", pathlib.Path(folder, "screen.ppm")]
        done = subprocess.run(command + ["--open", document] * count, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = parts_of(done.stdout)
    if done.returncode or len(found) != count:
        print(f"a document on {hypervisor}: status {done.returncode}\n{done.stdout[-2000:]}")
        return []
    print(f"documents on {hypervisor}: {found}", flush=True)
    return found


def measure(document, runs, count):
    """{hypervisor: [{part: ms}]}: alternating runs, so that what else the machine does hits both."""
    found = {"mullion": [], "xen": []}
    for _ in range(runs):
        for hypervisor, rows in found.items():
            rows += one(hypervisor, document, count)
    return found


def report(found, table):
    def middle(hypervisor, part):
        values = [row[part] for row in found[hypervisor] if part in row]
        return statistics.median(values) / 1000 if values else None

    rows = {f"{part}, s": [middle(name, part) for name in found]
            for part in (*PARTS, "first pixel", "CPU")}
    table("a document in a disposable, after", ["mullion", "xen 4.17 (PV)"], rows)
    ours, theirs = rows["first pixel, s"]
    if ours and theirs:
        print(f"request to first pixel: {ours / theirs:.2f} of Xen's (must: {GOAL_RATIO})")
