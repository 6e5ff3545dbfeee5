#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A document from an app domain opens in a disposable; afterwards nothing of it is left."""

import pathlib
import re
import subprocess
import tempfile

import systemtest

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


def run(test, document, picture):
    done = subprocess.run(
        [systemtest.TOP / "run", "--no-build", "--headless", "--hypervisor", test.args.hypervisor,
         "--dom0", test.args.dom0, "--boot-timeout", "900", "--timeout", "1800", "--memory", "5G",
         "--open", document, "--screenshot", picture],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    print(output, flush=True)
    return done.returncode, output


test = systemtest.SystemTest(__doc__)
with tempfile.TemporaryDirectory(prefix="mullion-disposable-") as folder:
    path = pathlib.Path(folder, "document.pdf")
    image = pathlib.Path(folder, "screen.png")
    path.write_bytes(pdf())
    status, text = run(test, path, image)
    test.expect(status == 0, f"./run --open ends with 0: {status}")
    test.expect(image.exists() and image.stat().st_size > 1000, "there is a picture of the screen")
    test.expect("the disposable's window is mapped" in text, "its window was mapped")
    left = re.search(r"^left: ([0-9 ]+)$", text, re.MULTILINE)
    test.expect(left is not None and set(left[1].split()) == {"0"},
                f"no machine, volume, xenstore entry, loop device or process is left: "
                f"{left and left[1]}")
    memory = re.search(r"^free memory: (\d+) MiB before, (\d+) MiB after$", text, re.MULTILINE)
    test.expect(memory is not None and int(memory[2]) >= int(memory[1]) - MEMORY_SLACK_MIB,
                f"the memory is free again: {memory and memory.groups()}")
test.finish()
