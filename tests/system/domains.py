#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock xl starts, lists and destroys the mini guest, one after the other and two at once.

Meanwhile the hypervisor walks its own page tables each second and finds nothing of a guest there.
"""

import re

from systemtest import SystemTest

SCRIPT = """
set -e
make() { xl create -q /usr/lib/mullion/mini/mini.cfg "name=\\"$1\\""; }
up() { for i in $(seq 60); do xl list $1 | grep -q -- '-b----' && echo "$1 waits" && break; sleep 1; done; }
make a; up a; xl pause a; xl list a; xl unpause a
xl destroy a; sleep 2; xl info | grep free_memory
make b; make c; up b; up c
xl destroy b; xl destroy c; sleep 2; xl info | grep free_memory
make d; up d; xl destroy d; sleep 2; xl info | grep free_memory
xl list
"""

test = SystemTest(__doc__, threads="multi")
is_ours = test.args.hypervisor == "mullion"
status, output, log = test.boot(
    SCRIPT, *(("--hypervisor-args", "selftest=secret-free") if is_ours else ()))
free = [int(number) for number in re.findall(r"free_memory\s*: (\d+)", output)]
test.expect(status == 0, "every command succeeded")
for name in "abcd":
    test.expect(f"{name} waits" in output, f"domain {name} came up and waits for work")
test.expect(re.search(r"^a .* -.p--- ", output, re.MULTILINE) is not None, "a paused domain is listed as paused")
test.expect(len(free) == 3 and free[2] == free[1], f"free memory comes back: {free} MiB")
test.expect(len(re.findall(r"^[a-d] ", output.split("Domain-0")[-1], re.MULTILINE)) == 0,
            "no domain is left in the list")
if is_ours:
    test.expect(re.search(r"start is over: its ([0-9]+) KiB are free memory", log) is not None,
                "what only start needs is given back")
    walks = re.findall(r"secret-free: (\w+): (\d+) mappings of (\d+) frames on 2 CPUs, (\d+) of guests", log)
    test.expect(len(walks) >= 10, f"the page tables were walked while guests ran: {len(walks)} times")
    test.expect(all(int(frames) > 1000 for _, _, frames, _ in walks), "each walk saw the hypervisor's memory")
    test.expect(all(verdict == "PASS" and guests == "0" for verdict, _, _, guests in walks)
                and "secret-free: frame" not in log, "no walk found a guest's memory")
test.finish()
