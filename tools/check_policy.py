#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fail when a hypercall decides by itself who may call it: check_policy.py [TOP]

The rules are policy/policy.c's alone. So no hypercall looks at what a domain is (is_control,
is_hardware, dom0), but for the places below; and each file of hypercalls that names a domain asks
there, unless it is listed here with its reason.
"""
import pathlib
import re
import sys

RIGHT = re.compile(r"\bis_control\b|\bis_hardware\b|[!=]= dom0\b")
FINDS = re.compile(r"\bdomain_(get|get_or_self|find)\(")
# Lines, and why.
KNOWN = {
    "if (d->is_control) {": "op_version.c tells a kernel that it is dom0 (XENFEAT_dom0)",
}
ASKED_BEFORE = {
    "domctl_sched.c": "op_domctl.c and op_sysctl.c have asked when they call it",
}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "hypervisor"
    files = sorted([*root.glob("hypercall/*.c"), *root.glob("arch/*/guest/op_*.c")])
    problems = [] if len(files) > 10 else [f"{root}: only {len(files)} files of hypercalls found"]
    for path in files:
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if RIGHT.search(line) and line.strip() not in KNOWN:
                problems.append(f"{path}:{number}: a rule of its own: {line.strip()}")
        if FINDS.search(text) and "policy_" not in text and path.name not in ASKED_BEFORE:
            problems.append(f"{path}: finds a domain and asks no policy_...()")
    print("\n".join(problems) or f"{len(files)} files ask policy.c")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
