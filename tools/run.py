# SPDX-License-Identifier: GPL-2.0-or-later
"""./run: build Mullion, make the dom0 image, boot both in QEMU."""

import argparse
import ctypes
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

import document
import grub
import image
import machine
import monitor
import packages
import progress
import screen
from agent import Agent, write_all
from progress import Failure, say, step

BOOT_FAILED = 125
POWER_OFF_SECONDS = 60
LAST_WORDS_SECONDS = 5
DEATH_WORDS = (b"Kernel panic", b"Panic on CPU", b"MULLION PANIC", b"mullion: panic",
               b"end Kernel panic")

DESCRIPTION = """\
Build Mullion and boot it in QEMU, with Debian's kernel and userland as dom0. Packages that are
missing are installed first; images are made once and kept under build/cache/.

Without --headless the console is this terminal: log in is automatic, `poweroff` ends it, and
Ctrl-] x ends QEMU at once.
"""

EPILOG = """\
examples:
  ./run                                       Mullion, to a root shell in dom0
  ./run --headless -- uname -a                one command in dom0, its output and exit status
  ./run --headless --share /tmp/x -- sh -c 'ls /mnt/share'
  ./run --headless --open a.pdf --screenshot a.png
                                              a document in a disposable, and what the screen shows
  ./run --headless --desktop --screenshot /tmp/x.png -- sleep 20
  ./run --hypervisor xen --dom0 pvh           the same image on Debian's Xen 4.17

With --headless the exit status is COMMAND's, or 125 if the machine did not boot, hung, or went
down before COMMAND had ended. A single COMMAND argument goes to a shell; several are the program
and its arguments.
"""


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="./run", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--headless", action="store_true", help="run COMMAND in dom0, power off, no console")
    add("--share", type=pathlib.Path, metavar="DIR", help="DIR is /mnt/share in dom0")
    add("--domains", action="store_true",
        help="with mulliond, qrexec and the others in dom0, and a disk with a template")
    add("--desktop", action="store_true", help="--domains, and a desktop session on the screen")
    add("--open", type=pathlib.Path, metavar="FILE", action="append",
        help="copy FILE into the domain untrusted and open it in a disposable; with --headless the "
             "exit status is 0 only if its window was mapped and not blank. Given several times: "
             "one after the other")
    add("--screenshot", type=pathlib.Path, metavar="FILE",
        help="with --headless: what the screen shows when COMMAND has ended, or with --open when "
             "the first document is there (the second's is in FILE with -2 before its ending); PNG, or PPM if FILE ends so")
    add("--hypervisor", choices=["mullion", "xen", "none"], default="mullion",
        help="what lies below dom0: ours (default), Debian's Xen, nothing")
    add("--dom0", choices=["pv", "pvh"], default="pv", help="kind of dom0 on Xen (default pv)")
    add("--smp", type=int, default=2, metavar="N", help="CPUs (default 2)")
    add("--memory", default="4G", metavar="SIZE", help="memory of the machine (default 4G)")
    add("--disk", choices=[*machine.DISK_DEVICES, "none"], default="nvme",
        help="what dom0's disk is attached to (default nvme)")
    add("--net", choices=["e1000e", "virtio-net", "none"], default="e1000e",
        help="network card (default e1000e)")
    add("--iommu", choices=["intel", "amd", "none"], default="intel", help="default intel")
    add("--loader", choices=["qemu", *grub.COMMANDS], default="qemu",
        help="what loads the hypervisor: QEMU itself, or GRUB 2 from a CD by one of its protocols")
    add("--threads", choices=["multi", "single"], default="multi",
        help="QEMU's threads in emulation: one for each CPU (default), or a single one, which is "
             "slower and free of that emulator's races (docs/testing.md)")
    add("--hypervisor-args", default="", metavar="ARGS", help="added to its command line")
    add("--dom0-args", default="", metavar="ARGS", help="added to the kernel's command line")
    add("--qemu-args", default="", metavar="ARGS", help="added to QEMU's")
    add("--kernel", type=pathlib.Path, metavar="FILE",
        help="another dom0 kernel, or a bare-metal PVH guest in dom0's place")
    add("--no-initrd", action="store_true", help="give the kernel no initrd")
    add("--log", type=pathlib.Path, metavar="FILE", help="keep the serial console's output")
    add("--boot-timeout", type=float, default=240, metavar="SECONDS",
        help="how long dom0 may take to come up (default 240)")
    add("--timeout", type=float, default=1800, metavar="SECONDS",
        help="how long COMMAND may take (default 1800)")
    add("--no-build", action="store_true", help="do not install packages, do not build")
    add("--print-command", action="store_true", help="print QEMU's command line, do not boot")
    add("command", nargs="*", metavar="COMMAND", help="after --")
    args = parser.parse_args(argv)
    if args.open:
        if args.command or args.share:
            parser.error("--open brings its own COMMAND and shared folder")
        args.desktop = True
    if args.command and not args.headless:
        parser.error("COMMAND needs --headless")
    if args.screenshot and not (args.command or args.open):
        parser.error("--screenshot needs --headless and a COMMAND")
    if args.smp < 1:
        parser.error("--smp: at least 1")
    if args.headless and not args.command and not args.kernel and not args.open:
        parser.error("--headless needs a COMMAND after --, or --open FILE")
    return args


