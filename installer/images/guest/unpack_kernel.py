#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""unpack_kernel.py VMLINUZ OUT: the ELF file inside a bzImage that is packed with xz.

Linux documentation, "The Linux/x86 Boot Protocol": setup_sects at 0x1f1, payload_offset and
payload_length (from version 2.08 on) at 0x248 and 0x24c, counted from the protected-mode code.
"""

import lzma
import pathlib
import struct
import sys

image = pathlib.Path(sys.argv[1]).read_bytes()
if image[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", image, 0x206)[0] < 0x208:
    sys.exit(f"{sys.argv[1]}: not a bzImage with a payload")
start = ((image[0x1f1] or 4) + 1) * 512
offset, length = struct.unpack_from("<II", image, 0x248)
payload = image[start + offset:start + offset + length]
kernel = lzma.LZMADecompressor().decompress(payload)
if kernel[:4] != b"\x7fELF":
    sys.exit(f"{sys.argv[1]}: the payload is not an ELF file")
pathlib.Path(sys.argv[2]).write_bytes(kernel)
