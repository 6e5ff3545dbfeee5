#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one libFuzzer target for some seconds, starting from its kept corpus.

    run_fuzz.py TARGET CORPUS [SECONDS] [MIN_EXECUTIONS_PER_SECOND]

New inputs go to a folder beside the target, never into the source tree; those worth keeping are
merged by hand (TARGET -merge=1 CORPUS NEW). MULLION_FUZZ_SECONDS overrides the time. Fails on
any finding. Prints the executions a second, and with the fourth argument fails below it when
the run was long enough (10 s) to mean something.
"""
import os
import re
import subprocess
import sys


def main() -> int:
    target, corpus = sys.argv[1], sys.argv[2]
    seconds = int(os.environ.get("MULLION_FUZZ_SECONDS", sys.argv[3] if len(sys.argv) > 3 else "4"))
    minimum = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    new = target + ".found"
    os.makedirs(new, exist_ok=True)
    corpora = [new] + ([corpus] if os.path.isdir(corpus) else [])
    run = subprocess.run(
        [target, f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10",
         "-print_final_stats=1", f"-artifact_prefix={new}/", *corpora],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace")
    if run.returncode:
        sys.stderr.write(run.stderr[-6000:])
        return 1
    executions = int(re.search(r"number_of_executed_units: (\d+)", run.stderr).group(1))
    print(f"{os.path.basename(target)}: {executions} executions, {executions // max(seconds, 1)}/s")
    if seconds >= 10 and executions // seconds < minimum:
        print(f"below {minimum}/s")
        return 1
    return 0


sys.exit(main())
