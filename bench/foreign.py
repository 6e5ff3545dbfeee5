# SPDX-License-Identifier: GPL-2.0-or-later
"""Mapping and unmapping all pages of a domain, as a save does: milliseconds in the stock dom0."""

import pathlib
import re
import statistics
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGES = 32768
# Twice: only the second time do all of dom0's own tables for the pages exist.
COMMAND = f"""
xl create -p -q /usr/lib/mullion/mini/mini.cfg 'name="foreign"' memory={PAGES // 256 + 32} || exit
for i in 1 2; do /mnt/share/foreign_pages $(xl domid foreign) {PAGES} || exit; done
xl destroy foreign
"""


def one(hypervisor):
    """(milliseconds of mapping, of unmapping), or None."""
    done = subprocess.run([TOP / "run", "--no-build", "--headless", "--hypervisor", hypervisor,
                           "--share", TOP / "build" / "bench", "--timeout", "240", "--", COMMAND],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    found = re.findall(rf"pages {PAGES} map (\d+) ms unmap (\d+) ms", done.stdout)
    if done.returncode or len(found) != 2:
        print(f"foreign pages on {hypervisor}: exit status {done.returncode}\n{done.stdout[-1500:]}")
        return None
    return int(found[1][0]), int(found[1][1])


def measure(pairs):
    """{hypervisor: [(map, unmap) of each run]}, in turns: the machine's load then meets both."""
    runs = {"mullion": [], "xen": []}
    for _ in range(pairs):
        for name, rows in runs.items():
            found = one(name)
            if found:
                rows.append(found)
                print(f"foreign pages on {name}: map {found[0]} ms, unmap {found[1]} ms", flush=True)
    return runs


def rows(runs):
    """Medians, for bench/run's table."""
    def middle(name, value):
        values = [value(row) for row in runs[name]]
        return statistics.median(values) if values else None
    return {what: [middle("mullion", value), middle("xen", value)]
            for what, value in {"map": lambda r: r[0], "unmap": lambda r: r[1],
                                "both": sum}.items()}
