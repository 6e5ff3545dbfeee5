# SPDX-License-Identifier: GPL-2.0-or-later
"""Images made by the recipes of installer/images/, cached by a hash of what they are made from."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

from packages import as_root
from progress import Failure, say, step

TOP = pathlib.Path(__file__).resolve().parent.parent
CACHE = TOP / "build" / "cache"
RECIPES = TOP / "installer" / "images"


def recipe_hash(name):
    """A recipe is NAME.sh and the files of NAME/; all their bytes and names count."""
    digest = hashlib.sha256()
    files = [RECIPES / f"{name}.sh"]
    files += sorted(p for p in (RECIPES / name).rglob("*") if p.is_file())
    for path in files:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(RECIPES)} {len(data)} ".encode())
        digest.update(data)
    return digest.hexdigest()[:16]


def image(name, *arguments):
    """The folder of the finished image; made first if it is not there."""
    digest = recipe_hash(name)
    folder = CACHE / "images" / f"{name}-{digest}"
    if (folder / "complete").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "complete").exists():
            return folder
        make(name, folder, arguments)
    return folder


def make(name, folder, arguments):
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.parent / f"{name}.log"
    with step(f"making the {name} image from Debian's packages (some two minutes, once)"):
        command = as_root([str(RECIPES / f"{name}.sh"), str(folder), *map(str, arguments)])
        with open(log, "wb") as out:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            say(log.read_text(errors="replace")[-3000:])
            raise Failure(f"the {name} image could not be made, see {log}")
        if os.geteuid() != 0:
            subprocess.run(as_root(["chown", "-R", str(os.geteuid()), str(folder)]), check=True)
        (folder / "complete").touch()
    forget_older(name, folder)


def forget_older(name, keep, count=3):
    """Old versions go, except the few that another checkout may be using."""
    others = [p for p in keep.parent.glob(f"{name}-*") if p.is_dir() and p != keep]
    for old in sorted(others, key=lambda p: p.stat().st_mtime)[:-count]:
        shutil.rmtree(old, ignore_errors=True)


def debian(name):
    """A file of tools/fetch_debian.sh: vmlinuz, initrd, xen-4.17-amd64."""
    path = CACHE / "debian" / name
    if not path.exists():
        with step("fetching Debian's kernel and Xen"):
            done = subprocess.run([str(TOP / "tools" / "fetch_debian.sh")], check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                say(done.stdout[-3000:])
                raise Failure("fetch_debian.sh failed")
    return path