def build(hypervisor):
    packages.install_missing()
    if hypervisor != "mullion":
        return
    folder = image.TOP / "build"
    if not (folder / "build.ninja").exists():
        run_build_step("configuring", ["meson", "setup", str(folder), str(image.TOP)])
    run_build_step("building", ["ninja", "-C", str(folder)])


def run_build_step(text, command):
    with step(text):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            say(done.stdout[-6000:])
            raise Failure(f"{text} failed")


def machine_of(args):
    return machine.Machine(
        hypervisor=args.hypervisor, dom0=args.dom0, smp=args.smp,
        memory_mib=machine.parse_memory(args.memory),
        kernel=args.kernel and args.kernel.resolve(), has_initrd=not args.no_initrd,
        hypervisor_args=args.hypervisor_args, dom0_args=args.dom0_args, qemu_args=args.qemu_args,
        disk=args.disk, net=args.net, iommu=args.iommu,
        share=args.share and args.share.resolve(), is_headless=bool(args.command),
        has_domains=args.domains or args.desktop, has_desktop=args.desktop,
        has_window=args.desktop and not args.headless,
        may_reboot=not args.headless, loader=args.loader, threads=args.threads)


def die_with_parent():
    """QEMU must not outlive this process, however it ends (PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def tail(path, count=25):
    try:
        lines = path.read_bytes().decode(errors="replace").replace("\r", "").splitlines()
    except OSError:
        return ""
    return "\n".join("    | " + line for line in lines[-count:])


def interactive(m, log):
    chardev = "stdio,id=console,mux=on,signal=off"
    if log:
        chardev += f",logfile={machine.with_commas(log)}"
    serial = ["-chardev", chardev, "-echr", "29", "-mon", "chardev=console",
              "-serial", "chardev:console"]
    command = machine.qemu_command(m, serial)
    say("booting; `poweroff` in dom0 ends it, Ctrl-] x ends QEMU at once")
    return subprocess.run(command, preexec_fn=die_with_parent, check=False).returncode


class Headless:
    """One run without a console: QEMU, its serial log, and the agent."""

    def __init__(self, args, m, folder):
        self.args = args
        self.log = args.log or folder / "serial.log"
        self.log.write_bytes(b"")
        self.console = open(self.log, "rb")
        self.printed = not args.command
        agent_path = folder / "agent"
        self.resets = folder / "resets.log"
        self.monitor_path = folder / "monitor"
        serial = ["-serial", f"file:{machine.with_commas(self.log)}",
                  "-d", "cpu_reset", "-D", str(self.resets)]
        if args.command:
            serial += ["-chardev", f"socket,id=agent,path={agent_path},server=on,wait=off",
                       "-serial", "chardev:agent"]
        if args.screenshot or args.open:
            serial += ["-qmp", f"unix:{self.monitor_path},server=on,wait=off"]
        self.qemu = subprocess.Popen(machine.qemu_command(m, serial), stdin=subprocess.DEVNULL,
                                     stdout=sys.stderr, preexec_fn=die_with_parent)
        self.agent = self.connect(agent_path) if args.command else None
        self.start = time.monotonic()
        self.death = None
        self.watch = (document.Watch(args.share, self.monitor_path, args.screenshot, len(args.open),
                                     self.cpu_seconds)
                      if args.open else None)

    def connect(self, path):
        while self.qemu.poll() is None:
            try:
                return Agent(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.02)
        raise Failure("QEMU did not start")

    def cpu_seconds(self):
        """What QEMU has used so far: unlike the time, the same on a busy machine (proc(5))."""
        fields = pathlib.Path(f"/proc/{self.qemu.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fail(self, reason):
        say(f"{reason}. Last lines of the serial console:")
        print(tail(self.log), file=sys.stderr, flush=True)
        if self.args.log:
            say(f"all of it is in {self.args.log}")
        return BOOT_FAILED

    def how_it_ended(self):
        """QEMU's own log (-d cpu_reset) names a triple fault, which nothing else would tell."""
        if self.qemu.returncode < 0:
            return f"QEMU died of {signal.Signals(-self.qemu.returncode).name}"
        resets = self.resets.read_text(errors="replace") if self.resets.exists() else ""
        if "Triple fault" in resets:
            return "a CPU of the machine had a triple fault"
        words = self.log.read_bytes()
        if any(word in words for word in (b"reboot: ", b"crashed: ", *DEATH_WORDS)):
            return "the console tells why"
        return f"QEMU ended without a word, status {self.qemu.returncode}"

    def read_console(self):
        """Show what is new if nobody else does; notice a panic."""
        data = self.console.read()
        if data and self.printed:
            write_all(1, data)
        if data and self.death is None and any(word in data for word in DEATH_WORDS):
            self.death = time.monotonic()

    def wait(self):
        """Until COMMAND or the machine has ended; the exit status."""
        said_ready = False
        next_note = self.start + 15
        while True:
            is_over = self.qemu.poll() is not None
            self.wait_for_input()
            self.read_console()
            if self.watch and not is_over:
                self.watch.step()
            now = time.monotonic()
            is_up = self.agent and self.agent.is_ready
            if self.agent and self.agent.status is not None:
                return self.power_off()
            if is_over:
                if not self.agent:
                    return 0 if self.qemu.returncode == 0 else self.qemu.returncode
                what = "COMMAND had ended" if is_up else "dom0 was up"
                return self.fail(f"the machine went down before {what}: {self.how_it_ended()}")
            if is_up and not said_ready:
                said_ready = True
                say(f"dom0 is up after {now - self.start:.1f} s")
                self.start = now
            if self.death and now - self.death > LAST_WORDS_SECONDS:
                return self.fail("the machine crashed")
            if not is_up and self.agent and now > next_note:
                say(f"still booting after {now - self.start:.0f} s")
                next_note += 15
            limit = self.args.boot_timeout if self.agent and not is_up else self.args.timeout
            if now - self.start > limit:
                what = "COMMAND did not end" if is_up or not self.agent else "dom0 did not come up"
                return self.fail(f"{what} within {limit:.0f} s")

    def wait_for_input(self):
        if not self.agent:
            time.sleep(0.05)
            return
        readable, _, _ = select.select([self.agent], [], [], 0.2)
        if readable and not self.agent.receive(self.args.command):
            time.sleep(0.05)

    def take_screenshot(self):
        monitor.Monitor(self.monitor_path).execute(
            "screendump", filename=str(self.args.screenshot.resolve()),
            format=screen.format_of(self.args.screenshot))
        say(f"the screen is in {self.args.screenshot}")

    def power_off(self):
        if self.args.screenshot and not self.watch and self.qemu.poll() is None:
            self.take_screenshot()
        self.agent.bye()
        try:
            self.qemu.wait(POWER_OFF_SECONDS)
        except subprocess.TimeoutExpired:
            self.fail(f"COMMAND ended with {self.agent.status}, but dom0 did not power off")
        return self.watch.verdict(self.agent.status) if self.watch else self.agent.status

    def close(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        self.console.close()


def headless(args, m):
    with tempfile.TemporaryDirectory(prefix="mullion-run-") as folder:
        say(f"booting on {describe(m)}")
        run = Headless(args, m, pathlib.Path(folder))
        try:
            return run.wait()
        finally:
            run.close()


def open_documents(args):
    """Without --headless, dom0 waits for the user to close each document."""
    with tempfile.TemporaryDirectory(prefix="mullion-open-") as folder:
        args.share = pathlib.Path(folder, "share")
        args.share.mkdir()
        args.command = document.prepare(args.share, args.open)
        if not args.headless:
            args.command.insert(2, "--stay")
        return headless(args, machine_of(args))


def describe(m):
    below = {"none": "the bare machine", "mullion": "Mullion",
             "xen": f"Xen with a {m.dom0.upper()} dom0"}[m.hypervisor]
    how = "KVM" if machine.has_nested_kvm() else "emulation"
    return f"{below}, {m.smp} CPUs, {m.memory_mib} MiB, {how}"


def main():
    args = parse_arguments(sys.argv[1:])
    progress.program = "run"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(BOOT_FAILED))
    try:
        if args.open:
            for path in args.open:
                document.check(path)
        if not args.no_build:
            build(args.hypervisor)
        if args.open:
            return open_documents(args)
        m = machine_of(args)
        if m.kernel and not m.kernel.exists():
            raise Failure(f"--kernel {m.kernel}: no such file")
        if args.print_command:
            print(" ".join(map(str, machine.qemu_command(m, ["-serial", "stdio"]))))
            return 0
        return headless(args, m) if args.headless else interactive(m, args.log)
    except Failure as failure:
        say(str(failure))
        return BOOT_FAILED
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    os.environ.setdefault("TMPDIR", "/tmp")
    sys.exit(main())
