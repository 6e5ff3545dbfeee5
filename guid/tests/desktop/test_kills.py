#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Agent, daemon and compositor are killed at each message: nothing hangs, the window returns.

A relay between daemon and agent counts the messages of both directions and kills before it
passes on the one that is meant; the first run, in which nobody dies, says how many there are.
"""
import os
import select
import signal
import socket
import struct
import sys
import threading

from stage import at_least, at_most, run, same, wait_for

TO_DAEMON, TO_AGENT = "to the daemon", "to the agent"
HANDSHAKE = {TO_DAEMON: 4, TO_AGENT: 20}  # bytes before the first header
NAMES = {130: "CREATE", 132: "MAP", 134: "CONFIGURE", 136: "SHMIMAGE", 141: "WMNAME",
         144: "WINDOW_HINTS", 146: "WMCLASS", 147: "WINDOW_DUMP", 148: "CURSOR",
         126: "MOTION", 127: "CROSSING", 128: "FOCUS", 142: "KEYMAP_NOTIFY",
         149: "WINDOW_DUMP_ACK"}
MESSAGES_MAX = {TO_DAEMON: 16, TO_AGENT: 8}  # until the window is there and has been drawn again


class Stream:
    """Cuts one direction into messages."""

    def __init__(self, direction):
        self.direction = direction
        self.data = b""
        self.count = 0

    def take(self, data):
        """The whole messages, as (name, bytes)."""
        self.data += data
        while True:
            size, name = HANDSHAKE[self.direction], "handshake"
            if self.count:
                if len(self.data) < 12:
                    return
                kind, _, length = struct.unpack("<III", self.data[:12])
                size, name = 12 + length, NAMES.get(kind, str(kind))
            if len(self.data) < size:
                return
            message, self.data = self.data[:size], self.data[size:]
            self.count += 1
            yield name, message


class Relay(threading.Thread):
    """Between port 6000 as the daemon sees it and as the agent offers it."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        stage.guest_vchan_dir = stage._folder("guest-vchan")
        self.near, self.far = (f"{d}/vchan.1.0.6000.sock" for d in
                               (stage.vchan_dir, stage.guest_vchan_dir))
        os.symlink(f"{stage.guest_vchan_dir}/vchan.1.0.6001.sock",
                   f"{stage.vchan_dir}/vchan.1.0.6001.sock")
        for name in ("share.1.0.6000.sock", "share.0.1.6000.sock"):
            os.symlink(f"{stage.vchan_dir}/{name}", f"{stage.guest_vchan_dir}/{name}")
        self.plan = None  # (direction, number, function): called once
        self.seen = {}
        self.is_ending = False

    def run(self):
        while not self.is_ending:
            if os.path.exists(self.far):
                self.serve()
            else:
                select.select([], [], [], 0.01)

    def serve(self):
        """One daemon; the agent's socket is offered only while it is there."""
        listener = socket.socket(socket.AF_UNIX)
        listener.settimeout(0.2)
        if os.path.exists(self.near):
            os.unlink(self.near)
        listener.bind(self.near)
        listener.listen(1)
        try:
            daemon, _ = listener.accept()
        except TimeoutError:
            return
        finally:
            listener.close()
            os.unlink(self.near)
        agent = socket.socket(socket.AF_UNIX)
        try:
            agent.connect(self.far)
            self.pump(daemon, agent)
        except (ConnectionError, FileNotFoundError):
            pass
        daemon.close()
        agent.close()

    def pump(self, daemon, agent):
        streams = {daemon: (agent, Stream(TO_AGENT)), agent: (daemon, Stream(TO_DAEMON))}
        while not self.is_ending:
            for end in select.select([daemon, agent], [], [], 0.2)[0]:
                other, stream = streams[end]
                data = end.recv(65536)
                if not data:
                    return
                for name, message in stream.take(data):
                    self.seen.setdefault(stream.direction, []).append(name)
                    if self.plan and self.plan[:2] == (stream.direction, stream.count):
                        action, self.plan = self.plan[2], None
                        action()
                    other.sendall(message)


def painter(stage):
    return stage.agent(1, os.path.join(stage.bin, "painter"), "300", "200", "32", "3600",
                       options=("--no-xwayland",))


