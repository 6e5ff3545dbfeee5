#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mullion-desktop against a stand-in for mulliond: which daemons it starts, ends and reports."""
import os
import subprocess
import sys
import tempfile
import time

FAKE = r"""
import os
from gi.repository import Gio, GLib
XML = '''<node><interface name='org.mullion.Domains1'>
<method name='List'><arg name='domains' type='aa{sv}' direction='out'/>
<arg name='broken' type='a(ss)' direction='out'/></method>
<signal name='Changed'><arg name='domain' type='a{sv}'/></signal></interface></node>'''
def domain(name, label, state, number):
    return {'name': GLib.Variant('s', name), 'label': GLib.Variant('s', label),
            'state': GLib.Variant('s', state), 'id': GLib.Variant('u', number)}
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
def call(bus, sender, path, interface, method, arguments, invocation):
    invocation.return_value(GLib.Variant('(aa{sv}a(ss))', ([
        domain('work', 'green', 'running', 4), domain('off', 'red', 'stopped', 0)], [])))
NOTES = '<node><interface name="org.freedesktop.Notifications"><method name="Notify">' + ''.join(
    f'<arg type="{t}" direction="in"/>' for t in ('s', 'u', 's', 's', 's', 'as', 'a{sv}', 'i')
    ) + '<arg type="u" direction="out"/></method></interface></node>'
def note(bus, sender, path, interface, method, arguments, invocation):
    with open(os.environ['LOG'], 'a') as f:
        f.write(f'told {arguments[3]}|{arguments[4]}\n')
    invocation.return_value(GLib.Variant('(u)', (1,)))
node = Gio.DBusNodeInfo.new_for_xml(XML)
notes = Gio.DBusNodeInfo.new_for_xml(NOTES)
bus.register_object('/org/freedesktop/Notifications', notes.interfaces[0], note)
Gio.bus_own_name_on_connection(bus, 'org.freedesktop.Notifications', 0, None, None)
bus.register_object('/org/mullion/Domains1', node.interfaces[0], call)
WATCHER = '''<node><interface name='org.kde.StatusNotifierWatcher'>
<method name='RegisterStatusNotifierItem'><arg type='s' direction='in'/></method></interface></node>'''
def gone(bus, sender, path, interface, signal, arguments):
    if arguments[0] in items and not arguments[2]:
        write('tray gone ' + items.pop(arguments[0]))
def write(line):
    with open(os.environ['LOG'], 'a') as f:
        f.write(line + '\n')
items = {}
def item(service, interface, method, arguments, kind=None):
    return bus.call_sync(service, '/StatusNotifierItem', interface, method, arguments,
                         kind and GLib.VariantType(kind), 0, 5000, None)
def look(service, *_):
    title, icon = (item(service, 'org.freedesktop.DBus.Properties', 'Get', GLib.Variant('(ss)', (
        'org.kde.StatusNotifierItem', name)), '(v)').unpack()[0] for name in ('Title', 'IconPixmap'))
    width, height, pixels = icon[0]
    items[service] = title
    write(f'tray {title} {width}x{height} {bytes(pixels[:4]).hex()} {bytes(pixels[-4:]).hex()} '
          f'{bytes(pixels[len(pixels) // 2 + width * 2:][:4]).hex()}')
    for click in ('Activate', 'ContextMenu'):
        item(service, 'org.kde.StatusNotifierItem', click, GLib.Variant('(ii)', (5, 6)))
def register(bus, sender, path, interface, method, arguments, invocation):
    invocation.return_value(None)
    service = arguments[0]
    bus.signal_subscribe(service, 'org.kde.StatusNotifierItem', 'NewIcon', None, None, 0,
                         lambda *_: look(service))
    GLib.idle_add(look, service)
bus.signal_subscribe('org.freedesktop.DBus', 'org.freedesktop.DBus', 'NameOwnerChanged', None, None,
                     0, gone)
bus.register_object('/StatusNotifierWatcher', Gio.DBusNodeInfo.new_for_xml(WATCHER).interfaces[0],
                    register)
Gio.bus_own_name_on_connection(bus, 'org.kde.StatusNotifierWatcher', 0, None, None)
def said(fd, condition):
    data = os.read(0, 4096).decode()
    for words in (line.split() for line in data.splitlines()):
        status = domain(words[0], words[1], words[2], int(words[3]))
        bus.emit_signal(None, '/org/mullion/Domains1', 'org.mullion.Domains1', 'Changed',
                        GLib.Variant('(a{sv})', (status,)))
    return bool(data)
GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, said)
Gio.bus_own_name_on_connection(bus, 'org.mullion.Domains1', 0, None, None)
loop = GLib.MainLoop()
loop.run()
"""

