#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a Promela model, and that each seeded mistake (BUG=1..N) is found.

    run_model.py MODEL.pml N
"""
import os
import shutil
import subprocess
import sys
import tempfile


def errors_of(model, bug):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(model, os.path.join(folder, 'model.pml'))
        run = lambda *command: subprocess.run(command, cwd=folder, check=True, text=True,
                                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        run('spin', '-a', '-DBUG=%d' % bug, 'model.pml')
        run('cc', '-O2', '-w', '-DSAFETY', '-o', 'pan', 'pan.c')
        out = run('./pan', '-m100000').stdout
    for line in out.splitlines():
        if 'errors:' in line:
            return int(line.rsplit('errors:', 1)[1])
    raise RuntimeError('no verdict:\n' + out)


def main():
    model, bugs = sys.argv[1], int(sys.argv[2])
    if not shutil.which('spin'):
        print('SKIP: spin is not installed')
        return 77
    is_good = True
    for bug in range(bugs + 1):
        errors = errors_of(model, bug)
        wanted = errors == 0 if bug == 0 else errors > 0
        print('BUG=%d: %d errors, %s' % (bug, errors, 'as it must be' if wanted else 'WRONG'))
        is_good &= wanted
    return 0 if is_good else 1


sys.exit(main())
