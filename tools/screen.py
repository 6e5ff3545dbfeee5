# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU's screen shows: find a window by the colour of its frame, and see whether it is blank.

A screen is read from QEMU's PPM; no package is needed for that.
"""

import dataclasses

# guid/label.c
LABELS = {"red": 0xb3152a, "orange": 0xe8820c, "yellow": 0xf2d024, "green": 0x2f7d32,
          "gray": 0x5f6770, "blue": 0x1d5fc4, "purple": 0x7d2fa8, "black": 0x111111}
RUN = 24            # so many pixels of the frame's colour in a row are a frame, not a picture
SAMPLE_STEP = 4
BLANK_SHARE = 0.995  # a window with one colour on more of it shows nothing yet


@dataclasses.dataclass
class Window:
    left: int
    top: int
    right: int
    bottom: int
    colours: int            # different ones among the samples inside
    largest_share: float    # of the most common one

    @property
    def is_blank(self):
        return self.colours < 3 or self.largest_share > BLANK_SHARE


class Screen:
    def __init__(self, data):
        """data: a binary PPM (P6, 255)."""
        fields = data.split(None, 4)
        if len(fields) < 5 or fields[0] != b"P6" or fields[3] != b"255":
            raise ValueError("not a picture of the screen")
        self.width, self.height = int(fields[1]), int(fields[2])
        size = self.width * self.height * 3
        if len(data) < size:
            raise ValueError("half a picture")
        self.pixels = data[len(data) - size:]

    def row(self, y):
        return self.pixels[y * self.width * 3:(y + 1) * self.width * 3]

    def find_frame(self, colour):
        """(left, top, right, bottom) around every run of this colour, or None."""
        run = colour.to_bytes(3, "big") * RUN
        left, top, right, bottom = self.width, None, 0, 0
        for y in range(self.height):
            row = self.row(y)
            at = row.find(run)
            if at < 0:
                continue
            top = y if top is None else top
            bottom = y
            left = min(left, at // 3)
            right = max(right, (row.rfind(run) + len(run)) // 3)
        if top is None or bottom - top < 40 or right - left < 40:
            return None
        return left, top, right, bottom

    def window(self, label):
        """The window, or windows taken as one, with the frame of this label, or None."""
        frame = self.find_frame(LABELS[label])
        if not frame:
            return None
        left, top, right, bottom = frame
        counts = {}
        for y in range(top + 24, bottom - 8, SAMPLE_STEP):
            row = self.row(y)
            for x in range(left + 8, right - 8, SAMPLE_STEP):
                pixel = row[x * 3:x * 3 + 3]
                counts[pixel] = counts.get(pixel, 0) + 1
        total = sum(counts.values())
        if not total:
            return None
        return Window(left, top, right, bottom, len(counts), max(counts.values()) / total)