def killed(p):
    """What kills a process and all that it started, which is its own group."""
    return lambda: os.killpg(p.pid, signal.SIGKILL)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Play:
    """A desktop, a daemon and an agent with one program that draws."""

    def __init__(self, stage):
        self.stage = stage
        self.relay = Relay(stage)
        self.relay.start()
        self.daemon = self.agent = None

    def start(self, what):
        if what == "agent":
            self.agent = painter(self.stage)
        elif what == "daemon":
            self.daemon = self.stage.guid(1)
        else:
            self.stage.start_desktop()

    def is_drawing(self):
        """The window is there, and pictures of it arrive."""
        self.stage.window("[work] painter")
        seen = self.relay.seen.setdefault(TO_DAEMON, [])
        count = len(seen)
        wait_for("pictures", lambda: seen[count:].count("SHMIMAGE") >= 2,
                 seen=lambda: (seen[count:], self.stage.windows()))

    def points(self):
        return [(direction, number) for direction, most in MESSAGES_MAX.items()
                for number in range(1, min(most, len(self.relay.seen[direction])) + 1)]


def with_play(case):
    def wrapped(stage):
        play = Play(stage)
        try:
            play.start("agent")
            play.start("daemon")
            play.is_drawing()
            for kind in ("CREATE", "MAP", "WINDOW_DUMP", "SHMIMAGE"):
                at_least(kind, play.relay.seen[TO_DAEMON].count(kind), 1)
            case(stage, play)
        finally:
            play.relay.is_ending = True
    wrapped.__name__ = case.__name__
    return wrapped


def at_each_message(play, arm, recover):
    """arm() gives what kills; the connection is made anew, up to the kill, by recover()."""
    points = play.points()
    for direction, number in points:
        play.relay.plan = (direction, number, arm())
        name = play.relay.seen[direction][number - 1]
        try:
            recover()
        except AssertionError as error:
            raise AssertionError(f"killed before message {number} ({name}) {direction}: {error}") \
                from error
        same(f"kills at message {number} {direction}", play.relay.plan, None)
    at_least("messages", len(points), 12)
    print(f"   {len(points)} messages")


@with_play
def the_agent_dies_at_each_message(stage, play):
    def arm():
        stage.end(play.agent, signal.SIGKILL)
        stage.no_windows()
        play.start("agent")
        return killed(play.agent)

    def recover():
        agent = play.agent
        wait_for("the kill", lambda: agent.poll() is not None)
        stage.end(agent)
        stage.no_windows()
        same("the daemon's end", play.daemon.poll(), None)
        play.start("agent")
        play.is_drawing()
    at_each_message(play, arm, recover)


@with_play
def the_daemon_dies_at_each_message(stage, play):
    before = descriptors(play.agent.pid)

    def arm():
        stage.end(play.daemon, signal.SIGKILL)
        stage.no_windows()
        play.start("daemon")
        return killed(play.daemon)

    def recover():
        daemon = play.daemon
        wait_for("the kill", lambda: daemon.poll() is not None)
        stage.end(daemon)
        stage.no_windows()
        same("the agent's end", play.agent.poll(), None)
        play.start("daemon")
        play.is_drawing()
    at_each_message(play, arm, recover)
    at_most("descriptors of the agent", descriptors(play.agent.pid), before + 2)


@with_play
def the_compositor_dies_at_each_message(stage, play):
    def arm():
        stage.end(play.daemon, signal.SIGKILL)
        stage.no_windows()
        play.start("daemon")
        return killed(stage.desktop)

    def recover():
        desktop, daemon = stage.desktop, play.daemon
        wait_for("the kill", lambda: desktop.poll() is not None)
        wait_for("the daemon to leave", lambda: daemon.poll() is not None)
        at_least("its exit code", daemon.returncode, 1)
        stage.end(desktop)
        stage.end(daemon)
        same("the agent's end", play.agent.poll(), None)
        play.start("desktop")
        play.start("daemon")
        play.is_drawing()
    at_each_message(play, arm, recover)


CASES = [the_agent_dies_at_each_message, the_daemon_dies_at_each_message,
         the_compositor_dies_at_each_message]

if __name__ == "__main__":
    sys.exit(run(CASES))
