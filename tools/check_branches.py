#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fail when the hypervisor's image has an indirect branch that is not a thunk: check_branches.py ELF

A guest can teach the CPU where such a branch goes (docs/threat-model.md). Left out is what runs
before any guest does: all up to the exception stubs, that is head.S and what starts the other CPUs.
"""
import re
import subprocess
import sys

FIRST = "trap_stubs"
SYMBOL = re.compile(r"^([0-9a-f]+) <(.+)>:$")
BRANCH = re.compile(r"\t(?:notrack )?(?:call|jmp|ljmp|lcall)q? +\*")


def main():
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", sys.argv[1]], check=True,
                          capture_output=True, text=True).stdout
    names = [m.group(2) for m in map(SYMBOL.match, code.splitlines()) if m]
    if FIRST not in names or "__x86_indirect_thunk_rax" not in names:
        sys.exit(f"{sys.argv[1]}: no {FIRST} or no thunks: not the hypervisor as it is built now")
    where, is_first_past, found = "", False, []
    for line in code.splitlines():
        symbol = SYMBOL.match(line)
        if symbol:
            where = symbol.group(2)
            is_first_past |= where == FIRST
        elif is_first_past and BRANCH.search(line):
            found.append(f"{where}: {line.strip()}")
    print("\n".join(found) or "no indirect branch but through a thunk")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
