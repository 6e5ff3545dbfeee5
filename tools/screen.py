# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU's screen shows: find a window by the colour of its frame, and see whether it is blank.

A screen is read from QEMU's PPM; no package is needed for that.
"""

import dataclasses

# guid/label.c
LABELS = {"red": 0xb3152a, "orange": 0xe8820c, "yellow": 0xf2d024, "green": 0x2f7d32,
          "gray": 0x5f6770, "blue": 0x1d5fc4, "purple": 0x7d2fa8, "black": 0x111111}
RUN = 24            # so many pixels of the frame's colour in a row are a frame, not a picture
BAR = 44            # bar and frame are above what is shown
BAR_HEIGHT_MIN = 16 # the frame's bar with the title
CLOSE_FROM_RIGHT, CLOSE_FROM_TOP = 22, 20
EDGE_AT = 2         # from the outer edge: inside the frame
PATTERN_HEIGHT_MAX = 24
SAMPLE_STEP = 4
BLANK_SHARE = 0.995  # a window with one colour on more of it shows nothing yet


def format_of(path):
    """What QEMU's screendump shall write into a file of this name."""
    return "ppm" if path.suffix == ".ppm" else "png"


@dataclasses.dataclass
class Window:
    left: int
    top: int
    right: int
    bottom: int
    colours: int            # different ones among the samples inside
    largest_share: float    # of the most common one
    screen_size: tuple      # width, height

    @property
    def is_blank(self):
        return self.colours < 3 or self.largest_share > BLANK_SHARE

    @property
    def close_button(self):
        """Where to click: the last button of the bar (guid-window.ui)."""
        return self.right - CLOSE_FROM_RIGHT, self.top + CLOSE_FROM_TOP


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

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return self.pixels[at:at + 3]

    def find_frame(self, colour):
        """(left, top, right, bottom) of the frame with this colour that begins highest, or None.

        The bar with the title is one piece of the colour; below it the frame's left edge has the
        colour again and again, with its pattern between.
        """
        plain = colour.to_bytes(3, "big")
        run = plain * RUN
        left, top, right, bar_end = self.width, None, 0, 0
        for y in range(self.height):
            row = self.row(y)
            at = row.find(run)
            if at < 0:
                if top is not None:
                    break
                continue
            top = y if top is None else top
            bar_end = y
            left = min(left, at // 3)
            right = max(right, (row.rfind(run) + len(run)) // 3)
        if top is None or bar_end - top < BAR_HEIGHT_MIN or right - left < 40:
            return None
        bottom = bar_end
        for y in range(bar_end, self.height):
            if self.pixel(left + EDGE_AT, y) == plain:
                bottom = y
            elif y - bottom > PATTERN_HEIGHT_MAX:
                break
        return left, top, right, bottom

    def window(self, label):
        """The highest window with the frame of this label, or None."""
        frame = self.find_frame(LABELS[label])
        if not frame:
            return None
        left, top, right, bottom = frame
        counts = {}
        for y in range(top + BAR, bottom - 8, SAMPLE_STEP):
            row = self.row(y)
            for x in range(left + 8, right - 8, SAMPLE_STEP):
                pixel = row[x * 3:x * 3 + 3]
                counts[pixel] = counts.get(pixel, 0) + 1
        total = sum(counts.values())
        if not total:
            return None
        return Window(left, top, right, bottom, len(counts), max(counts.values()) / total,
                      (self.width, self.height))
