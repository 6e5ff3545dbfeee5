# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without hypervisor: policy process, daemons and agents over the local transport."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("QREXEC_BUILD") or pathlib.Path(__file__).resolve().parents[3] / "build/qrexec")
TESTS = pathlib.Path(__file__).resolve().parent

MSG_STDIN, MSG_STDOUT, MSG_STDERR, MSG_EXIT = 0x190, 0x191, 0x192, 0x193
MSG_EXEC, MSG_JUST_EXEC, MSG_CONNECT, MSG_REFUSED = 0x200, 0x201, 0x202, 0x203
MSG_TRIGGER2, MSG_TERMINATED, MSG_TRIGGER3, MSG_TRIGGER4, MSG_HELLO = 0x210, 0x211, 0x212, 0x213, 0x300


LIMIT = 90  # seconds; for machines that do much else, nothing waits this long when all is well


def wait_for(condition, seconds=LIMIT, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"timeout: {what() if callable(what) else what}")


def message(kind, body=b""):
    return struct.pack("<II", kind, len(body)) + body


def hello(version):
    return message(MSG_HELLO, struct.pack("<I", version))


def trigger3(target, ident, service):
    return message(MSG_TRIGGER3, target.ljust(64, b"\0") + ident.ljust(32, b"\0") + service + b"\0")


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


