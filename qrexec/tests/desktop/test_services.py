#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The services of a guest: copying files (and lies about files), opening, starting programs."""
import os
import pathlib
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import unittest
import zlib

from harness import *

SERVICES = BUILD / "services"
RPC = TESTS.parents[1] / "services" / "rpc"
DIR, FILE, LINK = 0o40755, 0o100644, 0o120777


def entry(name, mode, size=0, ns=0, raw=None):
    name = name.encode() + b"\0" if raw is None else raw
    return struct.pack("<IIQIIII", len(name), mode, size, 1000000, ns, 2000000, ns) + name


END = struct.pack("<IIQIIII", 0, 0, 0, 0, 0, 0, 0)


class Copy(unittest.TestCase):
    def setUp(self):
        self.m = Machine(policy="* * @anyvm @anyvm allow\n")
        self.home = self.m.dir / "home"
        self.home.mkdir()
        self.m.service("qubes.Filecopy", f"#!/bin/sh\nexec env HOME={self.home} {SERVICES}/filecopy-receive\n")
        self.m.service("qubes.OpenInVM", f"#!/bin/sh\nMULLION_OPENER={self.m.dir}/opener exec {SERVICES}/mullion-open --serve\n")
        self.incoming = self.home / "QubesIncoming" / "work"
        self.env = dict(self.m.env, VCHAN_DOMAIN="5", PATH=f"{BUILD}:{os.environ['PATH']}",
                        QREXEC_AGENT_SOCKET=str(self.m.dir / "agent-work"))

    def tearDown(self):
        subprocess.run(["umount", "-q", self.home], stderr=subprocess.DEVNULL)
        self.m.close()

    def copy(self, *files):
        return subprocess.run([SERVICES / "mullion-copy", "-d", "vault", *files], env=self.env, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=LIMIT * 3)

    def tree(self, count=50):
        top = self.m.dir / "tree"
        (top / "empty").mkdir(parents=True)
        for i in range(count):
            folder = top / f"d{i % 10}" / "deeper"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"file {i} ü").write_bytes(os.urandom(i * 37 % 5000))
        (top / "link").symlink_to("d0/deeper")
        (top / "run").write_text("#!/bin/sh\n")
        (top / "run").chmod(0o4750)
        os.utime(top / "run", ns=(1234567890123456789, 1111111111222222222))
        return top

    def test_a_tree_arrives_as_it_was(self):
        top = self.tree()
        (self.m.dir / "single").write_text("one")
        r = self.copy(top, self.m.dir / "single")
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        self.assertEqual(subprocess.run(["diff", "-r", "--no-dereference", top, self.incoming / "tree"]).returncode, 0)
        self.assertEqual((self.incoming / "single").read_text(), "one")
        run = os.stat(self.incoming / "tree" / "run")
        self.assertEqual((stat.S_IMODE(run.st_mode), run.st_mtime_ns), (0o750, 1111111111222222222))
        self.assertEqual(os.readlink(self.incoming / "tree" / "link"), "d0/deeper")

    def test_ten_thousand_files(self):
        top = self.tree(10000)
        self.assertEqual(self.copy(top).returncode, 0)
        self.assertEqual(sum(len(f) for _, _, f in os.walk(self.incoming / "tree")), 10001)

    def test_nothing_is_overwritten(self):
        source = self.m.dir / "note"
        source.write_text("new")
        self.incoming.mkdir(parents=True)
        (self.incoming / "note").write_text("old")
        r = self.copy(source)
        self.assertEqual(r.returncode, 1)
        self.assertIn(b"note: File exists", r.stderr)
        self.assertEqual((self.incoming / "note").read_text(), "old")
        top = self.tree(1)
        (self.incoming / "tree").symlink_to("/tmp")
        r = self.copy(top)
        self.assertIn(b"tree: File exists", r.stderr)

    def test_what_cannot_be_read_or_sent(self):
        self.assertIn(b"missing: No such file", self.copy(self.m.dir / "missing").stderr)
        os.mkfifo(self.m.dir / "fifo")
        r = self.copy(self.m.dir / "fifo")
        self.assertIn(b"left out", r.stderr)

    def test_a_full_disk_is_told_and_leaves_nothing_half(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", self.home], check=True)
        (self.m.dir / "small").write_bytes(b"s" * 1000)
        (self.m.dir / "large").write_bytes(b"l" * 8000000)
        r = self.copy(self.m.dir / "small", self.m.dir / "large")
        self.assertEqual(r.returncode, 1)
        self.assertIn(b"large: No space left on device", r.stderr)
        self.assertEqual(os.listdir(self.incoming), ["small"])

    def test_refused_copy(self):
        self.m.set_policy("* * @anyvm @anyvm deny\n", "10.policy")
        (self.m.dir / "x").write_text("x")
        wait_for(lambda: self.copy(self.m.dir / "x").returncode == 126)

    def test_sender_dies_in_the_middle(self):
        (self.m.dir / "big").write_bytes(b"b" * 50000000)
        p = subprocess.Popen([SERVICES / "mullion-copy", "-d", "vault", self.m.dir / "big"], env=self.env,
                             stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.incoming.exists)
        p.kill()
        p.wait()
        wait_for(lambda: not children(self.m.processes["agent-vault"].pid))
        self.assertIn(os.listdir(self.incoming), ([], ["big"]))
        if (self.incoming / "big").exists():
            self.assertEqual((self.incoming / "big").stat().st_size, 50000000)

    def opener(self, text):
        path = self.m.dir / "opener"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def open(self, path):
        return subprocess.run([SERVICES / "mullion-open", "-d", "vault", path], env=self.env, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=LIMIT)

    def test_open_and_bring_back(self):
        path = self.m.dir / "letter; rm.txt"
        path.write_text("Dear")
        path.chmod(0o640)
        self.opener(f'echo "$1" >{self.m.dir}/name; cat "$1" >{self.m.dir}/seen; sleep 0.02; echo " all" >>"$1"; echo noise\n')
        r = self.open(path)
        self.assertEqual((r.returncode, path.read_text()), (0, "Dear all\n"))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual((self.m.dir / "seen").read_text(), "Dear")
        self.assertTrue((self.m.dir / "name").read_text().endswith("/letter_ rm.txt\n"))
        self.assertFalse(pathlib.Path((self.m.dir / "name").read_text().strip()).parent.exists())

    def test_open_without_change(self):
        path = self.m.dir / "photo.jpg"
        path.write_text("pixels")
        self.opener("true\n")
        before = path.stat().st_ino
        self.assertEqual((self.open(path).returncode, path.read_text(), path.stat().st_ino), (0, "pixels", before))
        self.assertEqual([p.name for p in self.m.dir.iterdir() if "from-other" in p.name], [])


    def test_a_program_that_fails_or_crashes_is_told(self):
        path = self.m.dir / "photo.jpg"
        path.write_text("pixels")
        for text, code, words in (("kill -SEGV $$\n", 139, b"crashed (signal 11)"), ("exit 7\n", 7, b"may be damaged"),
                                  ("echo no program >&2; exit 3\n", 3, b"no program")):
            self.opener(text)
            r = self.open(path)
            self.assertEqual((r.returncode, words in r.stderr, path.read_text()), (code, True, "pixels"), r.stderr)

    def test_files_that_no_machine_is_started_for(self):
        self.opener(f"touch {self.m.dir}/called\n")
        (self.m.dir / "empty.pdf").touch()
        with open(self.m.dir / "huge.pdf", "wb") as huge:
            huge.truncate((256 << 20) + 1)
        for name, words in (("missing.pdf", b"No such file"), ("empty.pdf", b"is empty"), (".", b"is not a file"),
                            ("huge.pdf", b"at most 256")):
            r = self.open(self.m.dir / name)
            self.assertEqual((r.returncode, words in r.stderr), (1, True), r.stderr)
        self.assertFalse((self.m.dir / "called").exists())

    def click(self, what):
        """What the window says, or None when there is none."""
        window = self.m.dir / "window"
        window.write_text(f'#!/bin/sh\nprintf %s "$1" >{self.m.dir}/said\n')
        window.chmod(0o755)
        (self.m.dir / "said").unlink(missing_ok=True)
        subprocess.run([SERVICES / "mullion-open", "-d", "vault", "--desktop", what], env=dict(self.env, MULLION_MESSAGE_WINDOW=str(window)),
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)
        return (self.m.dir / "said").read_text() if (self.m.dir / "said").exists() else None

    def test_a_click_that_fails_has_a_window(self):
        path = self.m.dir / "a.pdf"
        self.assertIn("a.pdf was not opened.", self.click(path))
        self.assertIn("No such file", self.click(path))
        path.write_text("Dear")
        self.m.set_policy("* * @anyvm @anyvm deny\n", "10.policy")
        wait_for(lambda: "refused" in (self.click(path) or "").lower() or "denied" in (self.click(path) or "").lower())
        self.assertEqual(path.read_text(), "Dear")

    def test_a_reason_cannot_command_the_window(self):
        path = self.m.dir / "a.pdf"
        path.write_text("Dear")
        self.opener("printf '\\033]0;evil\\a nothing opens this\\n' >&2; exit 3\n")
        said = self.click(path)
        self.assertIn("was not opened", said)
        self.assertNotIn("\x1b", said)
        self.assertEqual(path.read_text(), "Dear")

    def test_a_click_that_works_has_no_window(self):
        path = self.m.dir / "a.pdf"
        path.write_text("Dear")
        self.opener("true\n")
        self.assertIsNone(self.click(path))


class Programs(unittest.TestCase):
    """open-and-wait: which program, with what."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="programs-test-"))
        self.applications = self.dir / "share" / "applications"
        self.applications.mkdir(parents=True)
        (self.dir / "config").mkdir()
        (self.dir / "show").write_text(f'#!/bin/sh\nprintf "%s|" "$@" >{self.dir}/shown\nexit 4\n')
        (self.dir / "show").chmod(0o755)
        for name in ("mime", "icons"):
            if pathlib.Path("/usr/share", name).exists():
                (self.dir / "share" / name).symlink_to(pathlib.Path("/usr/share", name))

    def tearDown(self):
        shutil.rmtree(self.dir)

    def entry(self, name, mime, arguments, more=""):
        (self.applications / f"{name}.desktop").write_text(
            f"[Desktop Entry]\nType=Application\nName={name}\nExec={self.dir}/show {arguments}\n{more}")
        # As update-desktop-database writes it; GIO looks nowhere else.
        with open(self.applications / "mimeinfo.cache", "a") as cache:
            if not cache.tell():
                cache.write("[MIME Cache]\n")
            cache.write(f"{mime}={name}.desktop;\n" if mime else "")

    def open(self, *arguments):
        (self.dir / "shown").unlink(missing_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.dir), "XDG_DATA_HOME": str(self.dir / "share"),
               "XDG_DATA_DIRS": str(self.dir / "nowhere"), "XDG_CONFIG_HOME": str(self.dir / "config"),
               "XDG_CONFIG_DIRS": str(self.dir / "nowhere")}
        r = subprocess.run([SERVICES / "open-and-wait", *arguments], env=env, capture_output=True, timeout=LIMIT)
        return r.returncode, (self.dir / "shown").read_text() if (self.dir / "shown").exists() else r.stderr.decode()

    def test_the_program_for_the_type_gets_the_file(self):
        self.entry("viewer", "application/pdf", "a%%b --file=%f %i %c")
        path = self.dir / "x y.pdf"
        path.write_text("%PDF-1.4\n")
        self.assertEqual(self.open(path), (4, f"a%b|--file={path}|"))

    def test_a_name_is_no_option(self):
        self.entry("viewer", "text/plain", "%U")
        os.chdir(self.dir)
        pathlib.Path("-rf.txt").write_text("x")
        self.assertEqual(self.open("-rf.txt"), (4, f"{self.dir}/-rf.txt|"))

    def test_a_program_without_a_place_for_it(self):
        self.entry("viewer", "text/plain", "x")
        (self.dir / "a.txt").write_text("x")
        self.assertEqual(self.open(self.dir / "a.txt"), (4, f"x|{self.dir}/a.txt|"))

    def test_what_hands_files_to_disposables_is_never_it(self):
        self.entry("org.mullion.Open", "application/pdf", "handler %f")
        (self.dir / "a.pdf").write_text("%PDF-1.4\n")
        code, said = self.open(self.dir / "a.pdf")
        self.assertEqual((code, "no program here opens a.pdf (application/pdf)" in said), (3, True), said)
        self.entry("other", "application/pdf", "other %f")
        self.assertEqual(self.open(self.dir / "a.pdf"), (4, f"other|{self.dir}/a.pdf|"))

    def test_the_list_of_viewers_decides(self):
        self.entry("org.mullion.Open", "application/pdf", "handler %f")
        self.entry("other", "application/pdf", "other %f")
        self.entry("viewer", "", "viewer %f")
        (self.dir / "a.pdf").write_text("%PDF-1.4\n")
        (self.dir / "config" / "mimeapps.list").write_text(
            "[Default Applications]\napplication/pdf=org.mullion.Open.desktop\n")
        (self.dir / "config" / "mullion-viewer-mimeapps.list").write_text(
            "[Default Applications]\napplication/pdf=viewer.desktop\n")
        self.assertEqual(self.open(self.dir / "a.pdf"), (4, f"viewer|{self.dir}/a.pdf|"))

    def test_addresses(self):
        self.entry("org.mullion.Open", "x-scheme-handler/https", "handler %u")
        code, said = self.open("https://example.org/?a=%66")
        self.assertEqual((code, "no program here opens https addresses" in said), (3, True), said)
        self.entry("browser", "x-scheme-handler/https", "browser %u")
        self.assertEqual(self.open("https://example.org/?a=%66"), (4, "browser|https://example.org/?a=%66|"))

    def test_programs_of_the_menu(self):
        self.entry("tool", "", "x %u")
        self.assertEqual(self.open("--app", "tool"), (4, "x|"))
        self.assertEqual(self.open("--app", "other")[0], 127)
        self.assertEqual(self.open("--app", "../tool")[0], 127)


class Hostile(unittest.TestCase):
    """A sender that lies: run the receiver alone."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="filecopy-test-"))
        self.env = dict(os.environ, HOME=str(self.dir), QREXEC_REMOTE_DOMAIN="evil")
        self.incoming = self.dir / "QubesIncoming" / "evil"

    def tearDown(self):
        shutil.rmtree(self.dir)

    def receive(self, stream):
        r = subprocess.run([SERVICES / "filecopy-receive"], input=stream, capture_output=True, env=self.env, timeout=LIMIT)
        error, pad, crc, size = struct.unpack("<IIQI", r.stdout[:20])
        self.assertEqual((pad, len(r.stdout)), (0, 20 + size))
        return error, crc, r.stdout[20:]

    def contents(self):
        return sorted(str(p.relative_to(self.incoming)) for p in self.incoming.rglob("*"))

    def test_good_stream(self):
        stream = entry("d", DIR) + entry("d/f", FILE, 3) + b"abc" + entry("d", DIR) + END
        self.assertEqual(self.receive(stream), (0, zlib.crc32(stream), b"d"))
        self.assertEqual(self.contents(), ["d", "d/f"])

    def test_names_that_are_refused(self):
        import errno
        for name in ("..", ".", "../x", "/etc/passwd", "a/b", "a//b", "./a", "a/", "", "a\nb", "a\x1b[0m", "a\x7f", "x" * 256):
            with self.subTest(name):
                error, _, _ = self.receive(entry(name, FILE, 1) + b"x" + END)
                self.assertIn(error, (errno.EINVAL, errno.EPROTO))
                self.assertEqual(self.contents(), [])
        for raw in (b"abc", b"a\0b\0", b"\0\0"):
            self.assertEqual(self.receive(entry("", FILE, raw=raw) + END)[0], errno.EINVAL)
        self.assertEqual(self.receive(entry("", FILE, raw=b"x" * 5000) + END)[0], errno.ENAMETOOLONG)
        self.assertEqual(self.receive(struct.pack("<IIQIIII", 0xffffffff, FILE, 0, 0, 0, 0, 0))[0], errno.ENAMETOOLONG)

    def test_entries_outside_the_open_folder(self):
        import errno
        for stream in (entry("d", DIR) + entry("e", FILE), entry("d", DIR) + entry("d/../e", FILE), entry("d", DIR) + entry("dx/e", FILE),
                       entry("d", DIR) + entry("d/e/f", FILE), entry("d", DIR) + END, entry("d", DIR) + entry("d/e", DIR) + entry("d", DIR)):
            error, _, _ = self.receive(stream + END)
            self.assertIn(error, (errno.EPROTO, errno.EINVAL))
            shutil.rmtree(self.incoming)

    def test_types_and_sizes_that_are_refused(self):
        import errno
        for mode in (0o20644, 0o60644, 0o10644, 0o140644, 0, 0o777):
            self.assertEqual(self.receive(entry("x", mode) + END)[0], errno.EINVAL)
        self.assertEqual(self.receive(entry("x", DIR, 5) + b"aaaaa" + END)[0], errno.EINVAL)
        self.assertEqual(self.receive(entry("x", FILE, 1, ns=1000000000) + END)[0], errno.EINVAL)
        self.assertIn(self.receive(entry("x", FILE, (1 << 63) - 1) + b"a")[0], (errno.ENOSPC, errno.EFBIG, errno.EPIPE))
        self.assertEqual(self.receive(entry("x", FILE, 1 << 63))[0], errno.EINVAL)
        self.assertEqual(self.contents(), [])

    def test_links_stay_inside(self):
        import errno
        for target in (b"/etc/passwd", b"..", b"../x", b"a/../../x", b"a/..", b"a\nb", b"a\0b"):
            self.assertEqual(self.receive(entry("x", LINK, len(target)) + target + END)[0], errno.EINVAL, target)
        self.assertEqual(self.receive(entry("x", LINK, 0) + END)[0], errno.EINVAL)
        self.assertEqual(self.receive(entry("x", LINK, 5000) + b"a" * 5000 + END)[0], errno.EINVAL)
        self.assertEqual(self.receive(entry("x", LINK, 4) + b"..a." + END)[0], 0)
        self.assertEqual(os.readlink(self.incoming / "x"), "..a.")
        # A link is no way into a folder.
        self.assertEqual(self.receive(entry("x", DIR) + entry("x/y", FILE) + entry("x", DIR) + END)[0], errno.EEXIST)

    def test_depth(self):
        import errno
        path, stream = "", b""
        for i in range(200):
            path = f"{path}/d" if path else "d"
            stream += entry(path, DIR)
        self.assertEqual(self.receive(stream)[0], errno.ELOOP)

    def test_truncation_at_every_byte(self):
        import errno
        stream = entry("d", DIR) + entry("d/f", FILE, 3) + b"abc" + entry("d/l", LINK, 1) + b"f" + entry("d", DIR) + END
        for i in range(0, len(stream), 3):
            self.assertEqual(self.receive(stream[:i])[0], errno.EPIPE)
            complete = i >= len(entry("d", DIR) + entry("d/f", FILE, 3)) + 3
            self.assertEqual((self.incoming / "d" / "f").exists(), complete)
            shutil.rmtree(self.incoming)

    def test_setuid_is_dropped(self):
        self.receive(entry("x", 0o106777, 1) + b"x" + END)
        self.assertEqual(stat.S_IMODE((self.incoming / "x").stat().st_mode), 0o777)

    def test_source_that_is_no_name(self):
        for source in ("", "../x", ".", "a/b"):
            self.env["QREXEC_REMOTE_DOMAIN"] = source
            self.assertNotEqual(self.receive(entry("x", FILE) + END)[0], 0)


class Services(unittest.TestCase):
    def setUp(self):
        self.m = Machine(policy="* * @anyvm @anyvm allow\n* * @anyvm @adminvm allow\n")

    def tearDown(self):
        self.m.close()

    def install(self, name, **replace):
        text = (RPC / name).read_text().replace("/usr/lib/mullion", str(SERVICES))
        self.m.service(name, text)

    def test_vmshell(self):
        self.install("qubes.VMShell")
        r = self.m.vm("work", "vault", "qubes.VMShell", input=b"echo in $VCHAN_DOMAIN; exit 3\n")
        self.assertEqual((r.stdout, r.returncode), (b"in 7\n", 3))

    def test_vmexec(self):
        self.install("qubes.VMExec")
        def call(argument):
            r = self.m.vm("work", "vault", "qubes.VMExec+" + argument)
            return r.stdout, r.returncode
        self.assertEqual(call("printf+-25s.+a--b+-3B-20rm++x"), (b"a-b.; rm..x.", 0))
        self.assertEqual(call("-2Fbin-2Ffalse"), (b"", 1))
        self.assertEqual(call("no-2Fsuch-2Fprogram")[1], 127)
        for bad in ("", "a-0", "a-", "a-zz", "a-00", "a-2f", "+a"):
            self.assertEqual(call(bad)[1], 125, bad)

    def test_open_url(self):
        self.install("qubes.OpenURL")
        fake = self.m.dir / "bin"
        fake.mkdir()
        (fake / "open-and-wait").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self.m.dir}/url\n')
        (fake / "open-and-wait").chmod(0o755)
        path = self.m.dir / "svc" / "qubes.OpenURL"
        path.write_text(path.read_text().replace(f"exec {SERVICES}/open-and-wait", f"exec {fake}/open-and-wait"))
        self.assertEqual(self.m.vm("work", "vault", "qubes.OpenURL", input=b"https://x.org/?a=b&c\n").returncode, 0)
        self.assertEqual((self.m.dir / "url").read_text(), "https://x.org/?a=b&c\n")
        for bad in (b"file:///etc/passwd", b"javascript:x", b"--help", b"https://a b", b"https://a\x1b", b"", b"ftp://x"):
            self.assertEqual(self.m.vm("work", "vault", "qubes.OpenURL", input=bad).returncode, 1, bad)

    def test_start_app_takes_only_names(self):
        self.install("qubes.StartApp")
        for bad in ("", "+..", "+-x", "+.hidden"):
            self.assertEqual(self.m.vm("work", "vault", "qubes.StartApp" + bad).returncode, 1, bad)
        self.assertEqual(self.m.vm("work", "vault", "qubes.StartApp+not-installed").returncode, 127)

    def test_appmenus(self):
        self.install("qubes.GetAppmenus")
        share = self.m.dir / "share" / "applications"
        share.mkdir(parents=True)
        (share / "a.desktop").write_text("[Desktop Entry]\nName=A\nName[de]=Ä\nExec=a\nX-Secret=1\n[Desktop Action x]\nName=No\n")
        path = self.m.dir / "svc" / "qubes.GetAppmenus"
        path.write_text(path.read_text().replace("IFS=:", f"XDG_DATA_DIRS={self.m.dir}/share XDG_DATA_HOME=/nowhere\nIFS=:", 1))
        r = self.m.vm("work", "vault", "qubes.GetAppmenus")
        self.assertEqual(r.stdout.decode(), "a.desktop:Name=A\na.desktop:Name[de]=Ä\na.desktop:Exec=a\n")

    def test_date(self):
        self.m.service("qubes.GetDate", (RPC.parent / "dom0-rpc" / "qubes.GetDate").read_text(), where="svc0")
        r = self.m.vm("work", "@adminvm", "qubes.GetDate")
        self.assertRegex(r.stdout.decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\n$")
        self.install("qubes.SetDateTime")
        for bad in (b"now\n", b"2026-11-21T01:02:03+01:00\n", b"", b"$(id)\n", b"2026-11-21T01:02:03+00:00x\n"):
            self.assertEqual(self.m.client("work", "root:QUBESRPC qubes.SetDateTime dom0", input=bad).returncode, 1)

    def test_the_clock_is_set_to_what_was_sent(self):
        self.install("qubes.SetDateTime")
        path, said = self.m.dir / "svc" / "qubes.SetDateTime", self.m.dir / "date"
        (self.m.dir / "fake-date").write_text(f'#!/bin/sh\necho "$@" >{said}\n')
        (self.m.dir / "fake-date").chmod(0o755)
        path.write_text(path.read_text().replace("exec date", f"exec {self.m.dir}/fake-date"))
        r = self.m.client("work", "root:QUBESRPC qubes.SetDateTime dom0", input=b"2026-11-21T01:02:03+00:00\n")
        self.assertEqual((r.returncode, said.read_text()), (0, "-u -s 2026-11-21T01:02:03+00:00\n"))

    def test_waiting_for_a_session(self):
        self.install("qubes.WaitForSession")
        path = self.m.dir / "svc" / "qubes.WaitForSession"
        path.write_text(path.read_text().replace("/run/user/", f"{self.m.dir}/user/"))
        for bad in (b"", b"-x\n", b"a b\n", b"../x\n", b"no-such-user-here\n", b"root"):
            self.assertEqual(self.m.vm("work", "vault", "qubes.WaitForSession", input=bad).returncode, 1, bad)
        p = subprocess.Popen(self.m.vm_command("work", "vault", "qubes.WaitForSession"), stdin=subprocess.PIPE,
                             env=dict(self.m.env, VCHAN_DOMAIN="5"))
        p.stdin.write(b"root\n")
        p.stdin.close()
        with self.assertRaises(subprocess.TimeoutExpired):
            p.wait(0.5)
        (self.m.dir / "user" / "0").mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.m.dir / "user" / "0" / "wayland-1"))
            self.assertEqual(p.wait(LIMIT), 0)

    def test_image(self):
        self.install("qubes.GetImageRGBA")
        path = self.m.dir / "x.ppm"
        path.write_bytes(b"P6 2 1 255\n\x01\x02\x03\xff\xfe\xfd")
        r = self.m.vm("work", "vault", "qubes.GetImageRGBA", input=f"{path}\n".encode())
        head, pixels = r.stdout.split(b"\n", 1)
        width, height = map(int, head.split())
        self.assertEqual(len(pixels), width * height * 4)
        self.assertEqual(self.m.vm("work", "vault", "qubes.GetImageRGBA", input=b"xdgicon:../x\n").returncode, 1)
        self.assertEqual(self.m.vm("work", "vault", "qubes.GetImageRGBA", input=b"/nothing\n").returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=1)
