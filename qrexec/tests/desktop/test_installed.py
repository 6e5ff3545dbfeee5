#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed of vchan and qrexec: packages, manual pages, help, completion, units, pkg-config."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD

TOP = pathlib.Path(__file__).resolve().parents[3]
MAN = TOP / "qrexec" / "man"
# Program of the build, its manual page.
PROGRAMS = {
    "qrexec-agent": "qrexec-agent.8", "qrexec-client": "qrexec-client.1", "qrexec-client-vm": "qrexec-client-vm.1",
    "qrexec-daemon": "qrexec-daemon.8", "qrexec-fork-server": "qrexec-fork-server.1", "mullion-policy": "mullion-policy.1",
    "mullion-policyd": "mullion-policyd.8", "services/mullion-copy": "mullion-copy.1", "services/mullion-open": "mullion-open.1",
    "ask/mullion-ask": "mullion-ask.1",
}
FOREIGN = r"""
#include <libvchan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char text[6] = "";
	libvchan_t *v = argc > 1 ? libvchan_server_init(1, 600, 4096, 4096) : libvchan_client_init(0, 600);

	if (!v || (argc > 1 ? libvchan_recv(v, text, 5) : libvchan_send(v, "hello", 5)) != 5) {
		return 1;
	}
	puts(text);
	libvchan_close(v);
	return 0;
}
"""


def run(*command, **options):
    options.setdefault("timeout", 120)
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


