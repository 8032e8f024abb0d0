"""A sheet to draw on: coloured pixels, thick lines, letters; and a PNG of it."""

import struct
import zlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.letters import lettered

Colour: TypeAlias = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
INK: Colour = (38, 42, 50)


class Sheet:
    """Pixels of shape (height, width, 3), red, green, blue from 0 to 255."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels = np.full((height, width, 3), WHITE, np.uint8)

    def paste(self, pixels: NDArray[np.uint8], x: int, y: int) -> None:
        """Put a picture there; it has to fit."""
        self.pixels[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels

    def write(self, text: str, x: int, y: int, colour: Colour = INK, size: int = 2) -> None:
        """Write one line with its upper left corner there; what runs off the sheet is cut."""
        ink = lettered(text, size)[: max(self.pixels.shape[0] - y, 0), : max(self.pixels.shape[1] - x, 0)]
        self.pixels[y : y + ink.shape[0], x : x + ink.shape[1]][ink] = colour

    def line(self, begin: NDArray[np.float64], end: NDArray[np.float64], colour: Colour) -> None:
        """Draw a line of three pixels' width."""
        steps = int(np.abs(end - begin).max()) + 1
        for x, y in np.linspace(begin, end, steps).round().astype(int):
            self.pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour

    def ring(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a circle of three pixels' width."""
        rows, columns = np.ogrid[: self.pixels.shape[0], : self.pixels.shape[1]]
        away = np.hypot(columns - x, rows - y)
        self.pixels[np.abs(away - radius) <= 1.5] = colour

    def png(self) -> bytes:
        """Give the sheet as PNG: 8-bit RGB, rows unfiltered (https://www.w3.org/TR/png-3/)."""
        height, width, _ = self.pixels.shape
        rows = np.zeros((height, 1 + 3 * width), np.uint8)
        rows[:, 1:] = self.pixels.reshape(height, -1)
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
