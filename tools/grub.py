# SPDX-License-Identifier: GPL-2.0-or-later
"""A CD image with GRUB 2 for BIOS machines that starts a hypervisor with its modules at once."""

import pathlib
import shutil
import subprocess
import tempfile

from progress import Failure

# GRUB's commands for the two protocols.
COMMANDS = {"multiboot2": ("multiboot2", "module2"), "multiboot1": ("multiboot", "module")}


def make(out, protocol, hypervisor, modules):
    """hypervisor and each of modules: (file, command line). GRUB speaks on the serial port as well."""
    start, module = COMMANDS[protocol]
    lines = ["serial --unit=0 --speed=115200", "terminal_output console serial",
             "set gfxpayload=text", f"{start} /boot/0 {hypervisor[1]}"]
    lines += [f"{module} /boot/{i} {words}" for i, (_, words) in enumerate(modules, 1)]
    lines += ["boot", ""]
    with tempfile.TemporaryDirectory(prefix="mullion-grub-") as name:
        folder = pathlib.Path(name)
        (folder / "boot" / "grub").mkdir(parents=True)
        (folder / "boot" / "grub" / "grub.cfg").write_text("\n".join(lines))
        for i, (path, _) in enumerate([hypervisor, *modules]):
            shutil.copyfile(path, folder / "boot" / str(i))
        done = subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", str(out),
                               str(folder)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failure(f"grub-mkrescue failed:\n{done.stdout[-2000:]}")
