# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder for --share with programs of this build and the libraries that they load."""

import pathlib
import re
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
# dom0 has its own C library and loader; mixing two of them does not work.
OWN = re.compile(r"^(ld-linux|libc\.|libm\.|libpthread|libdl|librt)")


def fill(share, programs, files=()):
    """programs: below build/; files: pairs of a file of the tree and its name in the folder."""
    (share / "bin").mkdir(parents=True)
    (share / "lib").mkdir()
    for program in programs:
        path = BUILD / program
        shutil.copy(path, share / "bin" / path.name)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"=> (/\S+)", listed):
            name = pathlib.Path(library).name
            if not OWN.match(name) and not (share / "lib" / name).exists():
                shutil.copy(library, share / "lib" / name)
    for source, name in files:
        shutil.copy(TOP / source, share / name)
