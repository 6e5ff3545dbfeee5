# SPDX-License-Identifier: GPL-2.0-or-later
"""Images with this build's programs in them, and the disk with the templates of domains.

The images of installer/images/ hold Debian's part and take minutes; these hold the files of
installer/packages/ besides and take seconds. They lie in build/images/, the newest of each only.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

import image
from progress import Failure, step

PACKAGES = image.TOP / "installer" / "packages"
FOLDER = image.TOP / "build" / "images"
STORE_SIZE = "16G"      # sparse

# What lies on the store, /var/lib/mullion in dom0, as mkfs.xfs's -p wants it; the paths of the
# files are filled in.
STORE_PROTOTYPE = """\
/dev/null
0 0
d--755 0 0
kernel d--755 0 0
vmlinux ---644 0 0 {kernel}
vmlinuz l--777 0 0 vmlinux
initrd ---644 0 0 {initrd}
$
images d--755 0 0
debian d--755 0 0
root.img ---644 0 0 {root}
$
$
volumes d--755 0 0
$
$
"""


def run(command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, **options)
    if done.returncode:
        raise Failure(f"{pathlib.Path(command[0]).name} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def stage(name):
    """The files of a package, as they lie in it, and a hash of all of them."""
    folder = FOLDER / f"{name}-files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run([PACKAGES / f"{name}.sh", image.TOP / "build", f"{folder}/"])
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        what = path.readlink() if path.is_symlink() else path.stat().st_mode
        digest.update(f"{path.relative_to(folder)} {what} ".encode())
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return folder, digest.hexdigest()[:16]


def put_files(folder, disk):
    """Write the tree into an ext4 image. debugfs needs neither root nor a loop device."""
    commands = []
    for path in sorted(folder.rglob("*")):
        target = "/" + str(path.relative_to(folder))
        if path.is_symlink():
            commands += [f"rm {target}", f"symlink {target} {path.readlink()}"]
        elif path.is_dir():
            commands.append(f"mkdir {target}")      # one that is there stays as it is
        else:
            commands += [f"rm {target}", f"write {path} {target}",
                         f"sif {target} mode 0{path.stat().st_mode:o}",
                         f"sif {target} uid 0", f"sif {target} gid 0"]
    run(["debugfs", "-w", "-f", "-", disk], input="\n".join(commands) + "\n")
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            listed = run(["debugfs", "-R", f"stat /{path.relative_to(folder)}", disk])
            if f"Size: {path.stat().st_size}" not in listed:
                raise Failure(f"{path.name} did not get into {disk.name}")
            break


def assembled(name, file_name):
    """The path of an image with the files of package `name` in it; made if it is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    base = image.image(name)
    with open(FOLDER / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files, digest = stage(name)
        disk = FOLDER / f"{base.name}-{digest}.img"
        if not disk.exists():
            forget(f"{name}-*.img")
            new = disk.with_suffix(".new")
            with step(f"putting Mullion's programs into the {name} image"):
                run(["cp", "--sparse=always", "--reflink=auto", base / file_name, new])
                put_files(files, new)
            new.rename(disk)
    return disk


def forget(pattern):
    for old in FOLDER.glob(pattern):
        old.unlink(missing_ok=True)


def store():
    """An XFS disk with the kernel and the template of app domains (docs/testing.md)."""
    base = image.image("guest")
    root = assembled("guest", "root.img")
    with open(FOLDER / ".store.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        disk = FOLDER / f"store-{root.stem}.img"
        if not disk.exists():
            forget("store-*")
            with step("making the disk of the domains"):
                make_store(base, root, disk)
    return disk


def make_store(base, root, disk):
    new = disk.with_suffix(".new")
    prototype = disk.with_suffix(".prototype")
    prototype.write_text(STORE_PROTOTYPE.format(
        kernel=base / "vmlinux", initrd=base / "initrd", root=root), encoding="ascii")
    run(["truncate", "-s", STORE_SIZE, new])
    run(["mkfs.xfs", "-q", "-f", "-L", "mullion", "-p", prototype, new])
    run(["fallocate", "-d", new])       # the template's empty blocks were written as zeros
    prototype.unlink()
    new.rename(disk)
