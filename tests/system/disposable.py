#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents from an app domain open in disposables; afterwards nothing of them is left."""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib

import systemtest

sys.path.insert(0, str(systemtest.TOP / "tools"))
import document     # noqa: E402
import screen       # noqa: E402

COLOUR_SLACK = 8                # viewers scale and smooth
MEMORY_SLACK_MIB = 4            # what dom0's own balloon and xenstore move meanwhile


def pdf():
    """One page with a line of text and a blue block."""
    content = (b"0.1 0.5 0.9 rg 50 50 300 80 re f 0 0 0 rg "
               b"BT /F1 32 Tf 40 200 Td (An untrusted document) Tj ET")
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R "
               b"/Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    data = b"%PDF-1.4\n"
    offsets = []
    for number, text in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table +
            b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (len(objects) + 1, len(data)))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png():
    """Two fields side by side, 300 pixels wide and high each."""
    row = b"\0" + bytes((200, 30, 90)) * 300 + bytes((20, 160, 60)) * 300
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 600, 300, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(row * 300)) + chunk(b"IEND", b""))


TEXT = b"\n".join(b"line %d of an untrusted text" % number for number in range(1, 30)) + b"\n"

# name, contents, colours that must be on the screen inside of the disposable's window
DOCUMENTS = [("document.pdf", pdf(), [0x1A80E6, 0xFFFFFF, 0x000000]),
             ("picture.png", png(), [0xC81E5A, 0x14A03C]),
             ("notes.txt", TEXT, [0xFFFFFF])]


def is_like(pixel, colour):
    return all(abs(a - b) <= COLOUR_SLACK for a, b in zip(pixel, colour.to_bytes(3, "big")))


def missing_colours(path, colours):
    """Those that the disposable's window on this screen does not show."""
    shown = screen.Screen(path.read_bytes())
    window = shown.window(document.DISPOSABLE_LABEL)
    if not window:
        return colours
    pixels = {shown.pixel(x, y) for y in range(window.top + screen.BAR, window.bottom, 3)
              for x in range(window.left + 8, window.right - 8, 3)}
    return [c for c in colours if not any(is_like(pixel, c) for pixel in pixels)]


def run(test, paths, picture):
    command = [systemtest.TOP / "run", "--no-build", "--headless", "--hypervisor",
               test.args.hypervisor, "--dom0", test.args.dom0, "--threads", test.threads, "--boot-timeout", "900", "--timeout",
               "1800", "--memory", "5G", "--screenshot", picture]
    for path in paths:
        command += ["--open", path]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    print(output, flush=True)
    return done.returncode, output


def main():
    test = systemtest.SystemTest(__doc__)
    with tempfile.TemporaryDirectory(prefix="mullion-disposable-") as folder:
        picture = pathlib.Path(folder, "screen.ppm")
        paths = [pathlib.Path(folder, name) for name, _, _ in DOCUMENTS]
        for path, (_, contents, _) in zip(paths, DOCUMENTS):
            path.write_bytes(contents)
        status, text = run(test, paths, picture)
        test.expect(status == 0, f"./run --open ends with 0: {status}")
        for number, (name, _, colours) in enumerate(DOCUMENTS, 1):
            shown = document.picture_of(picture, number)
            test.expect(f"document {number}: its window is mapped" in text,
                        f"{name}: its window was mapped")
            missing = missing_colours(shown, colours) if shown.exists() else colours
            test.expect(not missing, f"{name}: its window shows its colours, but for "
                                     f"{[f'{c:06x}' for c in missing]}")
    left = re.findall(r"^left: ([0-9 ]+)$", text, re.MULTILINE)
    test.expect([set(line.split()) for line in left] == [{"0"}] * len(DOCUMENTS),
                f"no machine, volume, xenstore entry, loop device or process is left: {left}")
    memory = re.findall(r"^free memory: (\d+) MiB before, (\d+) MiB after$", text, re.MULTILINE)
    test.expect(len(memory) == len(DOCUMENTS) and
                all(int(after) >= int(before) - MEMORY_SLACK_MIB for before, after in memory),
                f"the memory is free again: {memory}")
    test.finish()


if __name__ == "__main__":
    main()
