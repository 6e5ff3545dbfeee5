#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the dom0 loader as an assembler file: its image as bytes.

usage: make_loader.py LOADER.elf OUT.S
The loader is one segment without relocations, entered at its first byte.
"""
import struct
import sys

PT_LOAD = 1


def image(elf):
    entry, offset = struct.unpack_from('<QQ', elf, 24)
    size, count = struct.unpack_from('<HH', elf, 54)
    rows = [struct.unpack_from('<IIQQQQQQ', elf, offset + i * size) for i in range(count)]
    rows = [row for row in rows if row[0] == PT_LOAD]
    if len(rows) != 1 or rows[0][3] != entry:
        sys.exit('make_loader: not one segment that begins with its entry')
    at, in_file = rows[0][2], rows[0][5]
    return elf[at:at + in_file]


def main():
    source, out = sys.argv[1:]
    with open(source, 'rb') as f:
        data = image(f.read())
    with open(out, 'w', encoding='ascii') as f:
        f.write('\t.section .rodata.start, "a", @progbits\n'
                '\t.global loader_image, loader_image_end\n\t.balign 16\nloader_image:\n')
        for at in range(0, len(data), 16):
            f.write('\t.byte ' + ','.join(map(str, data[at:at + 16])) + '\n')
        f.write('loader_image_end:\n\t.section .note.GNU-stack, "", @progbits\n')


main()
