#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of the trusted core, by folder: tools/core_lines.py [--limit N] [TOP]

Counted are the lines with code of what is linked into the hypervisor for x86: neither blank
lines, nor comments, nor tests, nor the host-process architecture. The decoders that unpack dom0's
kernel have a line of their own and are not held against the limit: they read one file of the boot
loader before any domain exists, and nothing calls them afterwards. The sum with them is printed, too.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=LIMIT)
    parser.add_argument("top", nargs="?", default=".")
    args = parser.parse_args()
    root = pathlib.Path(args.top).resolve() / "hypervisor"
    counts = collections.Counter()
    unpack = 0
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.suffix not in (".c", ".h", ".S") or "tests" in relative.parts:
            continue
        if relative.parts[0] == "arch" and relative.parts[1] in ("unit", "arm64"):
            continue
        if relative.parts[0] == "boot" and path.name.startswith(("decompress", "crc")):
            unpack += code_lines(path)
            continue
        depth = 3 if relative.parts[0] == "arch" else 1
        counts["/".join(relative.parts[:depth]) if len(relative.parts) > 1 else "."] += \
            code_lines(path)
    for folder, count in sorted(counts.items()):
        print(f"{count:7} {folder}")
    total = sum(counts.values())
    print(f"{total:7} total, of at most {args.limit}")
    print(f"{unpack:7} more that unpack dom0's kernel, {total + unpack} in all")
    return 1 if total > args.limit else 0


if __name__ == "__main__":
    sys.exit(main())
