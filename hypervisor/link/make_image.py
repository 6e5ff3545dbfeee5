#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns the linked ELF64 into the file that boot loaders get: an ELF32 whose addresses are physical.

usage: make_image.py IMAGE.elf OUT
Multiboot 1 loaders know 32-bit ELF only; GRUB's multiboot 2 takes it as well. Only what is loaded
is in it: no sections, no debug information.
"""
import struct
import sys

PT_LOAD = 1
EM_386 = 3


def segments(elf):
    if elf[:5] != b'\x7fELF\x02':
        sys.exit('make_image: not an ELF64 file')
    offset, = struct.unpack_from('<Q', elf, 32)
    size, count = struct.unpack_from('<HH', elf, 54)
    for i in range(count):
        kind, flags, at, _, physical, in_file, in_memory, _ = struct.unpack_from(
            '<IIQQQQQQ', elf, offset + i * size)
        if kind == PT_LOAD and in_memory:
            yield flags, physical, elf[at:at + in_file], in_memory


def main():
    source, out = sys.argv[1:]
    with open(source, 'rb') as f:
        elf = f.read()
    entry, = struct.unpack_from('<Q', elf, 24)
    rows = list(segments(elf))
    base = min(physical for _, physical, _, _ in rows)
    entry = base + (entry & 0x1fffff)
    header_size = 52 + 32 * len(rows)
    at = (header_size + 63) & ~63
    headers, body = b'', b''
    for flags, physical, data, in_memory in rows:
        headers += struct.pack('<IIIIIIII', PT_LOAD, at + len(body), physical, physical, len(data),
                               in_memory, flags, 16)
        body += data + bytes(-len(data) % 16)
    ident = b'\x7fELF\x01\x01\x01' + bytes(9)
    header = ident + struct.pack('<HHIIIIIHHHHHH', 2, EM_386, 1, entry, 52, 0, 0, 52, 32, len(rows),
                                 0, 0, 0)
    with open(out, 'wb') as f:
        f.write((header + headers).ljust(at, b'\0') + body)


main()
