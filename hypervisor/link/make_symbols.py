#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the functions of a linked image as an assembler file for the second link.

usage: make_symbols.py IMAGE.elf OUT.S
Offsets count from text_start, names are one string of C strings.
"""
import subprocess
import sys


def functions(image):
    text = subprocess.run(['nm', '-n', image], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in text.splitlines()]
    rows = [(int(address, 16), name) for address, kind, name in (r for r in rows if len(r) == 3)
            if kind in 'tTwW']
    start = dict((name, address) for address, name in rows)['text_start']
    end = dict((name, address) for address, name in rows).get('text_end', 1 << 64)
    seen = {}
    for address, name in rows:
        if start <= address < end and not name.startswith('.L') and name != 'text_start':
            seen.setdefault(address, name)
    return [(address - start, name) for address, name in sorted(seen.items())]


def main():
    image, out = sys.argv[1:]
    rows = functions(image)
    with open(out, 'w', encoding='ascii') as f:
        f.write('\t.section .symbols, "a", @progbits\n\t.balign 4\n')
        f.write('\t.global symbol_count, symbol_offsets, symbol_name_at, symbol_names\n')
        f.write(f'symbol_count: .long {len(rows)}\nsymbol_offsets:\n')
        f.writelines(f'\t.long {offset}\n' for offset, _ in rows)
        f.write('symbol_name_at:\n')
        at = 0
        for _, name in rows:
            f.write(f'\t.long {at}\n')
            at += len(name) + 1
        f.write('symbol_names:\n')
        f.writelines(f'\t.asciz "{name}"\n' for _, name in rows)
        f.write('\t.section .note.GNU-stack, "", @progbits\n')


main()
