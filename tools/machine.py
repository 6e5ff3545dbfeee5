# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU command lines: one function, so that ./run, the tests and the benchmarks boot alike."""

import atexit
import dataclasses
import functools
import os
import pathlib
import shlex

import assemble
import grub
import image
from progress import Failure

MULLION = image.TOP / "build" / "hypervisor" / "mullion"

DISK_DEVICES = {
    # name: (QEMU devices, root device in dom0)
    "nvme": (["nvme,drive=disk0,serial=disk0"], "/dev/nvme0n1"),
    "ahci": (["ide-hd,drive=disk0,bus=ide.0"], "/dev/sda"),
    "virtio-blk": (["virtio-blk-pci,drive=disk0,{virtio}"], "/dev/vda"),
    "virtio-scsi": (["virtio-scsi-pci,id=scsi0,{virtio}", "scsi-hd,drive=disk0,bus=scsi0.0"],
                    "/dev/sda"),
}


@dataclasses.dataclass
class Machine:
    """What to boot. Every field has the value of ./run without options."""
    hypervisor: str = "mullion"         # mullion, xen, none
    dom0: str = "pv"                    # pv, pvh: for xen only
    smp: int = 2
    memory_mib: int = 4096
    kernel: pathlib.Path = None         # None: the dom0 image's
    has_initrd: bool = True
    hypervisor_args: str = ""
    dom0_args: str = ""
    qemu_args: str = ""
    disk: str = "nvme"                  # a key of DISK_DEVICES, or none
    net: str = "e1000e"                 # e1000e, virtio-net, none
    iommu: str = "intel"                # intel, amd, none
    share: pathlib.Path = None
    has_domains: bool = False           # Mullion's programs in dom0, and the disk of the domains
    has_desktop: bool = False           # a session on the screen
    has_window: bool = False            # the screen in a window here, if there is a display
    is_headless: bool = False
    icount: bool = False                # count instructions instead of running in real time
    may_reboot: bool = False
    threads: str = "multi"              # QEMU's: one for each CPU, or single for all of them
    loader: str = "qemu"                # or a key of grub.COMMANDS


