# SPDX-License-Identifier: GPL-2.0-or-later
"""Install the packages of tools/packages.txt that are missing."""

import os
import pathlib
import shutil
import subprocess

from progress import Failure, say, step

LIST = pathlib.Path(__file__).with_name("packages.txt")


def wanted():
    lines = (line.split("#")[0].strip() for line in LIST.read_text().splitlines())
    return [line for line in lines if line]


def missing():
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *wanted()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    installed = {line.split()[0] for line in answer.stdout.splitlines()
                 if line.endswith(" installed")}
    return [name for name in wanted() if name not in installed]


def as_root(command):
    """The command, through sudo if this process is not root."""
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise Failure(f"this needs root and there is no sudo: {' '.join(command[:4])}")
    return ["sudo", *command]


def install_missing():
    names = missing()
    if not names:
        return
    if not shutil.which("apt-get"):
        raise Failure("not a Debian machine; please install: " + " ".join(names))
    options = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    with step(f"installing {len(names)} Debian packages: {' '.join(names)}"):
        for command in (["apt-get", *options, "update"],
                        ["apt-get", *options, "install", "--no-install-recommends", *names]):
            done = subprocess.run(as_root([*environment, *command]), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False)
            if done.returncode:
                say(done.stdout[-4000:])
                raise Failure(f"{' '.join(command[:1])} failed with status {done.returncode}")
