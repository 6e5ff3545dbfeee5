#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile each header alone: tools/check_headers.py TOP BUILD

The flags are those of a source file beside the header, or of the nearest one above it, taken
from the build's compile_commands.json.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

FOLDERS = ["base", "loader", "hypervisor", "common", "vchan", "qrexec", "guid", "stubdom", "domains",
           "desktop-files", "installer"]
HYPERVISOR_ROOTS = [".", "include", "arch/x86", "arch/x86/include"]


def flags_by_folder(build):
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (build / entry["file"]).resolve()
        if source.suffix != ".c":
            continue
        words = shlex.split(entry["command"])
        keep = []
        skip = False
        for word in words[1:]:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MQ", "-MT", "-c"):
                skip = word != "-c"
            elif word not in ("-MD", "-MMD") and not word.endswith(".c"):
                keep.append(word)
        commands.setdefault(source.parent, []).append((words[0], keep))
    # A folder may hold files of several programs: a header may need what any of them includes.
    flags = {}
    for folder, several in commands.items():
        compiler, longest = max(several, key=lambda command: len(command[1]))
        includes = [word for _, words in several for word in words
                    if word.startswith(("-I", "-D"))]
        flags[folder] = (compiler, longest + [word for word in dict.fromkeys(includes)
                                              if word not in longest])
    return flags


def flags_for(header, flags, top):
    folder = header.parent
    while folder != top.parent:
        if folder in flags:
            return flags[folder]
        below = [f for f in sorted(flags) if f.is_relative_to(folder) and folder != top]
        if below and "tests" not in below[0].relative_to(top).parts:
            return flags[below[0]]
        folder = folder.parent
    return None


def compile_alone(header, flags, top, build):
    found = flags_for(header, flags, top)
    compiler, words = found if found else ("cc", ["-std=gnu11", f"-I{top}"])
    if header.is_relative_to(top / "hypervisor"):
        words = words + [f"-I{top / 'hypervisor' / folder}" for folder in HYPERVISOR_ROOTS]
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        # Twice: a header without an include guard is found, too.
        source.write(f'#include "{header}"\n#include "{header}"\nextern int alone;\nint alone;\n')
        source.flush()
        done = subprocess.run([compiler, *words, "-Wno-unused-function", "-fsyntax-only", "-fdiagnostics-color=never",
                               source.name], cwd=build, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    return f"{header.relative_to(top)}:\n{done.stdout}" if done.returncode else None


def main():
    top, build = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    flags = flags_by_folder(build)
    headers = [h for folder in FOLDERS for h in sorted((top / folder).rglob("*.h"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(filter(None, pool.map(
            lambda h: compile_alone(h, flags, top, build), headers)))
    print("\n".join(problems) if problems else f"{len(headers)} headers compile alone")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
