#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qrexec as a whole over the local transport: calls, refusals, versions, deaths, many, much."""
import ctypes
import hashlib
import os
import pathlib
import pwd
import signal
import socket
import struct
import subprocess
import time
import unittest

from harness import *


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = Machine(policy=(
            "test.Deny * @anyvm @anyvm deny\n"
            "test.Dom0 * work @adminvm allow\n"
            "test.Wait * work @adminvm allow\n"
            "test.Redirect * work @default allow target=vault\n"
            "test.User * work vault allow user=somebody\n"
            "* * @anyvm @anyvm allow\n"))
        m = cls.m
        m.service("test.Echo", "#!/bin/sh\ncat\n")
        m.service("test.Env", "#!/bin/sh\nenv | grep ^QREXEC_ | sort; echo \"$@\"\n")
        m.service("test.Exit", "#!/bin/sh\nexit $1\n")
        m.service("test.Plain", "echo plain\n", mode=0o644)
        m.service("test.Both", "#!/bin/sh\necho general\n")
        m.service("test.Both+special", "#!/bin/sh\necho special\n")
        m.service("test.Dom0", "#!/bin/sh\necho from dom0 to $QREXEC_REMOTE_DOMAIN\ncat\nexit 5\n", where="svc0")

    @classmethod
    def tearDownClass(cls):
        cls.m.close()

    # ---- dom0 to guest ----

    def test_output_errors_and_exit_code_are_exact(self):
        r = self.m.client("work", "user:printf 'a\\0b\\377'; printf 'e\\0' >&2; exit 7")
        self.assertEqual((r.stdout, r.stderr, r.returncode), (b"a\0b\xff", b"e\0", 7))

    def test_input_reaches_the_command(self):
        data = os.urandom(300000)
        r = self.m.client("work", "user:cat", input=data)
        self.assertEqual((r.stdout == data, r.returncode), (True, 0))

    def test_every_exit_code(self):
        for code in (0, 1, 2, 42, 125, 126, 127, 128, 255):
            self.assertEqual(self.m.client("work", f"user:exit {code}").returncode, code)

    def test_a_killed_command_says_which_signal(self):
        self.assertEqual(self.m.client("work", "user:kill -9 $$").returncode, 137)

    def test_default_user_is_filled_in(self):
        self.assertEqual(self.m.client("work", "DEFAULT:echo hi").stdout, b"hi\n")

    def test_a_command_without_user_is_a_problem(self):
        self.assertEqual(self.m.client("work", "echo hi").returncode, 125)

    def test_unknown_domain_is_a_problem(self):
        r = self.m.client("nowhere", "user:true")
        self.assertEqual(r.returncode, 125)
        self.assertIn(b"nowhere", r.stderr)

    def test_just_exec_does_not_wait(self):
        mark, go = self.m.dir / "mark", self.m.dir / "go"
        os.mkfifo(go)
        r = self.m.client("work", f"user:read word <{go}; touch {mark}", "-e")
        self.assertEqual((r.returncode, mark.exists()), (0, False))
        go.write_text("word\n")
        wait_for(mark.exists, what="the mark")

    def test_local_program(self):
        out = self.m.dir / "local"
        r = self.m.client("work", "user:tr a-z A-Z", "-l", f"echo hello; exec cat >{out}")
        self.assertEqual((r.returncode, out.read_bytes()), (0, b"HELLO\n"))

    def test_control_characters_are_filtered_when_asked(self):
        r = self.m.client("work", "user:printf 'a\\033[0mb\\0\\n'; printf '\\033' >&2", "-t", "-T")
        self.assertEqual((r.stdout, r.stderr), (b"a_[0mb_\n", b"_"))

    def test_the_time_to_connect_is_limited(self):
        for text in ("-1", "x", "", "86401", "1x"):
            self.assertEqual(self.m.client("work", "user:true", "-w", text).returncode, 2)
        self.assertEqual(self.m.client("work", "user:exit 3", "-w", "0").returncode, 3)
        os.kill(self.m.processes["agent-work"].pid, signal.SIGSTOP)
        try:
            r = self.m.client("work", "user:true", "-w", "1")
        finally:
            os.kill(self.m.processes["agent-work"].pid, signal.SIGCONT)
        self.assertEqual((r.returncode, r.stderr), (125, b"qrexec-client: work does not answer: Connection timed out\n"))

    def test_long_command(self):
        text = "x" * 60000
        self.assertEqual(self.m.client("work", f"user:printf {text} | wc -c").stdout.strip(), b"60000")
        self.assertEqual(self.m.client("work", "user:" + "x" * 70000).returncode, 125)

    # ---- guest to guest ----

    def test_service_of_another_guest(self):
        data = os.urandom(200000)
        r = self.m.vm("work", "vault", "test.Echo", input=data)
        self.assertEqual((r.stdout == data, r.returncode), (True, 0))

    def test_what_a_service_is_told(self):
        r = self.m.vm("work", "vault", "test.Env+some-arg")
        self.assertEqual(r.returncode, 0)
        text = r.stdout.decode()
        self.assertIn("QREXEC_REMOTE_DOMAIN=work\n", text)
        self.assertIn("QREXEC_SERVICE_ARGUMENT=some-arg\n", text)
        self.assertIn("QREXEC_SERVICE_FULL_NAME=test.Env+some-arg\n", text)
        self.assertTrue(text.endswith("some-arg\n"))

    def test_exit_code_of_a_service(self):
        for code in (0, 3, 126):
            self.assertEqual(self.m.vm("work", "vault", f"test.Exit+{code}").returncode, code)

    def test_a_plain_file_is_a_shell_script(self):
        self.assertEqual(self.m.vm("work", "vault", "test.Plain").stdout, b"plain\n")

    def test_the_file_with_the_argument_comes_first(self):
        self.assertEqual(self.m.vm("work", "vault", "test.Both+special").stdout, b"special\n")
        self.assertEqual(self.m.vm("work", "vault", "test.Both+other").stdout, b"general\n")
        self.assertEqual(self.m.vm("work", "vault", "test.Both").stdout, b"general\n")

    def test_program_of_the_caller(self):
        out = self.m.dir / "got"
        r = self.m.vm("work", "vault", "test.Echo", "/bin/sh", "-c", f"echo ping; read x; echo got $x >{out}; exit 9")
        self.assertEqual((r.returncode, out.read_text()), (9, "got ping\n"))

    def test_program_sees_the_callers_descriptors(self):
        r = self.m.vm("work", "vault", "test.Echo", "/bin/bash", "-c", "echo hi >&$SAVED_FD_1")
        self.assertEqual(r.stdout, b"hi\n")

    def test_redirected_target(self):
        self.assertEqual(self.m.vm("work", "@default", "test.Redirect").returncode, 127)
        self.m.service("test.Redirect", "#!/bin/sh\necho in $VCHAN_DOMAIN\n")
        self.assertEqual(self.m.vm("work", "@default", "test.Redirect").stdout, b"in 7\n")
        self.assertEqual(self.m.vm("work", "$default", "test.Redirect").stdout, b"in 7\n")

    # ---- guest to dom0 ----

    def test_service_of_dom0(self):
        r = self.m.vm("work", "@adminvm", "test.Dom0", input=b"input")
        self.assertEqual((r.stdout, r.returncode), (b"from dom0 to work\ninput", 5))
        self.assertEqual(self.m.vm("work", "dom0", "test.Dom0").returncode, 5)

    # ---- refusals ----

    def test_what_policy_denies_is_refused(self):
        for source, target, service in (("work", "vault", "test.Deny"), ("vault", "@adminvm", "test.Dom0"),
                                        ("work", "nowhere", "test.Echo"), ("work", "work", "test.Echo"),
                                        ("work", "@default", "test.Echo"), ("work", "@dispvm", "test.Echo"),
                                        ("work", "vault", "bad/../name"), ("work", "va ult", "test.Echo"),
                                        ("work", "vault", "+"), ("work", "vault", "te\nst")):
            r = self.m.vm(source, target, service)
            self.assertEqual((r.returncode, r.stderr), (126, b"Request refused\n"), (source, target, service))
        # The connection is still the first one.
        self.assertEqual(self.m.log("daemon-work").count("agent connected"), 1)

    def test_service_that_is_not_installed(self):
        r = self.m.vm("work", "vault", "test.Missing")
        self.assertEqual(r.returncode, 127)
        self.assertIn(b"no such service", r.stderr)

    # ---- streams ----

    def test_output_ends_before_input(self):
        r = self.m.client("work", "user:exec >&-; cat >&2; exit 3", input=b"x" * 100000)
        self.assertEqual((r.stdout, len(r.stderr), r.returncode), (b"", 100000, 3))

    def test_input_is_not_read(self):
        r = self.m.client("work", "user:exec <&-; sleep 0.1; echo done", input=b"x" * 3000000)
        self.assertEqual((r.stdout, r.returncode), (b"done\n", 0))

    def test_errors_end_first(self):
        r = self.m.client("work", "user:exec 2>&-; cat; exit 4", input=b"y" * 70000)
        self.assertEqual((len(r.stdout), r.returncode), (70000, 4))

    def test_all_streams_closed_and_alive(self):
        start = time.monotonic()
        r = self.m.client("work", "user:exec <&- >&- 2>&-; sleep 0.3; exit 6")
        self.assertEqual(r.returncode, 6)
        self.assertGreater(time.monotonic() - start, 0.25)

    def test_callers_output_is_closed(self):
        p = subprocess.Popen(self.m.client_command("work", "user:yes"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, env=dict(self.m.env, VCHAN_DOMAIN="0"))
        self.assertEqual(p.stdout.read(10), b"y\ny\ny\ny\ny\n")
        p.stdout.close()
        self.assertEqual(p.wait(LIMIT), 141)

    def test_call_without_any_descriptor(self):
        r = subprocess.run(["/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh",
                            *self.m.client_command("work", "user:echo x; echo y >&2; exit 8")],
                           env=dict(self.m.env, VCHAN_DOMAIN="0"), timeout=LIMIT)
        self.assertEqual(r.returncode, 8)

    def test_slow_reader_gets_everything(self):
        p = subprocess.Popen(self.m.client_command("work", "user:head -c 20000000 /dev/zero"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             env=dict(self.m.env, VCHAN_DOMAIN="0"))
        total = 0
        for _ in range(20):
            time.sleep(0.01)
            total += len(p.stdout.read(65536))
        agent = self.m.processes["agent-work"].pid
        self.assertLess(resident_kib(agent), 4096)  # nothing piles up
        total += len(p.stdout.read())
        self.assertEqual((total, p.wait(LIMIT)), (20000000, 0))

    def test_both_directions_at_once(self):
        data = os.urandom(1 << 20) * 16
        r = self.m.vm("work", "vault", "test.Echo", input=data)
        self.assertEqual(hashlib.sha256(r.stdout).digest(), hashlib.sha256(data).digest())

    def test_who_reads_what_others_send_is_confined(self):
        m = self.m
        m.service("test.Wait", "#!/bin/sh\nexec sleep 100\n")
        m.service("test.Wait", "#!/bin/sh\nexec sleep 100\n", where="svc0")
        calls = [subprocess.Popen(m.vm_command("work", *where), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  env=dict(m.env, VCHAN_DOMAIN="5")) for where in (("vault", "test.Wait"), ("@adminvm", "test.Wait"))]
        calls.append(subprocess.Popen(m.client_command("vault", "user:sleep 100"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      env=dict(m.env, VCHAN_DOMAIN="0")))
        daemon, agent = m.processes["daemon-work"].pid, m.processes["agent-vault"].pid
        try:
            wait_for(lambda: len(started(daemon)) == 2 and all(children(p) for p in started(daemon)[1:]), what="dom0's service runs")
            wait_for(lambda: len(children(agent)) == 2 and all(children(p) for p in children(agent)), what="the guest's services run")

            def is_confined(pid):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                return "\nSeccomp:\t2\n" in status and "\nNoNewPrivs:\t1\n" in status
            readers = {"daemon": [daemon], "parser and connector": started(daemon), "data processes of a guest": children(agent),
                       "callers": [p.pid for p in calls], "policy": [m.processes["policy"].pid]}
            for who, pids in readers.items():
                for pid in pids:
                    wait_for(lambda: is_confined(pid), what=f"{who} confined")
            # The services themselves are not: what they may is their user's.
            self.assertFalse(any(is_confined(child) for pid in children(agent) for child in children(pid)))
        finally:
            for p in calls:
                p.kill()
                p.wait()

    def test_socket_as_service(self):
        path = self.m.dir / "svc" / "test.Socket"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        p = subprocess.Popen(self.m.vm_command("work", "vault", "test.Socket+a"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=dict(self.m.env, VCHAN_DOMAIN="5"))
        conn, _ = listener.accept()
        conn.settimeout(LIMIT)
        peer = Peer(conn)
        self.assertEqual(peer.read(len(b"test.Socket+a work\0")), b"test.Socket+a work\0")
        p.stdin.write(b"question")
        p.stdin.close()
        self.assertEqual(peer.read(8), b"question")
        self.assertTrue(peer.is_closed())  # half-closed: we still answer
        conn.sendall(b"answer")
        conn.close()
        self.assertEqual((p.stdout.read(), p.wait(LIMIT)), (b"answer", 0))
        p.stdout.close()
        listener.close()

    def test_settings_of_a_service(self):
        m = self.m
        m.service("test.Config", "#!/bin/sh\necho $0 ran\n")
        m.service("test.Config", "nonsense\n", where="config", mode=0o644)
        self.assertEqual(m.vm("work", "vault", "test.Config").returncode, 125)
        m.service("test.Config", "# fine\nforce-user = 'root'\nwait-for-session = true\n", where="config", mode=0o644)
        m.service("qubes.WaitForSession", f"#!/bin/sh\nread user; echo $user >{m.dir}/session\n")
        self.assertEqual(m.vm("work", "vault", "test.Config").returncode, 0)
        self.assertEqual((m.dir / "session").read_text(), "root\n")


@unittest.skipIf(os.geteuid(), "only root becomes other users")
class Sessions(unittest.TestCase):
    """Commands of users: a PAM session, the user's rights, login shell and home."""

    def setUp(self):
        self.m = Machine(domains=("work:5",), daemons=False)
        self.m.env.pop("QREXEC_NO_ROOT")
        self.m.start_agent("work")
        self.m.start_daemon("work")

    def tearDown(self):
        self.m.close()

    def test_a_user_has_rights_home_and_shell(self):
        r = self.m.client("work", "root:echo $(id -u) $USER $LOGNAME $HOME $0; cat; exit 3", input=b"in")
        words = r.stdout.decode().split()
        self.assertEqual((words[:4], words[4][0], words[5:], r.returncode),
                         (["0", "root", "root", "/root"], "-", ["in"], 3), r.stderr)

    def test_who_may_not_log_in_runs_nothing(self):
        mark = self.m.dir / "mark"
        r = self.m.client("work", f"nobody:touch {mark}")  # its shell is nologin
        self.assertEqual((r.returncode, mark.exists()), (1, False), r.stderr)

    def test_an_unknown_user_is_a_problem(self):
        r = self.m.client("work", "nobody-of-that-name:true")
        self.assertEqual((r.returncode, r.stderr), (125, b"qrexec: no such user, or no session for it\n"))

    def test_services_run_as_the_user_of_their_settings(self):
        self.m.service("test.Who", "#!/bin/sh\nid -u\n")
        self.m.service("test.Who", "force-user = 'nobody'\n", where="config", mode=0o644)
        self.m.dir.chmod(0o755)
        r = self.m.client("work", "root:QUBESRPC test.Who dom0")
        self.assertEqual((r.stdout, r.returncode), (b"65534\n", 0), r.stderr)

    def test_sessions_end_with_their_calls(self):
        for _ in range(5):
            self.assertEqual(self.m.client("work", "root:true").returncode, 0)
        wait_for(lambda: not children(self.m.processes["agent-work"].pid), what="no session left")


class ForkServer(unittest.TestCase):
    """Calls of a user who is logged in run in that session."""

    def setUp(self):
        self.me = pwd.getpwuid(os.getuid()).pw_name
        self.m = Machine()
        self.m.start_fork_server("work")

    def tearDown(self):
        self.m.close()

    def session(self, command="echo $SESSION", user=None):
        return self.m.client("work", f"{user or self.me}:{command}").stdout.decode().strip()

    def test_commands_run_in_the_session(self):
        self.assertEqual(self.session(), "yes")
        r = self.m.client("work", f"{self.me}:cat; echo $SESSION >&2; exit 9", input=b"x" * 300000)
        self.assertEqual((r.stdout == b"x" * 300000, r.stderr, r.returncode), (True, b"yes\n", 9))

    def test_it_is_the_users_own_shell(self):
        self.assertEqual(self.session("echo $0"), os.path.basename(pwd.getpwuid(os.getuid()).pw_shell))

    def test_services_run_in_the_session(self):
        m = self.m
        m.service("test.Session", "#!/bin/sh\necho $SESSION $QREXEC_REMOTE_DOMAIN $1\n")
        m.set_policy(f"* * @anyvm @anyvm allow user={self.me}\n")
        wait_for(lambda: m.vm("vault", "work", "test.Session+a").stdout == b"yes vault a\n", what="the new policy")
        self.assertEqual(m.vm("vault", "work", "test.Missing").returncode, 127)
        # Settings that the fork server of Qubes does not read: the agent keeps the call.
        m.service("test.Session", "exit-on-service-eof = true\n", where="config", mode=0o644)
        self.assertEqual(m.vm("vault", "work", "test.Session+a").stdout, b"vault a\n")
        m.service("test.Session", f"force-user = '{self.me}'\n", where="config", mode=0o644)
        self.assertEqual(m.vm("vault", "work", "test.Session+a").stdout, b"yes vault a\n")
        m.service("test.Session", "nonsense\n", where="config", mode=0o644)
        self.assertEqual(m.vm("vault", "work", "test.Session+a").returncode, 125)

    def test_just_exec_runs_in_the_session(self):
        out = self.m.dir / "out"
        self.assertEqual(self.m.client("work", f"{self.me}:echo $SESSION >{out}", "-e").returncode, 0)
        wait_for(lambda: out.exists() and out.read_text() == "yes\n", what="the command's mark")

    def test_what_does_not_belong_there_does_not_go_there(self):
        self.assertEqual(self.session("nogui:echo $SESSION"), "")
        self.assertEqual(self.session(user="somebody-else"), "")
        self.m.kill("agent-work")
        self.m.start_agent("work", "--no-fork-server")
        self.m.wait_connected("work", 2)
        self.assertEqual(self.session("echo out$SESSION"), "out")
        self.m.kill("agent-work")
        self.m.start_agent("work", "--fork-server-socket=")
        self.m.wait_connected("work", 3)
        self.assertEqual(self.session("echo out$SESSION"), "out")

    def test_a_call_outlives_the_server_and_the_next_has_its_own_session(self):
        p = subprocess.Popen(self.m.client_command("work", f"{self.me}:echo $SESSION; cat"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=dict(self.m.env, VCHAN_DOMAIN="0"))
        self.assertEqual(p.stdout.readline(), b"yes\n")
        self.m.kill("fork-work")
        self.assertEqual(self.session("echo out$SESSION"), "out")
        p.stdin.write(b"still here")
        p.stdin.close()
        self.assertEqual((p.stdout.read(), p.wait(LIMIT)), (b"still here", 0))
        p.stdout.close()
        self.m.start_fork_server("work")
        self.assertEqual(self.session(), "yes")

    def test_a_server_that_drops_the_call_is_a_problem_of_that_call_only(self):
        self.m.kill("fork-work")
        path = self.m.dir / f"fork-work.{self.me}"
        path.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            p = subprocess.Popen(self.m.client_command("work", f"{self.me}:echo"), stdin=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="0"))
            conn, _ = listener.accept()
            conn.settimeout(LIMIT)
            head = Peer(conn).read(16)
            self.assertEqual((head[:8], head[12:]), (struct.pack("<II", MSG_EXEC, 0), struct.pack("<I", 5)))
            self.assertEqual(Peer(conn).read(5), b"echo\0")
            conn.close()
            self.assertEqual(p.wait(LIMIT), 125)
        self.assertEqual(self.session("echo out$SESSION"), "out")

    def test_a_request_that_breaks_a_rule_is_dropped(self):
        good = struct.pack("<IIII", MSG_EXEC, 0, 513, 5)
        cases = {"nothing": b"", "half a head": good[:9], "no type of a call": struct.pack("<IIII", MSG_CONNECT, 0, 513, 5) + b"echo\0",
                 "domain": struct.pack("<IIII", MSG_EXEC, 0x7ff0, 513, 5) + b"echo\0", "port": struct.pack("<IIII", MSG_EXEC, 0, 0, 5) + b"echo\0",
                 "no command": struct.pack("<IIII", MSG_EXEC, 0, 513, 0), "too long": struct.pack("<IIII", MSG_EXEC, 0, 513, 65536),
                 "no end": good + b"echo!", "two ends": good + b"ec\0o\0", "half a command": good + b"ec"}
        for what, data in cases.items():
            with self.subTest(what), socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(self.m.dir / f"fork-work.{self.me}"))
                sock.settimeout(LIMIT)
                lines = self.m.log("fork-work").count("\n")
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                self.assertTrue(Peer(sock).is_closed())
                self.assertGreater(self.m.log("fork-work").count("\n"), lines)
        self.assertEqual(self.session(), "yes")

    def test_nothing_is_left_after_many_calls(self):
        server = self.m.processes["fork-work"].pid
        wait_for(lambda: not children(server), what="the question whether it listens has ended")
        before = descriptors(server)
        running = [subprocess.Popen(self.m.client_command("work", f"{self.me}:exit {i}"), stdin=subprocess.DEVNULL,
                                    env=dict(self.m.env, VCHAN_DOMAIN="0")) for i in range(50)]
        self.assertEqual([p.wait(LIMIT) for p in running], list(range(50)))
        wait_for(lambda: not children(server), what="the calls' processes are gone")
        wait_for(lambda: not children(self.m.processes["agent-work"].pid), what="the agent's are, too")
        # Fewer is no leak: the server may still have held that question's connection when it was counted.
        self.assertLessEqual(descriptors(server), before)
        self.assertLess(resident_kib(server), 4096)

    @unittest.skipIf(os.geteuid(), "only root becomes other users")
    def test_a_server_of_another_user_is_not_used(self):
        m = self.m
        m.kill("fork-work")
        for folder in (m.dir, m.dir / "v"):
            folder.chmod(0o777)
        m.start_fork_server("work", user="nobody")  # at root's name
        self.assertEqual(self.session("echo out$SESSION"), "out")
        self.assertIn("not served by root", m.log("agent-work"))
        # At its own name it serves, as itself.
        m.kill("fork-work")
        m.start_fork_server("work", m.dir / "fork-work.nobody", user="nobody")
        m.service("test.Who", "#!/bin/sh\necho $(id -u) $SESSION\n")
        m.set_policy("* * @anyvm @anyvm allow user=nobody\n")
        wait_for(lambda: m.vm("vault", "work", "test.Who", umask=0).stdout == b"65534 yes\n", what="nobody's session serves")

    @unittest.skipIf(os.geteuid(), "only root becomes other users")
    def test_only_the_agent_may_ask(self):
        path = self.m.dir / f"fork-work.{self.me}"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        path.chmod(0o666)
        self.m.dir.chmod(0o755)
        mark = self.m.dir / "mark"
        accept = self.m.serve(0, 5, 513)
        # The refusal may come before the request.
        ask = (f"import socket, struct; s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r})\ntry: "
               f"s.sendall(struct.pack('<IIII', {MSG_JUST_EXEC}, 0, 513, {len(str(mark)) + 7}) + b'touch {mark}\\0')\n"
               "except BrokenPipeError: pass")
        subprocess.run(["/usr/bin/python3", "-c", ask], user="nobody", timeout=LIMIT, check=True)
        wait_for(lambda: "refused a program of another user" in self.m.log("fork-work"), what="the refusal")
        wait_for(lambda: not children(self.m.processes["fork-work"].pid), what="nobody serves it")
        self.assertFalse(mark.exists())
        # The same from root is a call.
        subprocess.run(["/usr/bin/python3", "-c", ask], timeout=LIMIT, check=True)
        accept().close()


class Versions(unittest.TestCase):
    """Stock peers of versions 2, 3 and 4, both ways, played by hand."""

    def setUp(self):
        self.m = Machine(daemons=False)

    def tearDown(self):
        self.m.close()

    def agent_by_hand(self, version):
        accept = self.m.serve(5, 0, 512)
        self.m.start_daemon("work", wait=False)
        agent = accept()
        agent.send(hello(version))
        self.assertEqual(agent.message(), (MSG_HELLO, struct.pack("<I", 4)))
        self.m.wait_connected("work", 1)
        return agent

    def test_our_daemon_with_agents_of_each_version(self):
        for version in (2, 3, 4, 7):
            agent = self.agent_by_hand(version)
            p = subprocess.Popen(self.m.client_command("work", "joe:ls"), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, env=dict(self.m.env, VCHAN_DOMAIN="0"))
            kind, body = agent.message()
            domain, port = struct.unpack("<II", body[:8])
            self.assertEqual((kind, domain, body[8:]), (MSG_EXEC, 0, b"joe:ls\0"))
            data = self.m.connect(0, 5, port)
            data.send(hello(version))
            self.assertEqual(data.message()[0], MSG_HELLO)
            p.stdin.write(b"q" * 100000)
            p.stdin.close()
            got, sizes = b"", []
            while True:
                kind, body = data.message()
                self.assertEqual(kind, MSG_STDIN)
                if not body:
                    break
                got += body
                sizes.append(len(body))
            self.assertEqual(got, b"q" * 100000)
            self.assertLessEqual(max(sizes), 4096 if version == 2 else 65536)
            data.send(message(MSG_STDOUT, b"out") + message(MSG_STDERR) + message(MSG_STDOUT) +
                      message(MSG_EXIT, struct.pack("<I", 11)))
            self.assertEqual((p.stdout.read(), p.wait(LIMIT)), (b"out", 11))
            p.stdout.close()
            agent.send(message(MSG_TERMINATED, struct.pack("<II", 0, port)))
            # A call of the guest, denied, in the words of each version.
            ident = b"SOCKET5".ljust(32, b"\0")
            if version == 2:
                agent.send(message(MSG_TRIGGER2, b"a.B".ljust(64, b"\0") + b"nowhere".ljust(32, b"\0") + ident))
            else:
                agent.send(trigger3(b"nowhere", b"SOCKET5", b"a.B"))
            self.assertEqual(agent.message(), (MSG_REFUSED, ident))
            if version >= 4:
                agent.send(message(MSG_TRIGGER4, b"other".ljust(64, b"\0") + b"vault".ljust(64, b"\0") + ident + b"a.B\0"))
                self.assertEqual(agent.message(), (MSG_REFUSED, ident))
            agent.close()
            self.m.kill("daemon-work")
            (self.m.dir / "daemon-work.log").unlink()

    def daemon_by_hand(self, version):
        self.m.start_agent("work")
        daemon = self.m.connect(5, 0, 512)
        self.assertEqual(daemon.message(), (MSG_HELLO, struct.pack("<I", 4)))
        daemon.send(hello(version))
        return daemon

    def test_our_agent_with_daemons_of_each_version(self):
        for version in (2, 3, 4, 9):
            daemon = self.daemon_by_hand(version)
            accept = self.m.serve(0, 5, 513)
            daemon.send(message(MSG_EXEC, struct.pack("<II", 0, 513) + b"user:cat; echo e >&2; exit 4\0"))
            data = accept()
            self.assertEqual(data.message()[0], MSG_HELLO)
            data.send(hello(version))
            data.send(message(MSG_STDIN, b"z" * 4096) + message(MSG_STDIN))
            out = b""
            while True:
                kind, body = data.message()
                if kind == MSG_EXIT:
                    break
                self.assertLessEqual(len(body), 4096 if version == 2 else 65536)
                out += body if kind == MSG_STDOUT else b""
            self.assertEqual((out, body), (b"z" * 4096, struct.pack("<I", 4)))
            self.assertEqual(daemon.message(), (MSG_TERMINATED, struct.pack("<II", 0, 513)))
            # A call out of the guest.
            p = subprocess.Popen(self.m.vm_command("work", "vault", "a.B+c"), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, env=dict(self.m.env, VCHAN_DOMAIN="5"))
            kind, body = daemon.message()
            if version == 2:
                self.assertEqual((kind, body[:64].rstrip(b"\0"), body[64:96].rstrip(b"\0")), (MSG_TRIGGER2, b"a.B+c", b"vault"))
                ident = body[96:128]
            else:
                self.assertEqual((kind, body[:64].rstrip(b"\0"), body[96:]), (MSG_TRIGGER3, b"vault", b"a.B+c\0"))
                ident = body[64:96]
            daemon.send(message(MSG_CONNECT, struct.pack("<II", 7, 515) + ident))
            data = self.m.connect(5, 7, 515)
            data.send(hello(version))
            self.assertEqual(data.message()[0], MSG_HELLO)
            self.assertEqual(data.message(), (MSG_STDIN, b""))
            data.send(message(MSG_STDOUT, b"served") + message(MSG_STDOUT) + message(MSG_EXIT, struct.pack("<I", 0)))
            self.assertEqual((p.stdout.read(), p.wait(LIMIT)), (b"served", 0))
            p.stdout.close()
            self.assertEqual(daemon.message(), (MSG_TERMINATED, struct.pack("<II", 7, 515)))
            daemon.close()
            self.m.kill("agent-work")
            (self.m.dir / "agent-work").unlink()

    def test_daemon_cuts_off_an_agent_that_breaks_a_rule(self):
        bad = {
            "version 1": hello(1), "no HELLO": message(MSG_TERMINATED, b"x" * 8), "HELLO too long": message(MSG_HELLO, b"x" * 8),
            "nothing": b"",
        }
        after = {
            "HELLO twice": hello(3), "unknown type": message(0x999), "type of the other side": message(MSG_REFUSED, b"x" * 32),
            "data on control": message(MSG_STDOUT, b"x"), "EXEC from an agent": message(MSG_EXEC, b"\0" * 12),
            "v2 trigger in v3": message(MSG_TRIGGER2, b"\0" * 128), "v4 trigger in v3": message(MSG_TRIGGER4, b"a\0" * 81),
            "trigger too short": message(MSG_TRIGGER3, b"\0" * 97), "trigger too long": struct.pack("<II", MSG_TRIGGER3, 96 + 65001),
            "trigger of 4 GiB": struct.pack("<II", MSG_TRIGGER3, 0xffffffff),
            "service without end": message(MSG_TRIGGER3, b"a".ljust(64, b"\0") + b"S1".ljust(32, b"\0") + b"abc"),
            "service with NUL": message(MSG_TRIGGER3, b"a".ljust(64, b"\0") + b"S1".ljust(32, b"\0") + b"a\0b\0"),
            "target without end": message(MSG_TRIGGER3, b"a" * 64 + b"S1".ljust(32, b"\0") + b"a.B\0"),
            "ident without end": message(MSG_TRIGGER3, b"a".ljust(64, b"\0") + b"S" * 32 + b"a.B\0"),
            "port too low": message(MSG_TERMINATED, struct.pack("<II", 0, 512)), "port too high": message(MSG_TERMINATED, struct.pack("<II", 0, 769)),
            "port 0": message(MSG_TERMINATED, struct.pack("<II", 0, 0)), "half a message": message(MSG_TERMINATED, b"")[:6],
        }
        accept = self.m.serve(5, 0, 512)
        self.m.start_daemon("work", wait=False)
        daemon = self.m.processes["daemon-work"]
        cases = [(k, v, False) for k, v in bad.items()] + [(k, v, True) for k, v in after.items()]
        for what, data, is_after in cases:
            agent = accept()
            if is_after:
                agent.send(hello(3))
                agent.message()
            lines = self.m.log("daemon-work").count("\n")
            accept = self.m.serve(5, 0, 512)
            agent.send(data)
            if what in ("nothing", "half a message"):
                agent.close()
            elif is_after or what != "nothing":
                with self.subTest(what):
                    while not agent.is_closed():
                        pass
                    wait_for(lambda: self.m.log("daemon-work").count("\n") > lines)
                    self.assertIn("work", self.m.log("daemon-work").splitlines()[-1])
                agent.close()
        # And then a good one.
        agent = accept()
        agent.send(hello(3))
        agent.message()
        agent.send(trigger3(b"nowhere", b"S", b"a.B"))
        self.assertEqual(agent.message()[0], MSG_REFUSED)
        self.assertLess(descriptors(daemon.pid), 12)
        self.assertEqual((len(children(daemon.pid)), len(started(daemon.pid))), (1, 1))

    def test_agent_survives_a_daemon_that_breaks_a_rule(self):
        self.m.start_agent("work")
        for data in (hello(1), message(MSG_EXEC, b"\0" * 9), hello(4) + message(0x999), hello(4) + message(MSG_EXEC, b"\0" * 8),
                     hello(4) + message(MSG_EXEC, struct.pack("<II", 0, 513) + b"no end"),
                     hello(4) + message(MSG_EXEC, struct.pack("<II", 0x7ff0, 513) + b"a:b\0"),
                     hello(4) + message(MSG_EXEC, struct.pack("<II", 0, 1) + b"a:b\0"),
                     hello(4) + message(MSG_CONNECT, struct.pack("<II", 0, 513) + b"x" * 32),
                     hello(4) + message(MSG_REFUSED, b"x" * 31), hello(4) + hello(4), hello(4) + message(MSG_TRIGGER3, b"\0" * 100)):
            daemon = self.m.connect(5, 0, 512)
            daemon.message()
            daemon.send(data)
            self.assertTrue(daemon.is_closed(), data)
            daemon.close()
        daemon = self.m.connect(5, 0, 512)
        daemon.message()
        daemon.send(hello(4) + message(MSG_REFUSED, b"SOCKET99".ljust(32, b"\0")))
        daemon.send(message(MSG_CONNECT, struct.pack("<II", 7, 513) + b"SOCKET99".ljust(32, b"\0")))
        self.assertEqual(daemon.message(), (MSG_TERMINATED, struct.pack("<II", 7, 513)))

    def test_data_connection_that_breaks_a_rule_ends_with_125(self):
        agent = self.agent_by_hand(3)
        for bad in (b"", hello(1), message(MSG_STDOUT, b"x"), hello(3) + message(MSG_STDIN, b"x"), hello(3) + hello(3),
                    hello(3) + message(MSG_EXIT, b"abc"), hello(3) + message(0x999),
                    hello(3) + struct.pack("<II", MSG_STDOUT, 65537), hello(2) + struct.pack("<II", MSG_STDOUT, 4097),
                    hello(3) + struct.pack("<II", MSG_STDOUT, 10) + b"abc"):
            p = subprocess.Popen(self.m.client_command("work", "joe:ls"), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="0"))
            port = struct.unpack("<I", agent.message()[1][4:8])[0]
            data = self.m.connect(0, 5, port)
            data.send(bad)
            data.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(p.wait(LIMIT), 125, bad)
            p.stdout.close()
            data.close()
            agent.send(message(MSG_TERMINATED, struct.pack("<II", 0, port)))


class Deaths(unittest.TestCase):
    """Somebody dies at every step: nothing hangs, nothing leaks, the next call works."""

    def setUp(self):
        self.m = Machine(connect_timeout_s=10)  # some wait here for a caller that never comes
        self.m.service("test.Echo", "#!/bin/sh\ncat\n")

    def tearDown(self):
        self.m.close()

    def works(self):
        def attempt():
            return self.m.client("work", "user:echo fine").stdout == b"fine\n"
        wait_for(attempt, what="a call after a death")
        wait_for(lambda: self.m.vm("work", "vault", "test.Echo", input=b"x").stdout == b"x",
                 what="a call between guests after a death")

    def run_call(self):
        return subprocess.Popen(self.m.client_command("work", "user:echo started; cat"), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="0"))

    def test_agent_killed_while_idle_and_back(self):
        for i in range(3):
            self.m.kill("agent-work")
            self.m.start_agent("work")
            self.m.wait_connected("work", i + 2)
            self.works()

    def test_a_running_call_outlives_agent_and_daemon(self):
        p = self.run_call()
        self.assertEqual(p.stdout.read(8), b"started\n")
        self.m.kill("daemon-work")
        self.m.kill("agent-work")
        p.stdin.write(b"still here")
        p.stdin.close()
        self.assertEqual((p.stdout.read(), p.wait(LIMIT)), (b"still here", 0))
        p.stdout.close()
        self.m.start_agent("work")
        self.m.start_daemon("work")
        self.works()

    def test_daemon_killed_and_back(self):
        self.m.kill("daemon-work")
        self.assertEqual(self.m.client("work", "user:true").returncode, 125)
        self.assertEqual(self.m.vm("work", "vault", "test.Echo").returncode, 126)
        self.m.start_daemon("work")
        self.works()

    def test_policy_killed(self):
        self.m.kill("policy")
        self.assertEqual(self.m.vm("work", "vault", "test.Echo").returncode, 126)
        self.m.start_policy()
        self.works()

    def test_starter_killed(self):
        daemon = self.m.processes["daemon-work"]
        starter = children(daemon.pid)[0]
        parser = children(starter)[0]
        os.kill(starter, signal.SIGKILL)
        self.assertEqual(daemon.wait(LIMIT), 1)  # systemd starts it again
        self.assertIn("its starter is gone", self.m.log("daemon-work"))
        wait_for(lambda: not is_alive(parser), what="the parser has ended, too")
        self.m.start_daemon("work")
        self.works()

    @unittest.skipIf(os.geteuid(), "only root takes a descriptor of another process")
    def test_starter_refuses_what_a_captured_daemon_asks(self):
        daemon = self.m.processes["daemon-work"].pid
        pidfd = os.pidfd_open(daemon)
        fd = ctypes.CDLL(None).syscall(438, pidfd, 3, 0)  # pidfd_getfd: the socket to the starter
        os.close(pidfd)
        self.assertGreaterEqual(fd, 0)

        def request(kind, answer=b"", service=b"", pid=0, target=b"", answer_size=None, service_size=None):
            return struct.pack("<Ii32s64sII", kind, pid, b"SOCKET1", target, len(answer) if answer_size is None else answer_size,
                               len(service) if service_size is None else service_size) + answer + service
        bystander = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        yes = b"result=allow\nuser=root\ntarget=vault\n"
        null = os.open("/dev/null", os.O_RDWR)
        cases = {
            "unknown kind": (request(4), None), "half a request": (request(3)[:50], None), "connector with a descriptor": (request(3, yes, b"a.B\0"), null),
            "parser without one": (request(1), None), "parser with a service": (request(1, b"", b"a.B\0"), null),
            "policy program without one": (request(2, b"", b"a.B\0"), None), "an end with a descriptor": (request(0, pid=12345678), null),
            "no service": (request(3, yes), None), "service without end": (request(3, yes, b"a.B"), None), "path as service": (request(3, yes, b"../../bin/sh\0"), None),
            "bad target": (request(2, b"", b"a.B\0", target=b"a b"), null), "answer longer than there is": (request(3, yes, b"a.B\0", answer_size=1000), None),
            "answer too long": (request(3, b"x" * 2049, b"a.B\0"), None), "sizes that wrap": (request(3, yes, b"a.B\0", answer_size=0xfffffff0), None),
            "unknown kind with a service": (request(4, b"", b"a.B\0"), None), "more than is said": (request(3, yes, b"a.B\0more", service_size=4), None),
            "the end of somebody else": (request(0, pid=bystander.pid), None),
        }
        with socket.socket(fileno=fd) as sock:  # blocking, as it is for the daemon: a timeout would be for both
            for what, (data, passed) in cases.items():
                socket.send_fds(sock, [data], [] if passed is None else [passed])
                self.assertEqual(sock.recv(4), struct.pack("<i", -1), what)
        os.close(null)
        self.assertEqual(self.m.log("daemon-work").count("impossible request"), len(cases) - 1)
        self.assertIsNone(bystander.poll())
        self.assertEqual(len(started(daemon)), 1)
        self.works()

    def test_nothing_outlives_a_daemon(self):
        daemon = self.m.processes["daemon-work"]
        pids = [*children(daemon.pid), *started(daemon.pid)]
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(LIMIT), 0)
        wait_for(lambda: not any(is_alive(pid) for pid in pids), what="starter and parser have ended")
        self.assertEqual(sorted(p.name for p in (self.m.dir / "run").glob("*qrexec*")), ["qrexec.7", "qrexec.vault"])

    def test_parser_killed(self):
        daemon = self.m.processes["daemon-work"].pid
        for i in range(3):
            os.kill(started(daemon)[0], signal.SIGKILL)
            self.m.wait_connected("work", i + 2)
            self.works()

    def test_client_killed(self):
        p = self.run_call()
        p.stdout.read(8)
        p.kill()
        p.wait()
        p.stdin.close()
        p.stdout.close()
        self.works()
        wait_for(lambda: not children(self.m.processes["agent-work"].pid), what="sessions gone")

    def test_agent_dies_at_every_message(self):
        self.m.kill("agent-work")
        self.m.kill("daemon-work")
        (self.m.dir / "daemon-work.log").unlink()
        accept = self.m.serve(5, 0, 512)
        self.m.start_daemon("work", wait=False)
        for step in range(6):
            agent = accept()
            accept = self.m.serve(5, 0, 512)
            if step == 0:
                agent.close()
                continue
            agent.send(hello(3))
            agent.message()
            if step == 1:
                agent.close()
                continue
            p = self.run_call()
            port = struct.unpack("<I", agent.message()[1][4:8])[0]
            data = None
            if step >= 3:
                data = self.m.connect(0, 5, port)
            if step >= 4:
                data.send(hello(3))
            if step >= 5:
                data.send(message(MSG_STDOUT, b"half"))
            agent.close()
            if data:
                data.close()
            self.assertEqual(p.wait(LIMIT), 125, step)
            p.stdin.close()
            p.stdout.close()
        accept().close()
        (self.m.dir / "v" / "vchan.5.0.512.sock").unlink(missing_ok=True)
        self.m.start_agent("work")
        self.works()
        self.assertLess(descriptors(self.m.processes["daemon-work"].pid), 12)

    def test_daemon_dies_at_every_message(self):
        self.m.kill("daemon-work")
        def greeted():
            # The agent serves one connection at a time: one that came while it left the last
            # one is reset, and a daemon tries again.
            peer = self.m.connect(5, 0, 512)
            try:
                peer.message()
                return peer
            except (ConnectionResetError, EOFError):
                peer.close()
        for step in range(6):
            if step == 0:
                self.m.connect(5, 0, 512).close()
                continue
            daemon = wait_for(greeted)
            if step >= 2:
                daemon.send(hello(4))
            if step == 3:
                daemon.send(message(MSG_EXEC, struct.pack("<II", 0, 600) + b"user:true\0"))
            if step == 4:
                daemon.send(message(MSG_EXEC, struct.pack("<II", 0, 601) + b"user:true\0")[:12])
            if step == 5:
                p = subprocess.Popen(self.m.vm_command("work", "vault", "a.B"), stdin=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="5"))
                daemon.message()
                daemon.close()
                self.assertEqual(p.wait(LIMIT), 126)
            daemon.close()
        self.m.start_daemon("work")
        self.works()
        agent = self.m.processes["agent-work"].pid
        wait_for(lambda: not children(agent), what="the session without caller gives up")
        self.assertLess(descriptors(agent), 12)


