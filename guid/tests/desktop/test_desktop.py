#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real programs through agent and daemon on a real desktop, seen in screenshots."""
import sys

from finger_daemon import CANCEL, DOWN, MOTION, UP, FingerDaemon
from stage import HEIGHT, LABELS, WIDTH, Skip, at_least, has, need, run, same, wait_for, wait_same
from virtual_input import VirtualInput

FRAME = 6


def inner(window):
    """The rectangle of the guest's pixels inside of a window."""
    x, y, width, height = window["rect"]
    return x + 3, y + 50, width - 6, height - 60


def write_file(stage, name, text):
    import os
    path = os.path.join(stage.root, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


def terminal(stage, domain, name, label):
    """foot with a shell that echoes what it reads into a file."""
    out = f"{stage.root}/typed{domain}"
    script = write_file(stage, f"shell{domain}", f"""#!/bin/sh
printf 'ready\\n'
while IFS= read -r line; do printf '%s\\n' "$line" >> {out}; done
""")
    stage.guid(domain, name, label)
    stage.agent(domain, "foot", "-o", "key-bindings.fullscreen=F11", script)
    return out


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def has_frame(picture, side):
    part = picture.crop(*side)
    at_least(f"red in {side}", part.count(LABELS["red"]), part.width * part.height * 0.4)


def a_terminal_appears_in_its_domains_frame(stage):
    need("foot")
    terminal(stage, 1, "work", "red")
    w, picture = stage.at_rest("[work] foot")
    x, y, width, height = w["rect"]
    # title bar and all four sides of the frame have the label's colour
    at_least("red in the title bar", picture.crop(x + 20, y + 10, width // 4, 20).count(LABELS["red"]),
             1000)
    for side in ((x + 20, y + height - FRAME, width - 40, FRAME),
                 (x, y + 60, FRAME, height - 80), (x + width - FRAME, y + 60, FRAME, height - 80)):
        has_frame(picture, side)
    stage.keep_shot("terminal")


def typing_arrives_as_typed(stage):
    need("foot")
    out = terminal(stage, 1, "work", "green")
    stage.focused("[work] foot")
    text = "Hello, World! 0123456789 the_quick (brown) fox ~ {jumps} <over> \"lazy\" dogs?"
    stage.input.type(text + "\n")
    wait_same("the typed line", lambda: read(out), text + "\n")


def the_users_keyboard_layout_counts_not_the_guests(stage):
    need("foot")
    out = terminal(stage, 1, "work", "green")
    stage.window("[work] foot")
    agent = next(p for p in stage.processes if p.log.endswith("agent1.log"))
    wait_for("the extension", lambda: "extension" in stage.log(agent), seen=lambda: stage.log(agent))
    stage.focused("[work] foot")
    german = VirtualInput(stage.socket, WIDTH, HEIGHT, "de")
    german.type("y\n")  # with its first key the desktop changes to this keyboard's layout
    wait_for("the agent to have the layout", lambda: "keyboard is that of the user" in stage.log(agent),
             seen=lambda: stage.log(agent))
    german.type("yz-\n")  # the keys where an American keyboard has these
    wait_for("two lines", lambda: read(out).count("\n") == 2, seen=lambda: read(out))
    same("the second line", read(out).split("\n")[1], "zy\u00df")


def two_domains_do_not_see_each_others_keys(stage):
    need("foot")
    out1 = terminal(stage, 1, "work", "green")
    stage.window("[work] foot")
    out2 = terminal(stage, 2, "banking", "blue")
    stage.focus(stage.window("[banking] foot"))
    stage.input.type("for two\n")
    wait_same("the line in the second", lambda: read(out2), "for two\n")
    stage.focus(stage.window("[work] foot"))
    stage.input.type("for one\n")
    wait_same("the line in the first", lambda: read(out1), "for one\n")
    same("what the second got", read(out2), "for two\n")


def keys_held_while_focus_leaves_do_not_stick(stage):
    need("foot")
    out1 = terminal(stage, 1, "work", "green")
    first = stage.window("[work] foot")
    terminal(stage, 2, "banking", "blue")
    second = stage.window("[banking] foot")
    stage.focus(first)
    stage.input.key("Shift", True)
    stage.focus(second)
    stage.input.key("Shift", False)
    stage.focus(first)
    stage.input.type("lower\n")
    wait_same("the line", lambda: read(out1), "lower\n")


def resizing_by_the_user_reaches_the_program(stage):
    need("foot")
    stage.guid(1)
    out = f"{stage.root}/size"
    script = write_file(stage, "size", f"""#!/bin/sh
trap 'stty size > {out}' WINCH
stty size > {out}
while :; do sleep 0.1; done
""")
    stage.agent(1, "foot", script)
    w, _ = stage.at_rest("[work] foot")
    wait_for("the first size", lambda: read(out).endswith("\n"))
    before = read(out)
    stage.sway(f'[con_id={w["id"]}] resize set width 900 px height 500 px')
    wait_for("another size", lambda: read(out).endswith("\n") and read(out) != before,
             seen=lambda: read(out))
    w, _ = stage.at_rest("[work] foot")
    same("the size", w["rect"][2:], (900, 500))


def a_gtk_program_shows_its_menu_as_a_popup(stage):
    need("gtk4-widget-factory")
    stage.guid(1, "work", "purple")
    stage.agent(1, "gtk4-widget-factory")
    w = stage.focused("[work]")
    # It has things that turn and fade: only where the menu will be it comes to rest.
    x, y, width, height = w["rect"]
    part = (x + 436, y + 308, 150, 150)
    wait_for("the page", lambda: stage.settled((x + 450, y + 270, 150, 50)).count((0, 0, 0), 90) > 50)
    before = stage.settled(part)
    stage.keep_shot("gtk")
    stage.input.click(x + 511, y + 296)  # the drop-down "Andrea"

    def purple():
        return stage.shot().crop(*part).count(LABELS["purple"])
    wait_for("a menu with its border", lambda: purple() > 300, seen=purple)
    stage.keep_shot("gtk-menu")
    stage.input.press("Escape")
    wait_for("the menu to go", lambda: stage.shot().crop(*part).difference(before) < 0.02,
             seen=lambda: stage.shot().crop(*part).difference(before))


def an_x11_program_and_its_menu(stage):
    need("xterm", "Xwayland")
    stage.guid(1, "work", "blue")
    out = f"{stage.root}/x11"
    script = write_file(stage, "x11", f"""#!/bin/sh
read -r line; printf '%s' "$line" > {out}; sleep 60
""")
    stage.agent(1, "xterm", "-e", script)
    stage.focused("[work]")
    stage.input.type("Through X11\n")
    wait_same("the line", lambda: read(out), "Through X11")
    stage.keep_shot("xterm")
    w, before = stage.at_rest("[work]")
    x, y, width, height = w["rect"]
    # xterm's menu: Ctrl and the left button
    stage.input.move(x + width // 2, y + height // 2)
    stage.input.key("Ctrl", True)
    stage.input.button("left", True)
    stage.wait_changed("the menu", before)
    stage.settled()
    stage.keep_shot("xterm-menu")
    stage.input.move(x + width // 2, y + height // 2 - 20)  # off its entries
    stage.input.button("left", False)
    stage.input.key("Ctrl", False)
    stage.wait_back("the menu to go", before)


def fullscreen_is_asked_once_and_keeps_the_frame(stage):
    need("foot")
    terminal(stage, 1, "work", "red")
    w, before = stage.at_rest("[work]")
    stage.input.press("F11")
    stage.wait_changed("the question", before)
    stage.settled()
    stage.keep_shot("fullscreen-question")
    # It lies over the pixels: before the answer the window is as it was.
    same("the place with the question", stage.window("[work]")["rect"], w["rect"])
    x, y, width, height = w["rect"]
    screen = (0, 0, WIDTH, HEIGHT)

    def is_allowed():
        if stage.window("[work]")["rect"] != screen:
            stage.input.click(x + width - 45, y + 58)  # "Allow", deaf in its first half second
        return stage.window("[work]")["rect"] == screen
    wait_for("the whole screen", is_allowed, seen=stage.windows)
    picture = stage.settled()
    stage.keep_shot("fullscreen")
    for side in ((0, 0, WIDTH, FRAME), (0, HEIGHT - FRAME, WIDTH, FRAME), (0, 0, FRAME, HEIGHT)):
        has_frame(picture, side)
    # leaving and entering again: not asked a second time
    stage.input.press("F11")
    wait_for("a window", lambda: stage.window("[work]")["rect"] != screen)
    stage.at_rest("[work]")
    stage.input.press("F11")
    stage.wait_rect("[work]", screen)


def a_pdf_viewer_shows_a_page(stage):
    import os
    need("zathura")
    if not any(os.path.exists(f"/usr/lib/x86_64-linux-gnu/zathura/libpdf-{kind}.so")
               for kind in ("poppler", "mupdf")):
        raise Skip("zathura has no PDF plugin")
    path = write_file(stage, "page.pdf", PDF)
    stage.guid(1, "work", "green")
    stage.agent(1, "zathura", path)
    wait_for("the page", lambda: stage.shot().crop(*inner(stage.window("[work]"))).count((255, 0, 0)) > 5000)
    stage.keep_shot("pdf")


PDF = """%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R>> endobj
4 0 obj <</Length 31>> stream
1 0 0 rg 50 50 100 100 re f
endstream endobj
trailer <</Root 1 0 R>>
"""


def the_daemon_works_on_an_x11_desktop(stage):
    """The X server is that of another domain, which makes it a daemon in a daemon."""
    need("foot", "Xwayland", "setxkbmap")
    stage.guid(3, "outer", "blue")
    script = write_file(stage, "inner", f"""#!/bin/sh
unset WAYLAND_DISPLAY
export VCHAN_DOMAIN=0 GDK_BACKEND=x11
setxkbmap -layout de
exec {stage.bin}/mullion-guid --domain=1 --name=inner --label=red
""")
    stage.agent(3, script)
    out = f"{stage.root}/typed1"
    program = write_file(stage, "program", f"""#!/bin/sh
while IFS= read -r line; do printf '%s\\n' "$line" >> {out}; done
""")
    agent = stage.agent(1, "foot", program)
    stage.focused("[outer] [inner] foot")
    wait_for("both frames", lambda: stage.shot().count(LABELS["red"]) > 10000 and
             stage.shot().count(LABELS["blue"]) > 10000)
    stage.settled()
    stage.input.type("twice through\n")
    wait_same("the line", lambda: read(out), "twice through\n")
    # The layout of that desktop: the keys where an American keyboard has these.
    has("what the agent was told", stage.log(agent), "the keyboard is that of the user")
    stage.input.type("yz-\n")
    wait_same("the line", lambda: read(out), "twice through\nzy\u00df\n")
    stage.keep_shot("x11-desktop")


def type_line(stage, out, text):
    stage.focused("[work] foot")
    stage.input.type(text + "\n")
    wait_for(f"the line {text!r}", lambda: read(out).endswith(text + "\n"), seen=lambda: read(out))


def monitors_have_their_own_scales_and_one_comes_later(stage):
    """A pixel of the guest is one of the desktop's, whatever that is on the monitor."""
    need("foot")
    out = terminal(stage, 1, "work", "red")
    w, _ = stage.at_rest("[work] foot")
    size = w["rect"][2:]
    stage.sway("create_output")
    wait_for("a second monitor", lambda: len(stage.outputs()) == 2, seen=stage.outputs)
    second = next(o for o in stage.outputs() if o != "HEADLESS-1")
    stage.sway(f"output {second} resolution 1600x1200 position {WIDTH} 0 scale 2")
    stage.sway(f'[con_id={w["id"]}] move container to output {second}')
    wait_for("the window on it", lambda: stage.window("[work]")["rect"][0] >= WIDTH,
             seen=stage.windows)
    stage.focus(w)
    w, _ = stage.at_rest("[work] foot")
    same("the size there", w["rect"][2:], size)
    picture = stage.shot(second, 2)
    x, y, width, height = ((n - WIDTH if i == 0 else n) * 2 for i, n in enumerate(w["rect"]))
    part = picture.crop(x, y + 120, FRAME * 2, height - 160)
    # foot's empty background has one colour: the tiles have no seams
    empty = picture.crop(x + 40, y + 600, 560, 400).data
    same("colours of the background", len({empty[i:i + 3] for i in range(0, len(empty), 3)}), 1)
    at_least("red in its frame", part.count(LABELS["red"]), part.width * part.height * 0.4)
    stage.keep_shot("scaled")
    type_line(stage, out, "scale two")
    stage.sway("output HEADLESS-1 scale 1.5")
    stage.sway(f'[con_id={w["id"]}] move container to output HEADLESS-1')
    wait_for("the window on the other", lambda: stage.window("[work]")["rect"][0] < WIDTH,
             seen=stage.windows)
    stage.focus(w)
    stage.at_rest("[work] foot")
    type_line(stage, out, "one and a half")
    stage.sway("output HEADLESS-1 scale 1")
    stage.at_rest("[work] foot")
    type_line(stage, out, "one")


def programs_draw_as_fine_as_the_monitor(stage):
    """Columns of one pixel: enlarged by anybody on the way they would be grey."""
    import os
    stage.guid(1)
    agent = stage.agent(1, os.path.join(stage.bin, "painter"), "400", "300", "-2", "1000")
    w = stage.window("[work]")
    stage.sway(f'[con_id={w["id"]}] move absolute position 20 10')  # also on half as many units

    def columns(scale):
        """Black and white in turn, over all of a row in the window's middle."""
        x, y, width, height = (n * scale for n in stage.window("[work]")["rect"])
        row = stage.shot("HEADLESS-1", scale).crop(x + 20 * scale, y + height // 2,
                                                   width - 40 * scale, 1)
        pixels = {(i & 1, row.pixel(i, 0)) for i in range(row.width)}
        return len(pixels) == 2 and {p for _, p in pixels} == {(0, 0, 0), (255, 255, 255)}
    wait_for("columns", lambda: columns(1), seen=lambda: stage.log(agent))
    size = w["rect"][2:]
    stage.sway("output HEADLESS-1 scale 2")
    wait_for("finer columns", lambda: columns(2), seen=lambda: stage.log(agent))
    has("what the program was told", stage.log(agent), "scale 2\n")
    stage.keep_shot("fine")
    same("the size", stage.window("[work]")["rect"][2:], size)
    # Another monitor is finer than the one with the window.
    stage.sway("create_output")
    wait_for("a second monitor", lambda: len(stage.outputs()) == 2, seen=stage.outputs)
    second = next(o for o in stage.outputs() if o != "HEADLESS-1")
    stage.sway(f"output {second} scale 2")
    stage.sway("output HEADLESS-1 scale 1")
    wait_for("grey", lambda: stage.shot("HEADLESS-1").crop(
        *inner(stage.window("[work]"))).count((127, 127, 127), 40) > 40000)
    stage.sway(f"output {second} scale 1")
    wait_for("coarse columns", lambda: columns(1), seen=lambda: stage.log(agent))


def monitors_go_and_come_back(stage):
    """The one with the window, and then all of them, as on a laptop that is closed."""
    need("foot")
    unplug = stage.start_inner_desktop()
    out = terminal(stage, 1, "work", "red")
    w, _ = stage.at_rest("[work] foot")
    daemon = next(p for p in stage.processes if p.log.endswith("guid1.log"))
    same("monitors", sorted(stage.outputs()), ["WL-1", "WL-2"])
    stage.sway(f'[con_id={w["id"]}] move container to output WL-2')
    unplug("WL-2")
    stage.focus(w)
    stage.at_rest("[work] foot")
    type_line(stage, out, "on the other one")
    unplug("WL-1")
    same("monitors", stage.outputs(), [])
    stage.sway("create_output")
    wait_for("a monitor", lambda: len(stage.outputs()) == 1, seen=stage.outputs)
    stage.sway(f"output {stage.outputs()[0]} resolution {WIDTH}x{HEIGHT} position 0 0")
    stage.focus(w)
    w, picture = stage.at_rest("[work] foot")
    x, y, width, height = w["rect"]
    has_frame(picture, (x, y + 60, FRAME, height - 80))
    type_line(stage, out, "back again")
    same("the daemon's end", daemon.poll(), None)


def a_program_hides_the_pointer_and_shows_it_again(stage):
    need("foot")
    out = f"{stage.root}/typed"
    script = write_file(stage, "shell", f"""#!/bin/sh
while IFS= read -r line; do printf '%s\\n' "$line" >> {out}; done
""")
    stage.guid(1)
    stage.agent(1, "foot", "-o", "mouse.hide-when-typing=yes", script)
    w, without = stage.at_rest("[work] foot")
    x, y = w["rect"][0] + 300, w["rect"][1] + 300
    part = (x - 30, y - 30, 60, 60)

    def is_shown():
        return stage.shot().crop(*part).data != without.crop(*part).data
    for _ in range(2):
        stage.input.move(x - 1, y)
        stage.input.move(x, y)
        wait_for("the pointer", is_shown)
        type_line(stage, out, "hide")
        wait_for("no pointer", lambda: not is_shown())


def a_notification_goes_to_dom0_with_harmless_words(stage):
    import os
    need("dbus-run-session", "gdbus")
    notify = write_file(stage, "notify", f"""#!/bin/sh
{stage.bin}/mullion-notifyd &
until gdbus call --session --dest org.freedesktop.Notifications \\
	--object-path /org/freedesktop/Notifications --method org.freedesktop.Notifications.Notify \\
	program 0 icon "$(printf 'Mail\\033 \\342\\200\\256yes')" "$(printf 'two\\nlines\\tof <b>it</b>')" '[]' '{{}}' 5
do sleep 0.2; done
sleep 1000
""")
    daemon = stage.guid(1)
    agent = stage.agent(1, "sh", "-c", f"until [ -e {stage.root}/go ]; do sleep 0.1; done; "
                                       f"exec dbus-run-session -- {notify}")
    wait_for("the extension", lambda: "extension" in stage.log(agent), seen=lambda: stage.log(agent))
    open(os.path.join(stage.root, "go"), "w").close()
    wait_for("the notification", lambda: "notify\t" in stage.log(daemon),
             seen=lambda: stage.log(agent))
    # Escape, a character that turns the writing round, line end and tab: none of them comes through.
    line = next(line for line in stage.log(daemon).split("\n") if line.startswith("notify"))
    same("the line", line, "notify\tMail_ ___yes\ttwo_lines_of <b>it</b>")


ICON = """
import os, sys
from gi.repository import Gio, GLib
XML = "<node><interface name='org.kde.StatusNotifierItem'>" + "".join(
    f"<property name='{n}' type='{t}' access='read'/>" for n, t in (
        ("Title", "s"), ("Status", "s"), ("IconPixmap", "a(iiay)"))) + "".join(
    f"<method name='{m}'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
    for m in ("Activate", "ContextMenu")) + "<signal name='NewIcon'/></interface></node>"
pixels = bytes((255, 0, 0, 255)) * 64
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
def get(bus, sender, path, interface, name):
    return {"Title": GLib.Variant("s", "Mail\\u202e"), "Status": GLib.Variant("s", "Active"),
            "IconPixmap": GLib.Variant("a(iiay)", [(8, 8, pixels)])}[name]
def call(bus, sender, path, interface, method, arguments, invocation):
    global pixels
    with open(sys.argv[1], "a") as f:
        f.write(method + "\\n")
    invocation.return_value(None)
    if method == "ContextMenu":
        loop.quit()
    pixels = bytes((0, 255, 0, 255)) * 64  # transparent: grey behind it is all there is
    bus.emit_signal(None, path, interface, "NewIcon", None)
bus.register_object("/StatusNotifierItem", Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], call, get)
while True:
    try:
        bus.call_sync("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher",
                      "org.kde.StatusNotifierWatcher", "RegisterStatusNotifierItem",
                      GLib.Variant("(s)", (bus.get_unique_name(),)), None, 0, 5000, None)
        break
    except GLib.Error:
        GLib.usleep(100000)
loop = GLib.MainLoop()
loop.run()
"""


def a_tray_icon_goes_to_dom0_and_clicks_come_back(stage):
    import base64
    import os
    import subprocess
    need("dbus-run-session")
    if subprocess.run(["/usr/bin/python3", "-c", "import gi"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("python3-gi is missing")
    clicked = f"{stage.root}/clicked"
    program = write_file(stage, "program", f"""#!/bin/sh
{stage.bin}/mullion-trayd &
/usr/bin/python3 {write_file(stage, "icon.py", ICON)} {clicked}
sleep 1000
""")
    daemon = stage.guid(1)
    stage.agent(1, "dbus-run-session", "--", program)

    def told():
        return [line.split("\t") for line in stage.log(daemon).split("\n") if line[:5] == "tray\t"]

    def pixels(words):
        data = base64.b64decode(words[4])
        same("the size", (words[2:4], len(data)), (["32", "32"], 32 * 32 * 3))
        return {data[i:i + 3] for i in range(0, len(data), 3)}
    wait_for("an icon", told, seen=lambda: stage.log(daemon))
    same("its title", told()[0][5], "Mail___")
    same("its colours", pixels(told()[0]), {bytes((0, 0, 255))})
    same("windows of it", stage.windows(), [])
    # The daemon is another one: the icon is told again, by another number.
    child = read(f"/proc/{daemon.pid}/task/{daemon.pid}/children").strip()
    stage.kill(daemon)
    wait_for("its child's end", lambda: not os.path.exists(f"/proc/{child}"))
    count = len(told())
    daemon = stage.guid(1)
    wait_for("the icon again", lambda: len(told()) > count, seen=lambda: stage.log(daemon))
    number = told()[-1][1]
    daemon.stdin.write(f"click 99 1\nclick {number} 1\n".encode())
    daemon.stdin.flush()
    wait_same("the click", lambda: read(clicked), "Activate\n")
    wait_for("another picture", lambda: pixels(told()[-1]) == {bytes((128, 128, 128))},
             seen=lambda: told()[-1])
    daemon.stdin.write(f"click {number} 3\n".encode())
    daemon.stdin.flush()
    wait_same("the clicks", lambda: read(clicked), "Activate\nContextMenu\n")
    wait_for("the icon to go with its program", lambda: told()[-1] == ["tray", number],
             seen=lambda: told()[-1])


def fingers_reach_the_program(stage):
    """Through two agents and a daemon: the outer agent's touch screen is the inner daemon's."""
    import os
    outer = FingerDaemon(stage.vchan_dir, 3, WIDTH, HEIGHT)
    script = write_file(stage, "inner", f"""#!/bin/sh
export VCHAN_DOMAIN=0 GDK_BACKEND=wayland
exec {stage.bin}/mullion-guid --domain=1 --name=inner --label=red
""")
    stage.agent(3, script)
    agent = stage.agent(1, os.path.join(stage.bin, "painter"), "400", "300", "-1", "1000")
    wait_for("the window", lambda: outer.shown, seen=lambda: stage.log(agent))

    def said():
        lines = [line.split() for line in stage.log(agent).split("\n") if line[:6] == "touch "]
        return [(int(w[1]), w[2], int(w[3]), int(w[4])) for w in lines]

    def touched(kind, number, x, y):
        """What the program then heard; the window may come up a little later than its map."""
        count = len(said())
        outer.finger(kind, number, x, y)
        wait_for("the finger", lambda: len(said()) > count, 10, seen=lambda: stage.log(agent))
        return said()[-1]

    def is_first_down():
        outer.finger(CANCEL, 0, 0, 0)
        try:
            return touched(DOWN, 0, 100, 150)
        except AssertionError:
            return None
    finger, what, x, y = wait_for("the first touch", is_first_down)
    same("the first", (finger, what), (0, "down"))
    # Moves are seen as such, by as much; the title bar and the frame lie between.
    same("a move", touched(MOTION, 0, 130, 190), (0, "motion", x + 30, y + 40))
    same("another finger", touched(DOWN, 1, 200, 200), (1, "down", x + 100, y + 50))
    same("it goes", touched(UP, 1, 200, 200)[:2], (1, "up"))
    same("far outside", touched(MOTION, 0, 100, -100), (0, "motion", x, y - 250))
    same("the first goes", touched(UP, 0, 0, 0)[:2], (0, "up"))


def what_cannot_start_says_why(stage):
    import os
    guid = [f"{stage.bin}/mullion-guid", "--domain=1", "--name=work", "--label=red"]
    agent = [f"{stage.bin}/mullion-gui-agent", "--no-xwayland"]
    locked = stage._folder("locked")
    os.chmod(locked, 0)
    desktop = {"WAYLAND_DISPLAY": stage.socket, "GDK_BACKEND": "wayland", "VCHAN_DOMAIN": "0",
               "XDG_RUNTIME_DIR": stage.desktop_dir, "VCHAN_SOCKET_DIR": stage.vchan_dir}
    guest = {"XDG_RUNTIME_DIR": stage._folder("run"), "VCHAN_DOMAIN": "1",
             "VCHAN_SOCKET_DIR": stage.vchan_dir}
    cases = [
        (guid, dict(desktop, WAYLAND_DISPLAY="none"), "there is no display"),
        (guid, dict(desktop, VCHAN_SOCKET_DIR=f"{stage.root}/none"), "no vchan to domain 1"),
        (guid[:3], desktop, "Usage: mullion-guid"),
        (guid[:3] + ["--label=pink"], desktop, 'there is no label "pink"'),
        (guid + ["--memory=0"], desktop, "is not a number from 1"),
        (agent, dict(guest, XDG_RUNTIME_DIR=f"{stage.root}/none"), "no socket for programs"),
        (agent, dict(guest, VCHAN_SOCKET_DIR=f"{stage.root}/none"), "cannot offer the display"),
        (agent + ["--domain=x"], guest, "no domain id"),
        ([f"{stage.bin}/mullion-trayd"], guest, "the domain's display is not there"),
    ]
    if os.geteuid():  # nothing is locked for root
        cases.append((agent, dict(guest, VCHAN_SOCKET_DIR=locked), "Permission denied"))
    for i, (argv, environment, sentence) in enumerate(cases):
        p = stage.start(argv, f"bad{i}", **environment)
        wait_for(f"the end of {argv}", lambda: p.poll() is not None)
        has("what it says", stage.log(p), sentence)
        at_least("its exit code", p.returncode, 1)


DRAG = """
import sys
import gi
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GObject, Gtk

def on_activate(app):
    box = Gtk.Box(homogeneous=True)
    here, there = Gtk.Label(label="from"), Gtk.Label(label="to")
    source = Gtk.DragSource()
    source.connect("prepare", lambda *_: Gdk.ContentProvider.new_for_value("a dragged line"))
    here.add_controller(source)
    target = Gtk.DropTarget.new(GObject.TYPE_STRING, Gdk.DragAction.COPY)
    target.connect("drop", lambda t, value, x, y: print("dropped", value, flush=True) or True)
    there.add_controller(target)
    box.append(here)
    box.append(there)
    window = Gtk.ApplicationWindow(application=app, title="drag", child=box)
    window.set_default_size(400, 200)
    window.present()

app = Gtk.Application()
app.connect("activate", on_activate)
app.run()
"""


def dragging_works_within_a_domain(stage):
    import subprocess
    if subprocess.run(["/usr/bin/python3", "-c", "import gi; gi.require_version('Gtk', '4.0')"],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("GTK 4 for Python is missing")
    stage.guid(1)
    agent = stage.agent(1, "/usr/bin/python3", write_file(stage, "drag.py", DRAG))
    w, _ = stage.at_rest("[work] drag")
    x, y, width, height = w["rect"]
    middle = y + height * 2 // 3

    def is_dropped():
        stage.input.move(x + width // 4, middle)
        stage.input.button("left", True)
        for i in range(1, 21):
            stage.input.move(x + width // 4 + i * width // 40, middle)
        stage.input.button("left", False)
        try:
            wait_for("the drop", lambda: "dropped" in stage.log(agent), 5)
        except AssertionError:
            return False  # a slow program had not yet taken it for a drag
        return True
    wait_for("a drop", is_dropped, seen=lambda: stage.log(agent))
    has("what was dropped", stage.log(agent), "dropped a dragged line\n")


def a_program_asks_for_attention(stage):
    need("xterm", "Xwayland")
    stage.guid(1)
    script = write_file(stage, "ring", f"""#!/bin/sh
until [ -e {stage.root}/now ]; do sleep 0.1; done
printf '\\a'; sleep 1000
""")
    stage.agent(1, "xterm", "-xrm", "*bellIsUrgent: true", "-e", script)
    w = stage.focused("[work]")
    terminal(stage, 2, "other", "green")
    stage.focused("[other]")
    same("the title", stage.window("[work]")["title"][0], "[")
    write_file(stage, "now", "")
    mark = "\u25cf [work]"
    wait_for("the mark", lambda: stage.find_window(mark), seen=stage.windows)
    stage.keep_shot("attention")
    stage.focus(w)
    wait_for("no mark", lambda: not stage.find_window(mark), seen=stage.windows)


def closing_asks_the_program(stage):
    need("foot")
    stage.guid(1)
    agent = stage.agent(1, "foot", "sleep", "100")
    w = stage.window("[work]")
    stage.sway(f'[con_id={w["id"]}] kill')
    stage.no_windows()
    wait_for("the program's end", lambda: agent.poll() is not None)


def windows_return_after_the_daemon_was_killed(stage):
    need("foot")
    out = terminal(stage, 1, "work", "red")
    stage.window("[work]")
    daemon = next(p for p in stage.processes if p.log.endswith("guid1.log"))
    stage.kill(daemon)
    stage.no_windows()
    stage.guid(1)
    stage.focused("[work] foot")
    stage.input.type("still here\n")
    wait_same("the line", lambda: read(out), "still here\n")


def windows_go_with_the_agent_and_return_with_the_next(stage):
    need("foot")
    terminal(stage, 1, "work", "red")
    stage.window("[work]")
    agent = next(p for p in stage.processes if p.log.endswith("agent1.log"))
    stage.end(agent, 9)
    stage.no_windows()
    stage.agent(1, "foot", "sleep", "100")
    stage.window("[work]")


def windows_return_after_the_desktop_was_restarted(stage):
    need("foot")
    terminal(stage, 1, "work", "red")
    stage.window("[work]")
    daemon = next(p for p in stage.processes if p.log.endswith("guid1.log"))
    stage.end(stage.desktop, 9)
    wait_for("the daemon to leave", lambda: daemon.poll() is not None)
    at_least("the daemon's exit code", abs(daemon.returncode), 1)
    stage.start_desktop()
    stage.guid(1)
    stage.window("[work]")


POLICY = """#!/usr/bin/env python3
# A policy that answers every question with its argument, and writes the questions down.
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(4)
while True:
    peer = listener.accept()[0]
    question = b""
    while b"\\n\\n" not in question:
        chunk = peer.recv(4096)
        if not chunk:
            break
        question += chunk
    with open(sys.argv[1] + ".asked", "ab") as f:
        f.write(question)
    peer.sendall(b"result=" + sys.argv[2].encode() + b"\\n")
    peer.close()
"""


def press_for_notice(stage, key):
    """Presses Ctrl, Shift and this key, and waits for what is said about it."""
    def pixels():
        x, y, width, height = next(w for w in stage.windows() if w["focused"])["rect"]
        return stage.shot().crop(x, y + 42, width, 30).count((0xf6, 0xf5, 0xf4))
    wait_for("no notice", lambda: pixels() < 1000, seen=pixels)
    stage.input.press("Ctrl", "Shift", key)
    wait_for("a notice", lambda: pixels() > 5000, seen=pixels)


def clipboard_stage(stage, answer):
    """Two domains, the first with a copied line; returns what the second one reads."""
    import os
    need("foot")
    policy = os.path.join(stage.root, "policy.sock")
    stage.start([sys.executable, write_file(stage, "policy.py", POLICY), policy, answer], "policy")
    stage.start([os.path.join(stage.bin, "mullion-clipboard"), f"--policy-socket={policy}"],
                "broker", XDG_RUNTIME_DIR=stage.desktop_dir)
    wait_for("the broker", lambda: os.path.exists(stage.desktop_dir + "/mullion/clipboard.sock")
             and os.path.exists(policy))
    config = write_file(stage, "foot.ini", "[key-bindings]\nclipboard-paste=Control+y\n")
    out = f"{stage.root}/pasted"
    done = f"{stage.root}/copied"
    copy = write_file(stage, "copy", f"""#!/bin/sh
read -r line
printf '\\033]52;c;%s\\007' "$(printf 'a copied line' | base64)"; touch {done}; sleep 1000
""")
    paste = write_file(stage, "paste", f"""#!/bin/sh
while IFS= read -r line; do printf '%s\\n' "$line" >> {out}; done
""")
    stage.guid(1, "work", "green")
    stage.agent(1, "foot", copy)
    first = stage.window("[work] foot")
    stage.guid(2, "banking", "blue")
    stage.agent(2, "foot", "-c", config, paste)
    second = stage.window("[banking] foot")
    stage.focus(first)
    stage.input.press("Return")  # a program may set the clipboard while it has the focus
    wait_for("the line to be copied", lambda: os.path.exists(done))

    def is_asked():
        # Until the program has set its clipboard there is nothing to ask about.
        stage.focus(first)
        press_for_notice(stage, "c")
        stage.keep_shot("copied-" + answer)
        stage.focus(second)
        press_for_notice(stage, "v")
        return "qubes.ClipboardPaste" in read(policy + ".asked")
    wait_for("the question", is_asked, seen=lambda: read(policy + ".asked"))
    return out, policy


def paste_in(stage, out, text):
    """Pastes inside of the second domain, a line each time, until this text comes."""
    def is_there():
        lines = read(out).count("\n")
        stage.input.press("Ctrl", "y")
        stage.input.type("\n")
        wait_for("a line", lambda: read(out).count("\n") > lines, seen=lambda: read(out))
        return text in read(out)
    wait_for(f"{text!r}", is_there, seen=lambda: read(out))


def text_goes_to_another_domain_by_two_keystrokes(stage):
    out, policy = clipboard_stage(stage, "allow")
    paste_in(stage, out, "a copied line")
    asked = read(policy + ".asked")
    has("the question", asked, "source=work\n")
    has("the question", asked, "intended_target=banking\n")
    # it was given out once: the next one is refused before it is asked, in words
    press_for_notice(stage, "v")
    same("the questions", read(policy + ".asked"), asked)


def text_that_the_policy_refuses_stays(stage):
    out, _ = clipboard_stage(stage, "deny")
    for _ in range(3):
        lines = read(out)
        stage.input.press("Ctrl", "y")
        stage.input.type("\n")
        wait_same("an empty line", lambda: read(out), lines + "\n")


CASES = [
    text_goes_to_another_domain_by_two_keystrokes,
    text_that_the_policy_refuses_stays,
    a_terminal_appears_in_its_domains_frame,
    typing_arrives_as_typed,
    the_users_keyboard_layout_counts_not_the_guests,
    two_domains_do_not_see_each_others_keys,
    keys_held_while_focus_leaves_do_not_stick,
    resizing_by_the_user_reaches_the_program,
    a_gtk_program_shows_its_menu_as_a_popup,
    an_x11_program_and_its_menu,
    fullscreen_is_asked_once_and_keeps_the_frame,
    a_pdf_viewer_shows_a_page,
    the_daemon_works_on_an_x11_desktop,
    monitors_have_their_own_scales_and_one_comes_later,
    programs_draw_as_fine_as_the_monitor,
    monitors_go_and_come_back,
    a_program_hides_the_pointer_and_shows_it_again,
    a_notification_goes_to_dom0_with_harmless_words,
    a_tray_icon_goes_to_dom0_and_clicks_come_back,
    fingers_reach_the_program,
    what_cannot_start_says_why,
    dragging_works_within_a_domain,
    a_program_asks_for_attention,
    closing_asks_the_program,
    windows_return_after_the_daemon_was_killed,
    windows_go_with_the_agent_and_return_with_the_next,
    windows_return_after_the_desktop_was_restarted,
]

if __name__ == "__main__":
    sys.exit(run(CASES))
