# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 to multi-user: seconds, and what memory the hypervisor keeps."""

import json
import pathlib
import re
import statistics
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
KEPT = TOP / "build" / "bench" / "boot.json"
NAMES = ("mullion", "xen", "none")
MEMORY_MIB = 4096
# Everybody's memory that is neither free nor dom0's is the hypervisor's.
QUESTION = "xl info | grep -E '^(total|free)_memory'; xl list 0 | tail -n 1"


def one(hypervisor):
    """{"seconds": ..., "memory": MiB of the hypervisor}; nothing when it did not boot."""
    command = "true" if hypervisor == "none" else QUESTION
    done = subprocess.run([TOP / "run", "--no-build", "--headless", "--hypervisor", hypervisor,
                           "--memory", f"{MEMORY_MIB}M", "--timeout", "120", "--", command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    up = re.search(r"dom0 is up after ([0-9.]+) s", done.stdout)
    if not up:
        print(f"boot on {hypervisor}: not up\n{done.stdout[-1500:]}")
        return None
    found = {"seconds": float(up.group(1))}
    free = re.search(r"free_memory\s*:\s*(\d+)", done.stdout)
    dom0 = re.search(r"Domain-0\s+0\s+(\d+)", done.stdout)
    if free and dom0:
        found["memory"] = MEMORY_MIB - int(free.group(1)) - int(dom0.group(1))
    return found


def measure(pairs, is_fresh):
    kept = {name: [] for name in NAMES}
    if KEPT.exists() and not is_fresh:
        kept = json.loads(KEPT.read_text())
    for _ in range(pairs):
        for name in NAMES:
            found = one(name)
            if found:
                kept[name].append(found)
                print(f"boot on {name}: {found}", flush=True)
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def middle(rows, what):
    values = [row[what] for row in rows if what in row]
    return statistics.median(values) if values else None


def report(kept, table):
    count = min(len(kept[name]) for name in NAMES)
    if not count:
        print("\nboot: nothing measured yet (--pairs N)")
        return
    rows = {"to multi-user, s (median)": [middle(kept[name], "seconds") for name in NAMES],
            "memory of the hypervisor, MiB": [middle(kept["mullion"], "memory"),
                                              middle(kept["xen"], "memory"), None]}
    table(f"dom0, {count} runs each", ["mullion", "xen 4.17 (PV)", "no hypervisor"], rows)
    seconds = rows["to multi-user, s (median)"]
    print(f"to no hypervisor: mullion {seconds[0] / seconds[2]:.2f} (must: 1.5, goal: 1.15), "
          f"xen {seconds[1] / seconds[2]:.2f}")
