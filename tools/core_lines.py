#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of the trusted core, by folder: tools/core_lines.py [--limit N] [TOP]

Counted are the lines with code of what is linked into the hypervisor for x86: neither blank
lines, nor comments, nor tests, nor the host-process architecture. Code that is taken out of the
address space before dom0 runs (the AT_START list of the linker script) is printed apart: no guest
can reach it. So is the dom0 loader, which runs as dom0 and not in the hypervisor: it is trusted with
dom0's start (it makes dom0's kernel out of a file), and with nothing else.
"""

import argparse
import collections
import pathlib
import re
import sys

LIMIT = 30000
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def code_lines(path):
    text = COMMENT.sub(lambda m: "\n" * m.group().count("\n"), path.read_text(errors="replace"))
    return sum(1 for line in text.splitlines() if line.strip())


def at_start(root):
    """Names of the objects whose code is discarded, as the linker script lists them."""
    script = (root / "arch" / "x86" / "host" / "image.lds.S").read_text()
    return set(re.findall(r"^\s*AT_START\((\w+)\.c\.o\)", script, re.MULTILINE))


def loader_lines(top):
    return sum(code_lines(path) for path in (top / "loader").rglob("*")
               if path.suffix in (".c", ".h", ".S") and "tests" not in path.relative_to(top).parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=LIMIT)
    parser.add_argument("top", nargs="?", default=".")
    args = parser.parse_args()
    top = pathlib.Path(args.top).resolve()
    root = top / "hypervisor"
    counts = collections.Counter()
    discarded = at_start(root)
    discarded_count = 0
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.suffix not in (".c", ".h", ".S") or "tests" in relative.parts:
            continue
        if relative.parts[0] == "arch" and relative.parts[1] in ("unit", "arm64"):
            continue
        name = "_".join(relative.with_suffix("").parts)
        if path.suffix == ".c" and name in discarded:
            discarded_count += code_lines(path)
            discarded.remove(name)
            continue
        depth = 3 if relative.parts[0] == "arch" else 1
        counts["/".join(relative.parts[:depth]) if len(relative.parts) > 1 else "."] += \
            code_lines(path)
    for folder, count in sorted(counts.items()):
        print(f"{count:7} {folder}")
    total = sum(counts.values())
    print(f"{loader_lines(top):7} loader: runs as dom0, trusted with its start, not counted")
    print(f"{discarded_count:7} discarded before dom0 runs, not counted")
    print(f"{total:7} total, of at most {args.limit}")
    for name in sorted(discarded):
        print(f"the linker script discards {name}, which is no source file")
    return 1 if total > args.limit or discarded else 0


if __name__ == "__main__":
    sys.exit(main())
