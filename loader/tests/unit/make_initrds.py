#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes small initrds of each form as C arrays, for test_initrd.c.

A cut at seen_from .. seen_to - 1 bytes must be noticed (not before the magic, not in the padding
behind the end) but for `unseen` places: a cpio archive may end after any member.
"""
import gzip
import lzma
import random
import subprocess
import sys


def cpio_member(name, data):
    name = name.encode() + b"\0"
    numbers = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % n for n in numbers) + name
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def cpio():
    """The archive, and in how many places a cut leaves another whole one."""
    r = random.Random(5)
    noise = bytes(r.randrange(256) for _ in range(1001))
    members = [cpio_member("dev", b""), cpio_member("init", b"#!/bin/sh\n" * 100),
               cpio_member("noise", noise)]
    # 114 bytes of header and name for the first, 1,001 of contents for the last; both are padded.
    unseen = len(members) + 116 - 114 + 1004 - 1001
    return b"".join(members) + cpio_member("TRAILER!!!", b""), unseen


def run(data, *command):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def forms():
    plain, unseen = cpio()
    ends = len(plain) - len(plain.rstrip(b"\0")) - 1        # the name's own zero is no padding
    yield "cpio", plain, 0, ends, unseen
    yield "cpio_padded", plain + bytes(512), 0, 512 + ends, unseen
    packed = {
        "xz": lzma.compress(plain, lzma.FORMAT_XZ, lzma.CHECK_CRC32),
        "xz_crc64": lzma.compress(plain, lzma.FORMAT_XZ, lzma.CHECK_CRC64),
        "gzip": gzip.compress(plain, 9, mtime=0),
    }
    for name, options in (("zstd", ["-3"]), ("zstd_stream", ["-19", "--no-check"])):
        try:
            packed[name] = run(plain, "zstd", "-q", "-c", *options)
        except OSError:
            print("make_initrds: no zstd here, its forms are left out", file=sys.stderr)
    for name, data in packed.items():
        yield name, data, 0, 0, 0
        yield "microcode_and_" + name, plain + data, len(plain), 0, 0
        yield name + "_padded", data + bytes(64), 0, 64, 0


def main():
    out = ["static const struct {", "\tconst char *name;", "\tunsigned int size_bytes, seen_from, seen_to, unseen;",
           "\tconst unsigned char *bytes;", "} initrds[] = {"]
    for name, data, front, padding, unseen in forms():
        text = "".join(f"\\{byte:03o}" for byte in data)
        out.append(f'\t{{"{name}", {len(data)}, {front + 6}, {len(data) - padding}, {unseen},')
        out.extend(f'\t (const unsigned char *)"{text[at:at + 400]}"' if at == 0 else f'\t "{text[at:at + 400]}"'
                   for at in range(0, len(text), 400))
        out[-1] += "},"
    out.append("};")
    with open(sys.argv[-1], "w", encoding="ascii") as f:
        f.write("\n".join(out) + "\n")


main()