GUID = """#!/bin/sh
echo "start $*" >> "$LOG"
case "$*" in
*--name=bad*) printf 'closed\tCREATE: a window is created once\n'; exit 3;;
*--name=icons*)
	# 16 x 16 in red; then what is no icon, and more than are shown
	red=$(printf '/wAA%.0s' $(seq 256))
	printf 'tray\n'
	printf 'tray\t7\t16\t16\t%s\tMail\033 <b>\n' "$red"
	printf 'tray\t8\t16\t17\t%s\tsmall\ntray\t9\t99\t99\t%s\tlarge\n' "$red" "$red"
	printf 'tray\tx\t16\t16\t%s\tnumber\ntray\t-1\ntray\t8\t16\t16\n' "$red"
	for i in 10 11 12 13 14 15 16 17 18; do printf 'tray\t%s\t1\t1\tAAAA\tmany\n' $i; done
	read -r line; echo "icons read $line" >> "$LOG"
	read -r line; echo "icons read $line" >> "$LOG"
	printf 'tray\t7\t16\t16\t%s\tSecond\n' "$red"
	until grep -q 'Second' "$LOG"; do sleep 0.05; done
	printf 'tray\t7\n';;
*--name=chatty*)
	printf 'notify\tHello\t<b>you</b> & all\nnotify\tno text\nnotify\t'
	head -c 3000 /dev/zero | tr '\0' x
	printf '\nnotify\t\001\033[1m\377\tx\n'
	for i in 1 2 3 4 5 6 7 8 9; do printf 'notify\tmany %s\t\n' $i; done;;
esac
trap 'echo "end $*" >> "$LOG"; exit 0' TERM
while :; do sleep 0.05; done
"""


def wait_for(path, text):
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            with open(path) as f:
                if text in f.read():
                    return
        except FileNotFoundError:
            pass
        time.sleep(0.05)
    with open(path) as f:
        raise AssertionError(f"waited for {text!r} in:\n{f.read()}")


def main():
    probe = subprocess.run(["/usr/bin/python3", "-c", "import gi"], stderr=subprocess.DEVNULL)
    if probe.returncode or not os.path.exists("/usr/bin/dbus-run-session"):
        print("SKIP python3-gi or dbus-run-session is missing")
        return 77
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ or "STAGED" not in os.environ:
        return subprocess.run(["/usr/bin/dbus-run-session", "--", sys.executable, __file__],
                              env=dict(os.environ, STAGED="1")).returncode
    with tempfile.TemporaryDirectory() as folder:
        log, errors = f"{folder}/log", f"{folder}/errors"
        guid = f"{folder}/guid"
        with open(guid, "w") as f:
            f.write(GUID)
        os.chmod(guid, 0o755)
        env = dict(os.environ, LOG=log,
                   DBUS_SYSTEM_BUS_ADDRESS=os.environ["DBUS_SESSION_BUS_ADDRESS"])
        fake = subprocess.Popen(["/usr/bin/python3", "-c", FAKE], stdin=subprocess.PIPE, env=env)
        with open(errors, "w") as out:
            desktop = subprocess.Popen([os.environ["GUID_BIN"] + "/mullion-desktop",
                                        f"--guid={guid}"], env=env, stderr=out)

        def say(line):
            fake.stdin.write(line.encode() + b"\n")
            fake.stdin.flush()

        try:
            wait_for(log, "start --domain=4 --name=work --label=green\n")
            say("mail blue starting 0")
            say("mail blue running 5")
            wait_for(log, "start --domain=5 --name=mail --label=blue\n")
            say("mail blue running 5")
            say("mail blue stopped 0")
            wait_for(log, "end --domain=5 --name=mail --label=blue\n")
            say("mail blue running 6")
            wait_for(log, "start --domain=6 --name=mail --label=blue\n")
            say("bad red running 7")
            wait_for(errors, "The display of bad was closed because of CREATE: a window is created once")
            say("bad red running 7")
            say("chatty blue running 9")
            # A burst of five, and of those that are well formed only.
            wait_for(log, "told [chatty] many 3|\n")
            say("icons green running 10")
            # half red and half the label's colour, in an edge of the label's
            wait_for(log, "tray [icons] Mail  <b> 16x16 ff2f7d32 ff2f7d32 ff963e19\n")
            wait_for(log, "tray [icons] Second 16x16")
            wait_for(log, "tray gone [icons] Second")
            wait_for(log, "icons read click 7 1\nicons read click ")
            say("icons green stopped 0")
            wait_for(log, "tray gone [icons] many")
            say("later red running 8")
            wait_for(log, "start --domain=8 --name=later --label=red\n")
            with open(log) as f:
                text = f.read()
            for part, count in (("--name=bad", 1), ("start --domain=5", 1), ("--name=off", 0),
                                ("told [chatty] Hello|&lt;b&gt;you&lt;/b&gt; &amp; all\n", 1),
                                ("told [chatty]", 5), ("no text", 0), ("xxx", 0), ("\x1b", 0),
                                ("told The display of bad was closed|because of CREATE: ", 1),
                                ("tray [icons] many", 7), ("[icons] small", 0),
                                ("[icons] large", 0), ("[icons] number", 0)):
                if text.count(part) != count:  # the bad one is not started again
                    raise AssertionError(f"expected {part!r} {count} times in:\n{text}")
            desktop.terminate()
            wait_for(log, "end --domain=6 --name=mail --label=blue\n")
            wait_for(log, "end --domain=9 --name=chatty --label=blue\n")
            wait_for(log, "end --domain=4 --name=work --label=green\n")
            code = desktop.wait(90)
            if code != 0:
                raise AssertionError(f"exit code: expected 0, seen {code}")
        finally:
            desktop.kill()
            fake.kill()
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