class Peer:
    """One end of a local vchan, played by hand."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(LIMIT)

    def send(self, data):
        self.sock.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError(f"end after {data!r}")
            data += piece
        return data

    def message(self):
        kind, size = struct.unpack("<II", self.read(8))
        return kind, self.read(size)

    def is_closed(self):
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()


class Machine:
    def __init__(self, policy="* * @anyvm @anyvm allow\n", domains=("work:5", "vault:7"), daemons=True,
                 connect_timeout_s=30):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="qrexec-test-"))
        for name in ("v", "run", "policy", "config", "svc", "svc0", "info"):
            (self.dir / name).mkdir()
        self.ids = {d.split(":")[0]: int(d.split(":")[1]) for d in domains}
        self.processes = {}
        self.env = dict(os.environ, VCHAN_SOCKET_DIR=str(self.dir / "v"), QREXEC_NO_ROOT="1",
                        QREXEC_SERVICE_PATH=str(self.dir / "svc"), QREXEC_CONNECT_TIMEOUT=str(connect_timeout_s),
                        QUBES_RPC_CONFIG_PATH=str(self.dir / "config"))
        self.set_domains()
        self.set_policy(policy)
        self.start_policy()
        if daemons:
            for name in self.ids:
                self.start_agent(name)
                self.start_daemon(name)

    # ---- files ----

    def set_domains(self, extra=""):
        text = "".join(f"{n} type=AppVM label=red running=yes\n" for n in self.ids) + extra
        new = self.dir / "info" / "new"
        new.write_text(text)
        new.rename(self.dir / "info" / "domains")

    def set_policy(self, text, name="50-test.policy"):
        new = self.dir / "policy" / ".new"
        new.write_text(text)
        new.rename(self.dir / "policy" / name)

    def service(self, name, text, where="svc", mode=0o755):
        path = self.dir / where / name
        path.write_text(text)
        path.chmod(mode)

    def log(self, name):
        path = self.dir / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # ---- processes ----

    def start(self, name, command, domain=0, user=None, **env):
        log = open(self.dir / f"{name}.log", "a")
        self.processes[name] = subprocess.Popen(
            command, stderr=log, stdin=subprocess.DEVNULL, stdout=log, user=user,
            env=dict(self.env, VCHAN_DOMAIN=str(domain), **env))
        log.close()
        return self.processes[name]

    def start_policy(self):
        sock = self.dir / "run" / "policy.sock"
        sock.unlink(missing_ok=True)
        self.start("policy", [BUILD / "mullion-policyd", f"--policy-dir={self.dir}/policy",
                              f"--domains={self.dir}/info/domains", f"--socket={sock}",
                              f"--ask-socket={self.dir}/run/ask.sock"])
        wait_for(lambda: "rules in force" in self.log("policy") or "BROKEN" in self.log("policy"))

    def start_agent(self, name, *options):
        self.start(f"agent-{name}", [BUILD / "qrexec-agent", f"--agent-socket={self.dir}/agent-{name}",
                                     f"--fork-server-socket={self.dir}/fork-{name}.%s", *options], domain=self.ids[name])
        wait_for(lambda: (self.dir / f"agent-{name}").exists())

    def start_fork_server(self, name, path=None, **options):
        """The fork server of the user that runs this, or of user=, in a session with SESSION=yes."""
        path = path or self.dir / f"fork-{name}.{pwd.getpwuid(os.getuid()).pw_name}"
        path.unlink(missing_ok=True)
        self.start(f"fork-{name}", [BUILD / "qrexec-fork-server", "--direct", path], domain=self.ids[name],
                   SESSION="yes", **options)
        wait_for(lambda: is_listening(path), what="the fork server listens")

    def start_daemon(self, name, *options, wait=True, **env):
        before = self.log(f"daemon-{name}").count("agent connected")
        self.start(f"daemon-{name}",
                   [BUILD / "qrexec-daemon", "-D", f"--socket-dir={self.dir}/run",
                    f"--policy-socket={self.dir}/run/policy.sock", *options,
                    str(self.ids[name]), name, "user"],
                   QREXEC_SERVICE_PATH=str(self.dir / "svc0"), **env)
        if wait:
            self.wait_connected(name, before + 1)

    def wait_connected(self, name, count):
        wait_for(lambda: self.log(f"daemon-{name}").count("agent connected") >= count,
                 what=f"agent of {name} connected {count} times: {self.log(f'daemon-{name}')}")

    def kill(self, name, sig=signal.SIGKILL):
        process = self.processes.pop(name)
        followers = []
        if name.startswith("daemon-"):
            starter = children(process.pid)[0]
            followers = [starter, *children(starter)[:1]]  # and its parser; connectors go on
        process.send_signal(sig)
        process.wait()
        wait_for(lambda: not any(is_alive(pid) for pid in followers), what=f"the end of {name}'s starter and parser")

    def close(self):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- calls ----

    def client_command(self, name, command, *options):
        return [BUILD / "qrexec-client", f"--socket-dir={self.dir}/run", "-d", name, *options, command]

    def client(self, name, command, *options, **popen):
        """Call from dom0; a CompletedProcess."""
        popen.setdefault("capture_output", True)
        popen.setdefault("timeout", LIMIT)
        if "input" not in popen and "stdin" not in popen:
            popen["stdin"] = subprocess.DEVNULL
        return subprocess.run(self.client_command(name, command, *options),
                              env=dict(self.env, VCHAN_DOMAIN="0"), **popen)

    def vm_command(self, source, target, service, *program, options=()):
        return [BUILD / "qrexec-client-vm", f"--agent-socket={self.dir}/agent-{source}", *options,
                target, service, *program]

    def vm(self, source, target, service, *program, options=(), **popen):
        """Call from a guest."""
        popen.setdefault("capture_output", True)
        popen.setdefault("timeout", LIMIT)
        if "input" not in popen and "stdin" not in popen:
            popen["stdin"] = subprocess.DEVNULL
        return subprocess.run(self.vm_command(source, target, service, *program, options=options),
                              env=dict(self.env, VCHAN_DOMAIN=str(self.ids[source])), **popen)

    # ---- peers by hand ----

    def serve(self, server, client, port):
        """Listen as a vchan server; returns a function that accepts."""
        path = self.dir / "v" / f"vchan.{server}.{client}.{port}.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(LIMIT)

        def accept():
            peer, _ = listener.accept()
            path.unlink(missing_ok=True)
            listener.close()
            return Peer(peer)
        return accept

    def connect(self, server, client, port):
        path = str(self.dir / "v" / f"vchan.{server}.{client}.{port}.sock")

        def attempt():
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(path)
                return sock
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
                return None
        return Peer(wait_for(attempt, what=path))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def started(daemon_pid):
    """What a qrexec-daemon's starter has started: its parser first."""
    return children(children(daemon_pid)[0])


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
