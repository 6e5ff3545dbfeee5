#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails when a test is there but never runs: each tests/**/test_*.c and fuzz_*.c is named in a
meson.build of its own folder or one above it, by its file name or as a row of its bare name.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def build_text(folder):
    text = ""
    while folder != TOP:
        build = folder / "meson.build"
        if build.exists():
            text += build.read_text(encoding="utf-8")
        folder = folder.parent
    return text


def is_named(path):
    kind, bare = path.stem.split("_", 1)
    words = (re.escape(path.stem), f"['\"]{re.escape(bare)}['\"]",
             f"['\"]{re.escape(bare.replace('_', '-'))}['\"]")
    return any(re.search(word, build_text(path.parent)) for word in words) and bool(kind)


def main():
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "*.c"],
                            capture_output=True, text=True, check=False).stdout.split()
    tests = [TOP / f for f in listed if re.search(r"(^|/)tests/.*/(test|fuzz)_[^/]*\.c$", f)]
    missing = [p.relative_to(TOP) for p in tests if p.exists() and not is_named(p)]
    for path in missing:
        print(f"{path}: no meson.build names it, so it never runs")
    print(f"{len(tests)} test programs, {len(missing)} not built")
    return 1 if missing else 0


sys.exit(main())
