"""Pixels as a PNG file: 8 bits a channel, rows unfiltered (https://www.w3.org/TR/png-3/)."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

PICTURE_SOFTWARE = b"Software\0stlflow"
"""Says in a PNG who made it; stlflow removes no picture without it."""
_COLOR_TYPES = {3: 2, 4: 6}
"""By the number of channels: RGB, and RGB with alpha."""


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels of shape (height, width, 3 or 4) as a PNG file."""
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + channels * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)),
        (b"tEXt", PICTURE_SOFTWARE),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in chunks)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