class Installed(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="qrexec-installed-"))

    def tearDown(self):
        shutil.rmtree(self.dir)

    def test_every_program_helps(self):
        for program in PROGRAMS:
            r = run(BUILD / program, "--help")
            self.assertEqual((r.returncode, r.stderr), (0, ""), program)
            self.assertTrue(r.stdout.startswith("usage: "), program)

    def test_every_option_of_the_help_is_in_the_manual_and_completed(self):
        completion = (TOP / "qrexec/completion/qrexec").read_text()
        for program, page in PROGRAMS.items():
            text = (MAN / page).read_text().replace("\\-", "-").replace("\\fI", "").replace("\\fR", "")
            text = re.sub(r"= (?=\S)", "=", text)
            name = program.split("/")[-1]
            for option in set(re.findall(r"--[a-z][a-z-]*", run(BUILD / program, "--help").stdout)) - {"--help"}:
                self.assertIn(option, text, f"{page} says nothing of {option}")
                if re.search(rf"\*{name}\b[)|]", completion):
                    self.assertIn(option, completion, f"{name} {option} is not completed")

    def test_manual_pages_are_without_mistakes(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        for page in [*MAN.iterdir(), TOP / "vchan/libvchan.3"]:
            r = run("groff", "-man", "-ww", "-Tutf8", "-z", page)
            self.assertEqual((r.returncode, r.stderr), (0, ""), page.name)
        self.assertEqual(sorted(p.name for p in MAN.iterdir()), sorted([*PROGRAMS.values(), "qrexec-policy.5"]))

    def test_completion_offers_words(self):
        script = TOP / "qrexec/completion/qrexec"
        for line, wanted in (("qrexec-client -", "-d"), ("qrexec-client-vm --use", "--use-stdin-socket"), ("mullion-policy exp", "explain"),
                             ("qrexec-client-vm @disp", "@dispvm")):
            words = line.split()
            r = run("bash", "-c", f'. {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _qrexec {words[0]}; echo "${{COMPREPLY[@]}}"')
            self.assertIn(wanted, r.stdout.split(), (line, r.stderr))

    def package(self, name):
        deb, root = self.dir / f"{name}.deb", self.dir / name
        r = run("sh", TOP / "installer/packages" / f"{name}.sh", BUILD.parent, deb)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(run("dpkg-deb", "-x", deb, root).returncode, 0)
        self.assertEqual(run("dpkg-deb", "-f", deb, "Package").stdout, f"mullion-{name}\n")
        return root

    def units(self, root):
        found = 0
        for unit in [*root.glob("usr/lib/systemd/system/*.service"), *root.glob("usr/lib/systemd/user/*.service")]:
            for program in re.findall(r"^ExecStart=(/\S+)", unit.read_text(), re.M):
                found += 1
                if "/mullion" in program or "/qrexec" in program:
                    path = root / program[1:]
                    self.assertTrue(path.exists() and os.access(path, os.X_OK), f"{unit.name} starts {program}, which is not there")
            for page, section in re.findall(r"man:([a-z-]+)\((\d)\)", unit.read_text()):
                if page.startswith(("qrexec", "mullion")):
                    self.assertTrue((root / f"usr/share/man/man{section}/{page}.{section}").exists(), f"{unit.name} names {page}({section})")
        return found

    def test_the_guests_package(self):
        root = self.package("guest")
        for name in ("usr/lib/qubes/qrexec-agent", "usr/bin/qrexec-client-vm", "usr/bin/qrexec-fork-server", "usr/bin/mullion-copy",
                     "usr/bin/mullion-open", "usr/bin/qvm-copy-to-vm", "usr/lib/mullion/filecopy-receive"):
            self.assertTrue(os.access(root / name, os.X_OK), name)
        services = {"Filecopy", "OpenInVM", "OpenURL", "VMShell", "VMExec", "VMRootShell", "StartApp", "GetAppmenus", "WaitForSession",
                    "SetDateTime", "GetImageRGBA"}
        there = {p.name.removeprefix("qubes.") for p in (root / "etc/qubes-rpc").iterdir()}
        self.assertEqual(services - there, set())
        for service in (root / "etc/qubes-rpc").iterdir():
            self.assertEqual(run("sh", "-n", service).returncode, 0, service.name)
            for program in re.findall(r"/usr/lib/mullion/[a-z-]+", service.read_text()):
                self.assertTrue((root / program[1:]).exists(), f"{service.name} needs {program}")
        self.assertGreaterEqual(self.units(root), 3)
        for link in root.rglob("*"):
            if link.is_symlink() and not os.path.isabs(os.readlink(link)):
                self.assertTrue(link.exists(), f"{link} points nowhere")

    def test_dom0s_package(self):
        root = self.package("dom0")
        for name in ("usr/sbin/qrexec-daemon", "usr/bin/qrexec-client", "usr/bin/mullion-policy", "etc/qubes/policy.d/90-default.policy"):
            self.assertTrue((root / name).exists(), name)
        self.assertGreaterEqual(self.units(root), 3)

    def test_foreign_programs_are_built_against_the_library(self):
        """As Qubes' makefiles do: pkg-config vchan-$BACKEND_VMM."""
        r = run("meson", "install", "-C", BUILD.parent, "--no-rebuild", "--quiet", "--destdir", self.dir / "root")
        self.assertEqual(r.returncode, 0, r.stderr)
        folder = next((self.dir / "root").rglob("vchan-xen.pc")).parent
        source = self.dir / "foreign.c"
        source.write_text(FOREIGN)
        env = dict(os.environ, PKG_CONFIG_PATH=str(folder), PKG_CONFIG_SYSROOT_DIR=str(self.dir / "root"))
        for backend in ("xen", "socket"):
            flags = run("pkg-config", "--cflags", "--libs", f"vchan-{backend}", env=env)
            self.assertEqual(flags.returncode, 0, flags.stderr)
            r = run("cc", "-Wall", "-Werror", "-o", self.dir / "foreign", source, *flags.stdout.split(), f"-Wl,-rpath,{folder.parent}")
            self.assertEqual(r.returncode, 0, r.stderr)
            sockets = dict(os.environ, VCHAN_SOCKET_DIR=str(self.dir))
            server = subprocess.Popen([self.dir / "foreign", "serve"], stdout=subprocess.PIPE, text=True, env=dict(sockets, VCHAN_DOMAIN="0"))
            self.assertEqual(run(self.dir / "foreign", env=dict(sockets, VCHAN_DOMAIN="1")).returncode, 0)
            self.assertEqual((server.communicate(timeout=60)[0], server.returncode), ("hello\n", 0))
        # What the map names is what there is.
        library = next((self.dir / "root").rglob("libvchan.so.1"))
        there = {line.split()[2].split("@")[0] for line in run("nm", "-D", "--defined-only", library).stdout.splitlines() if line.split()[1] == "T"}
        named = set(re.findall(r"^\t(\w+);", (TOP / "vchan/libvchan.map").read_text(), re.M))
        self.assertEqual(there, named)


if __name__ == "__main__":
    unittest.main(verbosity=1)