@functools.cache
def has_nested_kvm():
    """Only then is /dev/kvm of use: a hypervisor is what runs inside."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    for module in ("kvm_amd", "kvm_intel"):
        try:
            flag = pathlib.Path(f"/sys/module/{module}/parameters/nested").read_text().strip()
        except OSError:
            continue
        # The hypervisor needs SVM for now; an Intel host cannot offer that.
        return flag in ("1", "Y") and module == "kvm_amd"
    return False


def parse_memory(text):
    units = {"M": 1, "G": 1024, "K": 1 / 1024}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "M")
    if unit not in units or not number.isdigit() or int(number) == 0:
        raise Failure(f"--memory {text}: a number with K, M or G is wanted, such as 4G")
    return int(int(number) * units[unit])


def with_commas(text):
    """QEMU splits its arguments at commas; a doubled one stands for itself."""
    return str(text).replace(",", ",,")


def accelerator(m):
    if m.icount:
        return ["-accel", "tcg", "-icount", "shift=0,sleep=off"]
    if has_nested_kvm():
        return ["-accel", "kvm"]
    return ["-accel", f"tcg,thread={m.threads}"]


def cpu_model(m):
    if has_nested_kvm() and not m.icount:
        return "host,+svm,+npt"
    model = "max,+svm,+npt"
    if m.hypervisor == "xen":
        # Xen 4.17 cannot run a PV dom0 with SMAP here, nor step over RDTSCP without NRIPS.
        model += ",-smap,-smep,-rdtscp"
    return model


def iommu_devices(m):
    if m.hypervisor == "none" or m.iommu == "none":
        return []
    if m.iommu == "amd":
        return ["-device", "amd-iommu,intremap=on"]
    return ["-device", "intel-iommu,intremap=on,aw-bits=48"]


def dom0_disk(m):
    if m.has_domains:
        return assemble.assembled("dom0", "disk.img")
    return image.image("dom0") / "disk.img"


def devices(m):
    arguments = []
    virtio = "disable-legacy=on"
    if iommu_devices(m):
        virtio += ",iommu_platform=on"
    if m.disk != "none":
        path = with_commas(dom0_disk(m))
        arguments += ["-drive", f"if=none,id=disk0,file={path},format=raw,snapshot=on,cache=unsafe"]
        for device in DISK_DEVICES[m.disk][0]:
            arguments += ["-device", device.format(virtio=virtio)]
    if m.has_domains:
        arguments += ["-drive", f"if=none,id=store,file={with_commas(assemble.store())},format=raw,"
                                "snapshot=on,cache=unsafe",
                      "-device", "nvme,drive=store,serial=store"]
    if m.has_desktop:
        arguments += ["-device", "qemu-xhci", "-device", "usb-tablet"]
    if m.net == "none":
        arguments += ["-nic", "none"]
    else:
        card = f"virtio-net-pci,{virtio}" if m.net == "virtio-net" else m.net
        arguments += ["-netdev", "user,id=net0", "-device", f"{card},netdev=net0,romfile="]
    if m.share:
        if not m.share.is_dir():
            raise Failure(f"--share {m.share}: not a folder")
        arguments += ["-fsdev", f"local,id=share,path={with_commas(m.share)},security_model=none",
                      "-device", f"virtio-9p-pci,fsdev=share,mount_tag=mullion-share,{virtio}"]
    return arguments


def dom0_command_line(m):
    words = ["console=ttyS0,115200" if m.hypervisor == "none" else "console=hvc0"]
    if m.kernel is None:
        if m.disk != "none":
            words += [f"root={DISK_DEVICES[m.disk][1]}", "rw"]
        words += ["quiet", "loglevel=4", "systemd.show_status=false", "fsck.mode=skip",
                  "net.ifnames=0", "panic=-1"]
        if m.is_headless:
            words.append("mullion.headless")
        if m.share:
            words.append("mullion.share")
        if m.net != "none":
            words.append("mullion.net")
        if m.has_domains:
            words.append("mullion.store")
        if m.has_desktop:
            words.append("mullion.desktop")
    if m.dom0_args:
        words.append(m.dom0_args)
    return " ".join(words)


def hypervisor_command_line(m):
    words = ["console=com1", "com1=115200,8n1"] if m.hypervisor == "xen" else ["console=com1"]
    if m.kernel is None and "dom0_mem=" not in m.hypervisor_args:
        # The other half is for domains: dom0 gives nothing back by ballooning in time.
        words.append(f"dom0_mem={m.memory_mib // 2}M,max:{m.memory_mib // 2}M")
    if m.hypervisor == "xen":
        if m.dom0 == "pvh":
            words += ["dom0=pvh", "iommu=no-sharept"]
    if m.hypervisor_args:
        words.append(m.hypervisor_args)
    return " ".join(words)


def boot_arguments(m):
    kernel = m.kernel or image.image("dom0") / "vmlinuz"
    initrd = image.image("dom0") / "initrd" if m.has_initrd else None
    if m.hypervisor == "none":
        arguments = ["-kernel", str(kernel), "-append", dom0_command_line(m)]
        return arguments + (["-initrd", str(initrd)] if initrd else [])
    binary = image.debian("xen-4.17-amd64") if m.hypervisor == "xen" else MULLION
    if not binary.exists():
        raise Failure(f"{binary} is not there: the hypervisor did not build")
    if m.loader != "qemu":
        modules = [(kernel, dom0_command_line(m))] + ([(initrd, "")] if initrd else [])
        disc = image.TOP / "build" / f"{m.hypervisor}-{m.loader}-{os.getpid()}.iso"
        grub.make(disc, m.loader, (binary, hypervisor_command_line(m)), modules)
        atexit.register(disc.unlink, missing_ok=True)
        return ["-cdrom", str(disc), "-boot", "d"]
    modules = with_commas(f"{kernel} {dom0_command_line(m)}")
    if initrd:
        modules += "," + with_commas(initrd)
    return ["-kernel", str(binary), "-append", hypervisor_command_line(m), "-initrd", modules]


def qemu_command(m, serial):
    """serial: the QEMU arguments for the serial ports."""
    irqchip = ",kernel-irqchip=split" if iommu_devices(m) else ""
    command = ["qemu-system-x86_64", "-machine", f"q35{irqchip}", *accelerator(m),
               "-cpu", cpu_model(m), "-smp", str(m.smp), "-m", str(m.memory_mib),
               "-nodefaults", "-vga", "std"]
    has_display = "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if "-display" not in m.qemu_args and not (m.has_window and has_display):
        command += ["-display", "none"]
    if not m.may_reboot:
        command.append("-no-reboot")
    # The IOMMU goes first: QEMU wants it before the devices behind it.
    command += iommu_devices(m)
    command += devices(m) + boot_arguments(m) + serial
    return command + shlex.split(m.qemu_args)