class ManyAndMuch(unittest.TestCase):
    def setUp(self):
        self.m = Machine(policy="* * @anyvm @anyvm allow\n* * @anyvm @adminvm allow\n", connect_timeout_s=200)
        self.m.service("test.Echo", "#!/bin/sh\ncat\n")

    def tearDown(self):
        self.m.close()

    def test_a_thousand_calls_at_once(self):
        m = self.m
        pids = [m.processes[n].pid for n in ("agent-work", "agent-vault", "daemon-work", "daemon-vault", "policy")]
        m.vm("work", "vault", "test.Echo")
        wait_for(lambda: not children(pids[0]) and not children(pids[1]), what="the first call's sessions gone")
        before = [descriptors(p) for p in pids]
        env0, env5 = dict(m.env, VCHAN_DOMAIN="0", QREXEC_CONNECT_TIMEOUT="200"), dict(m.env, VCHAN_DOMAIN="5", QREXEC_CONNECT_TIMEOUT="200")
        running = []
        for i in range(1000):
            command = m.client_command("work", f"user:cat; exit {i % 100}") if i % 2 else m.vm_command("work", "vault", "test.Echo")
            running.append((i, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                                env=env0 if i % 2 else env5)))
        for i, p in running:
            out, err = p.communicate(b"%d" % i, timeout=300)
            self.assertEqual((out, p.returncode), (b"%d" % i, i % 100 if i % 2 else 0), (i, err))
        now = []

        def is_given_back():
            # The daemons may still have closed those of the first call after the count.
            now[:] = [descriptors(p) for p in pids]
            return all(n <= b for n, b in zip(now, before))
        wait_for(is_given_back, what=lambda: f"descriptors given back: {before} before, {now} now")
        wait_for(lambda: not children(pids[0]) and not children(pids[1]), what="sessions gone")
        for p in pids:
            self.assertLess(resident_kib(p), 4096)

    def test_much_data_arrives_exactly(self):
        gib = int(os.environ.get("QREXEC_TEST_GIB", "1"))
        # A pattern whose period is no power of two: lost or doubled bytes shift all that follow.
        block = os.urandom(999983)
        make = self.m.dir / "block"
        make.write_bytes(block * 64)
        source = f"while cat {make}; do :; done | head -c {gib}G"
        script = f"({source}) | tee >(sha256sum >&2) | \"$@\" | sha256sum"
        r = subprocess.run(["/bin/bash", "-c", script, "bash", *self.m.client_command("work", "user:cat")],
                           env=dict(self.m.env, VCHAN_DOMAIN="0"), capture_output=True, timeout=900)
        self.assertEqual(r.stdout, r.stderr)
        self.assertIn(b"-", r.stdout)


