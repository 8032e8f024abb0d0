"""A sheet to draw on: coloured pixels, thick lines, letters; and a PNG of it.

Letters for pictures: capitals, digits and a few signs, five pixels wide and seven high.
"""

import struct
import zlib
from functools import cache
from typing import TypeAlias
from unicodedata import combining, normalize

import numpy as np
from numpy.typing import NDArray

GLYPH_HEIGHT, GLYPH_ADVANCE = 7, 6
_UNKNOWN_GLYPH = "11111 10001 10001 10001 10001 10001 11111"
_GLYPHS = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "C": "01110 10001 10000 10000 10000 10001 01110",
    "D": "11110 10001 10001 10001 10001 10001 11110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "G": "01110 10001 10000 10111 10001 10001 01110",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "I": "01110 00100 00100 00100 00100 00100 01110",
    "J": "00111 00010 00010 00010 00010 10010 01100",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "N": "10001 11001 10101 10101 10011 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "Q": "01110 10001 10001 10001 10101 10010 01101",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "V": "10001 10001 10001 10001 10001 01010 00100",
    "W": "10001 10001 10001 10101 10101 11011 10001",
    "X": "10001 10001 01010 00100 01010 10001 10001",
    "Y": "10001 10001 01010 00100 00100 00100 00100",
    "Z": "11111 00001 00010 00100 01000 10000 11111",
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11110 00001 00001 01110 00001 00001 11110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "01110 10000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 00100 00100 00100",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00001 01110",
    ".": "00000 00000 00000 00000 00000 01100 01100",
    ",": "00000 00000 00000 00000 01100 00100 01000",
    ":": "00000 01100 01100 00000 01100 01100 00000",
    "-": "00000 00000 00000 01110 00000 00000 00000",
    "+": "00000 00100 00100 11111 00100 00100 00000",
    "_": "00000 00000 00000 00000 00000 00000 11111",
    "~": "00000 00000 01000 10101 00010 00000 00000",
    "/": "00001 00001 00010 00100 01000 10000 10000",
    "(": "00010 00100 01000 01000 01000 00100 00010",
    ")": "01000 00100 00010 00010 00010 00100 01000",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}


def render_text(text: str, size: int) -> NDArray[np.bool_]:
    """Return where ink is, shape (7 * size, 6 * size * letters).

    Accents are left out, and a letter that there is none for is a box.
    """
    plain = [letter for letter in normalize("NFKD", text.upper()) if not combining(letter)]
    letters = [_render_glyph(letter) for letter in plain or " "]
    return np.kron(np.concatenate(letters, axis=1), np.ones((size, size), np.bool_))


@cache
def _render_glyph(letter: str) -> NDArray[np.bool_]:
    rows = _GLYPHS.get(letter, _UNKNOWN_GLYPH).split()
    ink = np.array([[bit == "1" for bit in row] for row in rows], np.bool_)
    return np.pad(ink, ((0, 0), (0, GLYPH_ADVANCE - ink.shape[1])))


Color: TypeAlias = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
INK: Color = (38, 42, 50)


class RgbCanvas:
    """Pixels of shape (height, width, 3), red, green, blue from 0 to 255."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels = np.full((height, width, 3), WHITE, np.uint8)

    def paste(self, pixels: NDArray[np.uint8], x: int, y: int) -> None:
        """Put a picture there; it has to fit."""
        self.pixels[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels

    def write(self, text: str, x: int, y: int, colour: Color = INK, size: int = 2) -> None:
        """Write one line with its upper left corner there; what runs off the sheet is cut."""
        ink = render_text(text, size)[: max(self.pixels.shape[0] - y, 0), : max(self.pixels.shape[1] - x, 0)]
        self.pixels[y : y + ink.shape[0], x : x + ink.shape[1]][ink] = colour

    def line(self, begin: NDArray[np.float64], end: NDArray[np.float64], colour: Color) -> None:
        """Draw a line of three pixels' width."""
        steps = int(np.abs(end - begin).max()) + 1
        for x, y in np.linspace(begin, end, steps).round().astype(int):
            self.pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour

    def draw_circle(self, x: float, y: float, radius: float, colour: Color) -> None:
        """Draw a circle of three pixels' width."""
        rows, columns = np.ogrid[: self.pixels.shape[0], : self.pixels.shape[1]]
        away = np.hypot(columns - x, rows - y)
        self.pixels[np.abs(away - radius) <= 1.5] = colour

    def to_png(self) -> bytes:
        """Return the sheet as PNG: 8-bit RGB, rows unfiltered (https://www.w3.org/TR/png-3/)."""
        height, width, _ = self.pixels.shape
        rows = np.zeros((height, 1 + 3 * width), np.uint8)
        rows[:, 1:] = self.pixels.reshape(height, -1)
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in chunks)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
