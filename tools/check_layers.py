#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fail when an include goes up a layer: tools/check_layers.py [TOP]

The order is CONTRIBUTING.md's "Which way dependencies go"; this list is the part of it that a
program can read.
"""

import pathlib
import re
import sys

# Lowest first. A file may include its own layer and everything before it in the list.
HYPERVISOR = [
    "base", "include", "lib", "arch/contract", "arch/*/include", "arch/*/host", "core", "mm",
    "drivers", "sched", "domain", "policy", "memory", "evtchn", "grant", "ioreq", "vpci",
    "hypercall", "arch/*/guest", "boot",
]
# The real CPU and the kernel's services (log, panic, per-CPU data, locks) need each other.
SAME_LEVEL = {("arch/*/host", "core")}
# What the dom0 loader may use of the hypervisor's: plain headers and functions without state.
LOADER = {"base", "include", "lib"}
# What each daemon's folder may include besides itself.
DAEMONS = {
    "common": {"base"},
    "vchan": {"base", "common"},
    "qrexec": {"base", "common", "vchan"},
    "guid": {"base", "common", "vchan"},
    "stubdom": {"base", "common", "vchan"},
    "domains": {"base", "common", "vchan"},
    "desktop-files": {"base", "common", "qrexec"},
    "installer": {"base", "common", "qrexec"},
}
# Includes that go up today, each with its reason; a new one fails, one that is gone must leave here.
KNOWN = {
    "hypervisor/sched/sched.h: domain/vcpu.h": "the run queue links vcpus by their own list member",
    "hypervisor/sched/pool.h: domain/domain.h": "a domain is in one pool",
    "hypervisor/sched/sched_private.h: domain/vcpu.h": "what the run queue links",
    "hypervisor/sched/sched.c: domain/service.h": "registers what happens when a vcpu is made",
    "hypervisor/drivers/iommu/iommu.h: domain/domain.h": "a context belongs to a domain",
    "hypervisor/drivers/iommu/iommu.h: domain/service.h": "a context comes and goes with its domain",
    "hypervisor/hypercall/op_platform.c: boot/modules.h": "tells dom0 what the loader said",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def hypervisor_layer(relative):
    """The index in HYPERVISOR, or None for a file that no rule is about (tests, arch/unit)."""
    parts = relative.parts
    if "tests" in parts or parts[:2] == ("arch", "unit"):
        return None
    for index, layer in enumerate(HYPERVISOR):
        names = layer.split("/")
        if len(parts) > len(names) and all(a in ("*", b) for a, b in zip(names, parts)):
            return index
    return None


def resolve(name, source, roots):
    for root in (source.parent, *roots):
        path = (root / name)
        if path.exists():
            return path.resolve()
    return None


def check_hypervisor(top, problems, known):
    root = top / "hypervisor"
    roots = [root, root / "include", root / "arch" / "x86", root / "arch" / "x86" / "include", top]
    for source in sorted(p for p in root.rglob("*") if p.suffix in (".c", ".h", ".S")):
        layer = hypervisor_layer(source.relative_to(root))
        if layer is None:
            continue
        is_arch = source.relative_to(root).parts[0] == "arch"
        for name in INCLUDE.findall(source.read_text(errors="replace")):
            target = resolve(name, source, roots)
            if target is None or not target.is_relative_to(root):
                continue
            relative = target.relative_to(root)
            other = hypervisor_layer(relative)
            where = f"{source.relative_to(top)}: includes {name}"
            if other is None:
                continue
            if other > layer and (HYPERVISOR[layer], HYPERVISOR[other]) not in SAME_LEVEL:
                key = f"{source.relative_to(top)}: {name}"
                if key in KNOWN:
                    known.append(key)
                    continue
                problems.append(f"{where}: {HYPERVISOR[layer]} may not use {HYPERVISOR[other]}")
            if (not is_arch and HYPERVISOR[layer] != "boot" and relative.parts[0] == "arch"
                    and relative.parts[1] != "contract" and "/include/" not in str(relative)):
                problems.append(f"{where}: generic code uses arch/contract and <asm/> only")


def check_loader(top, problems):
    root = top / "hypervisor"
    for source in sorted(p for p in (top / "loader").rglob("*") if p.suffix in (".c", ".h", ".S")):
        if "tests" in source.parts:
            continue
        for name in INCLUDE.findall(source.read_text(errors="replace")):
            target = resolve(name, source, [root, root / "include", top])
            if target is None:
                continue
            owner = target.relative_to(top).parts[0]
            if owner == "hypervisor":
                owner = target.relative_to(root).parts[0]
            if owner not in LOADER | {"loader"}:
                problems.append(f"{source.relative_to(top)}: includes {name}: "
                                f"loader may not use {owner}")
    for source in sorted(p for p in root.rglob("*") if p.suffix in (".c", ".h", ".S")):
        for name in INCLUDE.findall(source.read_text(errors="replace")):
            if name.startswith("loader/") and name != "loader/interface.h":
                problems.append(f"{source.relative_to(top)}: includes {name}: "
                                "the hypervisor may know the loader's interface only")


def check_daemons(top, problems):
    for folder, allowed in DAEMONS.items():
        for source in sorted(p for p in (top / folder).rglob("*") if p.suffix in (".c", ".h")):
            if "tests" in source.parts:
                continue
            for name in INCLUDE.findall(source.read_text(errors="replace")):
                target = resolve(name, source, [top / folder, top])
                if target is None or not target.is_relative_to(top):
                    continue
                owner = target.relative_to(top).parts[0]
                if owner in ("build", folder) or owner in allowed:
                    continue
                problems.append(f"{source.relative_to(top)}: includes {name}: "
                                f"{folder} may not use {owner}")


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    problems = []
    known = []
    check_hypervisor(top, problems, known)
    check_loader(top, problems)
    check_daemons(top, problems)
    problems += [f"{key}: goes down now, take it out of KNOWN" for key in set(KNOWN) - set(known)]
    for key in known:
        print(f"known: {key}: {KNOWN[key]}")
    print("\n".join(problems) if problems else "every other include goes down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
