# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress lines on stderr: one when a step starts, and one when it was long."""

import contextlib
import sys
import time

program = "run"


def say(text):
    print(f"{program}: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    say(text)
    start = time.monotonic()
    yield
    elapsed = time.monotonic() - start
    if elapsed > 2:
        say(f"{text}: done in {elapsed:.0f} s")


class Failure(Exception):
    """Ends the program with a sentence for the user."""
