#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mullion-menu with a qrexec-client that answers what a domain might: test_menu.py PROGRAM"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

PROGRAM = sys.argv.pop(1)
APPS = "a.desktop:Name=First\na.desktop:Icon=first\nb.desktop:Name=Second\nh.desktop:Name=No\nh.desktop:NoDisplay=true\n"


class Menu(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="menu-test-"))
        (self.dir / "bin").mkdir()
        (self.dir / "domains").write_text("work type=AppVM label=green running=yes\n"
                                          "work-mail type=AppVM label=blue running=yes\n")
        client = self.dir / "bin" / "qrexec-client"
        client.write_text(f'#!/bin/sh\necho "$@" >>{self.dir}/calls\n'
                          f'case "$*" in *GetAppmenus*) cat {self.dir}/apps ;; *) cat {self.dir}/icon ;; esac\n'
                          f'exit $(cat {self.dir}/status)\n')
        client.chmod(0o755)
        (self.dir / "status").write_text("0")
        (self.dir / "icon").write_bytes(b"1 1\n\x80\x80\x80\xff")
        self.answer(APPS)

    def tearDown(self):
        shutil.rmtree(self.dir)

    def answer(self, text):
        (self.dir / "apps").write_bytes(text.encode() if isinstance(text, str) else text)

    def menu(self, *arguments):
        return subprocess.run([PROGRAM, f"--data={self.dir}/data", f"--domains={self.dir}/domains", *arguments],
                              env=dict(os.environ, PATH=f"{self.dir}/bin:{os.environ['PATH']}"), capture_output=True,
                              text=True, timeout=60)

    def entries(self):
        return sorted(p.name for p in (self.dir / "data" / "applications").iterdir())

    def pixel(self, name):
        png = (self.dir / "data/icons/hicolor/64x64/apps" / f"{name}.png").read_bytes()
        size = struct.unpack(">I", png[33:37])[0]
        return zlib.decompress(png[41:41 + size])[32 * 257 + 1 + 32 * 4:][:4]

    def test_programs_appear_with_name_and_colour(self):
        done = self.menu("work")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.entries(), ["mullion.work.a.desktop", "mullion.work.b.desktop"])
        text = (self.dir / "data/applications/mullion.work.a.desktop").read_text()
        self.assertIn("Name=work: First\n", text)
        self.assertIn("Exec=mullion run --app a work\n", text)
        self.assertIn("Icon=mullion.work.a\n", text)
        self.assertEqual(self.pixel("mullion.work.a"), bytes.fromhex("2f7d32ff"))
        self.assertIn("QUBESRPC qubes.GetImageRGBA dom0", (self.dir / "calls").read_text())

    def test_what_is_gone_leaves_the_menu_and_others_stay(self):
        self.assertEqual(self.menu("work", "work-mail").returncode, 0)
        self.answer("b.desktop:Name=Second\n")
        self.assertEqual(self.menu("work").returncode, 0)
        self.assertEqual(self.entries(), ["mullion.work-mail.a.desktop", "mullion.work-mail.b.desktop",
                                          "mullion.work.b.desktop"])
        self.assertEqual(self.menu("--remove", "work").returncode, 0)
        self.assertEqual(self.entries(), ["mullion.work-mail.a.desktop", "mullion.work-mail.b.desktop"])
        icons = sorted(p.name for p in (self.dir / "data/icons/hicolor/64x64/apps").iterdir())
        self.assertEqual(icons, ["mullion.work-mail.a.png", "mullion.work-mail.b.png"])

    def test_a_domain_that_was_removed_leaves_the_menu(self):
        self.menu("work", "work-mail")
        (self.dir / "data/applications/other.desktop").write_text("of somebody else")
        (self.dir / "domains").write_text("work type=AppVM label=green running=yes\n")
        self.assertEqual(self.menu("work").returncode, 0)
        self.assertEqual(self.entries(), ["mullion.work.a.desktop", "mullion.work.b.desktop", "other.desktop"])

    def test_a_call_that_fails_changes_nothing(self):
        self.menu("work")
        (self.dir / "status").write_text("1")
        self.answer("")
        done = self.menu("work")
        self.assertEqual((done.returncode, "does not tell its programs" in done.stderr), (1, True))
        self.assertEqual(len(self.entries()), 2)

    def test_a_bad_picture_is_replaced(self):
        for bad in (b"", b"9999 9999\n", b"1 1\nxx", b"1 1\n" + b"x" * 3_000_000):
            (self.dir / "icon").write_bytes(bad)
            self.assertEqual(self.menu("work").returncode, 0)
            self.assertEqual(self.pixel("mullion.work.a")[3], 255)
            self.assertNotEqual(self.pixel("mullion.work.a"), bytes.fromhex("2f7d32ff"))

    def test_hostile_answers(self):
        self.answer(b"\xff\x00" * 300_000)
        self.assertEqual(self.menu("work").returncode, 0)
        self.assertEqual(self.entries(), [])
        self.answer("../../x.desktop:Name=X\nx/../y.desktop:Name=Y\n-z.desktop:Name=Z\n")
        self.assertEqual(self.menu("work").returncode, 0)
        self.assertEqual(self.entries(), ["mullion.work.x.desktop", "mullion.work.y.desktop"])

    def test_names_that_are_no_domains(self):
        for name in ("../x", "none", "X", "a.b"):
            self.assertEqual(self.menu(name).returncode, 1, name)
        self.assertEqual(self.menu().returncode, 2)
        self.assertFalse((self.dir / "calls").exists())


if __name__ == "__main__":
    unittest.main(verbosity=1)
