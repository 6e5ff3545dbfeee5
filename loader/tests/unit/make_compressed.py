#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes compressed forms of one sample as C arrays, for test_decompress.c.

The sample has what kernels have: code with calls, text, noise, tables with short periods, and long
runs of zeroes. Only Python's standard library, and the program zstd if it is there.
"""
import gzip
import lzma
import random
import subprocess
import sys
import zlib


def sample():
    r = random.Random(7)
    out = bytearray()
    for _ in range(12):
        for _ in range(900):
            out += bytes([r.choice([0x48, 0x89, 0x0F, 0x83, 0xC3, 0x90])] * r.randint(1, 3))
            if r.random() < 0.4:
                out += bytes([r.choice([0xE8, 0xE9])])
                out += ((r.randint(0, 0x3000) - len(out)) & 0xFFFFFFFF).to_bytes(4, "little")
        out += b" ".join(r.choice([b"bus", b"device", b"interrupt", b"%s: lost", b"page"]) for _ in range(700))
        out += bytes(r.randrange(256) for _ in range(3000))
        for period in range(1, 12):
            out += bytes(r.randrange(256) for _ in range(period)) * (200 // period + r.randint(0, 5))
        out += bytes(r.randint(5000, 9000))
    return bytes(out)


def raw_deflate(data, **kwargs):
    c = zlib.compressobj(wbits=-15, **kwargs)
    return c.compress(data) + c.flush()


def gzip_of(data, deflated, flags=0, extra=b""):
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + extra
    return head + deflated + zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")


def forms(data):
    lzma2 = {"id": lzma.FILTER_LZMA2, "preset": 9}
    x86 = {"id": lzma.FILTER_X86}
    xz = lambda check, *filters: lzma.compress(data, lzma.FORMAT_XZ, check, filters=list(filters))
    yield "xz_kernel", xz(lzma.CHECK_CRC32, x86, lzma2)
    yield "xz_crc64", xz(lzma.CHECK_CRC64, lzma2)
    yield "xz_no_check", xz(lzma.CHECK_NONE, {"id": lzma.FILTER_LZMA2, "preset": 0, "lc": 0, "lp": 2, "pb": 0})
    yield "xz_sha256", xz(lzma.CHECK_SHA256, lzma2)
    yield "xz_delta", xz(lzma.CHECK_CRC32, {"id": lzma.FILTER_DELTA, "dist": 4}, lzma2)
    yield "gzip_best", gzip.compress(data, 9, mtime=0)
    yield "gzip_stored", gzip.compress(data, 0, mtime=0)
    yield "gzip_fixed", gzip_of(data, raw_deflate(data, strategy=zlib.Z_FIXED))
    yield "gzip_huffman", gzip_of(data, raw_deflate(data, strategy=zlib.Z_HUFFMAN_ONLY))
    fields = (3).to_bytes(2, "little") + b"abc" + b"name\0" + b"comment\0" + bytes(2)
    yield "gzip_fields", gzip_of(data, raw_deflate(data), 2 | 4 | 8 | 16, fields)
    for name, level in (("zstd_fast", "-1"), ("zstd_kernel", "--ultra -22"), ("zstd_mid", "-9")):
        try:
            yield name, subprocess.run(["zstd", "-q", "-c", *level.split()], input=data, check=True,
                                       stdout=subprocess.PIPE).stdout
        except (OSError, subprocess.CalledProcessError):
            yield name, b""


def main():
    data = sample()
    rows = []
    with open(sys.argv[1], "w", encoding="ascii") as out:
        for name, bytes_ in [("plain", data), *forms(data)]:
            out.write(f"static const unsigned char data_{name}[] = {{")
            for i, b in enumerate(bytes_ or b"\0"):
                out.write("\n" if i % 24 == 0 else "")
                out.write(f"{b},")
            out.write("};\n")
            rows.append(f'{{"{name}", data_{name}, {len(bytes_)}}},\n')
        out.write("static const struct { const char *name; const unsigned char *bytes; size_t size_bytes; }\n")
        out.write("forms[] = {\n" + "".join(rows[1:]) + "};\n")


main()