class Ask(unittest.TestCase):
    """The user's answers, given by hand on the second socket."""

    def setUp(self):
        self.m = Machine(policy="test.Ask * @anyvm @anyvm ask default_target=vault\ntest.Quiet * @anyvm @anyvm deny notify=no\n"
                                "test.Loud * @anyvm @anyvm allow notify=yes\n", domains=("work:5", "vault:7", "bank:9"))
        for s in ("test.Ask", "test.Loud"):
            self.m.service(s, "#!/bin/sh\necho $VCHAN_DOMAIN\n")

    def tearDown(self):
        self.m.close()

    def asker(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self.m.dir / "run" / "ask.sock"))
        sock.settimeout(LIMIT)
        return sock

    def question(self, sock):
        text = b""
        while not text.endswith(b"\n\n"):
            text += sock.recv(1)
        return [tuple(line.split("=", 1)) for line in text.decode().strip().split("\n")]

    def call(self, service="test.Ask", target="@default"):
        return subprocess.Popen(self.m.vm_command("work", target, service), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="5"))

    def finish(self, p):
        out = p.communicate(timeout=LIMIT)[0]
        return out, p.returncode

    def test_the_user_chooses(self):
        with self.asker() as sock:
            for answer, expected in (("vault", (b"7\n", 0)), ("bank", (b"9\n", 0)), ("-", (b"", 126)), ("work", (b"", 126)), ("nowhere", (b"", 126))):
                p = self.call()
                q = self.question(sock)
                d = dict(q)
                self.assertEqual((d["source"], d["service"], d["argument"], d["target"], d["default"]), ("work", "test.Ask", "+", "@default", "vault"))
                self.assertEqual([v for k, v in q if k == "candidate"], ["vault red", "bank red"])
                sock.sendall(f"{d['ask']} {answer}\n".encode())
                self.assertEqual(self.finish(p), expected)

    def test_a_waiting_call_is_served_by_hand(self):
        go = self.m.dir / "go"
        os.mkfifo(go)
        self.m.service("test.Ask", f"#!/bin/sh\necho served\nread word <{go}\n")
        with self.asker() as sock:
            for number, options in enumerate(((), ("-W",))):
                p = self.call()
                self.question(sock)
                serve = subprocess.Popen(self.m.client_command("vault", "user:QUBESRPC test.Ask work", "-c", f"SOCKET{number},work,5", *options),
                                         stdin=subprocess.DEVNULL, env=dict(self.m.env, VCHAN_DOMAIN="0"))
                self.assertEqual(p.stdout.readline(), b"served\n")
                if options:
                    with self.assertRaises(subprocess.TimeoutExpired):
                        serve.wait(0.3)
                else:
                    self.assertEqual(serve.wait(LIMIT), 0)  # while the call goes on
                go.write_text("word\n")
                self.assertEqual((self.finish(p), serve.wait(LIMIT)), ((b"", 0), 0))

    def test_nobody_to_ask_is_a_no(self):
        self.assertEqual(self.finish(self.call())[1], 126)

    def test_window_dies_while_asked(self):
        with self.asker() as sock:
            p = self.call()
            self.question(sock)
        self.assertEqual(self.finish(p)[1], 126)

    def test_window_talks_nonsense(self):
        with self.asker() as sock:
            p = self.call()
            self.question(sock)
            sock.sendall(b"yes please\n")
            self.assertEqual(self.finish(p)[1], 126)

    def test_questions_are_answered_in_any_order(self):
        with self.asker() as sock:
            first, second = self.call(), None
            a = dict(self.question(sock))["ask"]
            second = self.call(target="bank")
            q = dict(self.question(sock))
            self.assertEqual(q["target"], "bank")
            sock.sendall(f"{q['ask']} bank\n{a} vault\n".encode())
            self.assertEqual(self.finish(second), (b"9\n", 0))
            self.assertEqual(self.finish(first), (b"7\n", 0))

    def test_notices(self):
        with self.asker() as sock:
            self.assertEqual(self.finish(self.call("test.Loud", "vault")), (b"7\n", 0))
            self.assertEqual(self.question(sock)[0], ("notify", "allow"))
            self.assertEqual(self.finish(self.call("test.Quiet", "vault"))[1], 126)
            self.assertEqual(self.finish(self.call("test.Other", "vault"))[1], 126)
            q = dict(self.question(sock))
            self.assertEqual((q["notify"], q["service"], q["target"]), ("deny", "test.Other", "vault"))

    def test_changed_policy_counts_at_once(self):
        m = self.m
        self.assertEqual(self.finish(self.call("test.Ask", "vault"))[1], 126)
        m.set_policy("test.Ask * work vault allow\n", "10-first.policy")
        wait_for(lambda: self.finish(self.call("test.Ask", "vault")) == (b"7\n", 0))
        m.set_policy("test.Ask * work vault alow\n", "20-broken.policy")
        wait_for(lambda: self.finish(self.call("test.Ask", "vault"))[1] == 126)
        self.assertIn("20-broken.policy:1:23: \"alow\" is neither allow, deny nor ask", m.log("policy"))
        (m.dir / "policy" / "20-broken.policy").unlink()
        wait_for(lambda: self.finish(self.call("test.Ask", "vault")) == (b"7\n", 0))
        (m.dir / "policy" / "Bad.policy").write_text("")
        wait_for(lambda: self.finish(self.call("test.Ask", "vault"))[1] == 126)

    def test_domain_list_counts_at_once(self):
        self.m.set_policy("test.Ask * @tag:new vault allow\n", "10-first.policy")
        self.assertEqual(self.finish(self.call("test.Ask", "vault"))[1], 126)
        self.m.ids.pop("work")
        self.m.set_domains("work type=AppVM tags=new\n")
        self.m.ids["work"] = 5
        wait_for(lambda: self.finish(self.call("test.Ask", "vault")) == (b"7\n", 0))


if __name__ == "__main__":
    unittest.main(verbosity=1)
