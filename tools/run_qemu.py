#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot one bare-metal guest in dom0's place, show its console, judge its last line.

    tools/run_qemu.py [--hypervisor mullion|xen] [--log] NAME-OR-ELF
    tools/run_qemu.py --timeout 700 --args "seed=7 seconds=600 rounds=1" fuzz

Exit status: 0 PASS, 1 FAIL, 77 SKIP.
"""

import argparse
import pathlib
import sys

import guest
import image

LIST = image.TOP / "hypervisor" / "tests" / "guest" / "tests.list"
BUILT = image.TOP / "build" / "hypervisor" / "tests" / "guest"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hypervisor", choices=["mullion", "xen"], default="mullion")
    parser.add_argument("--log", action="store_true", help="show the hypervisor's console, too")
    parser.add_argument("--icount", action="store_true", help="count instructions, repeatably")
    parser.add_argument("--smp", type=int)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--args", help="the guest's own command line")
    parser.add_argument("--qemu", default="", help="added to QEMU's command line")
    parser.add_argument("name")
    args = parser.parse_args()
    path = pathlib.Path(args.name)
    known = {g.name: g for g in guest.read_list(LIST)}
    name = path.stem if path.suffix == ".elf" else args.name
    what = known.get(name, guest.Guest(name))
    elf = path.resolve() if path.suffix == ".elf" else BUILT / what.file()
    if args.smp:
        what.smp = args.smp
    what.qemu += " " + args.qemu
    if args.timeout:
        what.timeout = args.timeout
    if args.args is not None:
        what.args = args.args
    verdict, reason, console, log = guest.run(what, elf, args.hypervisor, args.icount)
    if args.log or verdict == "FAIL":
        print(log)
    print(console)
    print(f"{name} on {args.hypervisor}: {verdict} {reason}")
    return {"PASS": 0, "FAIL": 1, "SKIP": 77}[verdict]


if __name__ == "__main__":
    sys.exit(main())
