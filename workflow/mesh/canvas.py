"""Pixels: facets through a depth buffer, lines, letters, and a PNG of them.

A facet is cut into the pixel rows that its corners span, a row into pixels; both by repeating numbers, so
that no Python runs for a single facet, and a long sliver costs no more than the pixels it covers. A pixel
belongs to a facet if its center does; of an edge that two facets share, one of them gets the pixels.
"""

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias
from unicodedata import combining, normalize

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.format import Block
from workflow.mesh.measures import Measures
from workflow.mesh.png import encode_png

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]

_DEPTH_STEPS = 2.0**40
_COLOR_BITS = np.uint64(16)
_NOTHING = np.uint64(2**64 - 1)
_AT_ONCE = 1 << 18
"""Rows or pixels worked out together: a few megabytes for each array."""
_PIXEL_CENTER = 0.5


class TooMuchToDraw(Exception):
    """The facets lie over one another too often: drawing them would take minutes."""


class DepthBuffer:
    """What is nearest at each pixel: its depth, and a color number (0-65535). `left` pixels may be drawn."""

    def __init__(self, width: int, height: int, most_pixels: int) -> None:
        self.width, self.height, self.left = width, height, most_pixels
        self._keys = np.full(width * height, _NOTHING, np.uint64)

    @property
    def is_covered(self) -> NDArray[np.bool_]:
        """Return where something was drawn, shape (height, width)."""
        covered: NDArray[np.bool_] = self._keys != _NOTHING
        return covered.reshape(self.height, self.width)

    @property
    def colors(self) -> NDArray[np.uint16]:
        """Return the color number at each pixel, shape (height, width); without meaning where nothing is."""
        return self._keys.astype(np.uint16).reshape(self.height, self.width)

    @property
    def depths(self) -> FloatArray:
        """Return the depth at each pixel, shape (height, width); 2 where nothing is."""
        depths = (self._keys >> _COLOR_BITS).astype(np.float64) / _DEPTH_STEPS
        return np.minimum(depths, 2).astype(np.float32).reshape(self.height, self.width)

    def add(self, corners: FloatArray, colors: NDArray[np.uint16]) -> None:
        """Draw facets: x and y in pixels and depth from 0 (near) to 1 of each corner, shape (3, 3, n).

        The first axis counts corners, the second coordinates. Raises TooMuchToDraw.
        """
        x, y = corners[:, 0], corners[:, 1]
        top, bottom = _first_pixel_center(y.min(axis=0)), _first_pixel_center(y.max(axis=0))
        top, bottom = top.clip(0, self.height), bottom.clip(0, self.height)
        is_seen = (bottom > top) & (x.max(axis=0) > 0) & (x.min(axis=0) < self.width)
        seen = np.flatnonzero(is_seen)
        for rows, facet in expand_ranges(top[seen], bottom[seen]):
            self._draw_rows(rows, seen[facet], corners, colors)

    def _draw_rows(
        self, row: IntArray, facet: NDArray[np.intp], corners: FloatArray, colors: NDArray[np.uint16]
    ) -> None:
        here = corners[:, :, facet]
        left, right = _span(row.astype(np.float32) + _PIXEL_CENTER, here[:, 0], here[:, 1])
        begin, end = (
            _first_pixel_center(left).clip(0, self.width),
            _first_pixel_center(right).clip(0, self.width),
        )
        wide = np.flatnonzero(end > begin)
        self.left -= int((end[wide] - begin[wide]).sum())
        if self.left < 0:
            raise TooMuchToDraw
        row, here, color = row[wide], here[:, :, wide], colors[facet[wide]]
        plane = _plane(here, row)
        for column, of in expand_ranges(begin[wide], end[wide]):
            depth = _depth_at(column, *(each[of] for each in plane))
            key = ((depth * _DEPTH_STEPS).astype(np.uint64) << _COLOR_BITS) | color[of]
            place = row[of] * self.width + column
            nearer = key < self._keys[place]
            np.minimum.at(self._keys, place[nearer], key[nearer])


def _first_pixel_center(at: FloatArray) -> IntArray:
    """Return the first pixel whose center lies at or behind a place; far outside for what is no number."""
    first: IntArray = np.ceil(np.nan_to_num(at - _PIXEL_CENTER).clip(-1e6, 1e6)).astype(np.int64)
    return first


def expand_ranges(begin: IntArray, end: IntArray) -> Iterator[tuple[IntArray, NDArray[np.intp]]]:
    """Return the numbers from each begin up to its end, and which range each is of, some at a time."""
    counts = end - begin
    ends = np.cumsum(counts)
    at = 0
    while at < counts.size:
        done = int(ends[at - 1]) if at else 0
        until = max(int(np.searchsorted(ends, done + _AT_ONCE, side="right")), at + 1)
        of = np.repeat(np.arange(at, until), counts[at:until])
        first = (ends[at:until] - counts[at:until])[of - at]
        yield np.arange(done, done + of.size) - first + begin[of], of
        at = until


def _span(center: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where the line through the centers of a row enters and leaves each facet."""
    left, right = np.full_like(center, np.inf), np.full_like(center, -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crosses = (y[a] <= center) != (y[b] <= center)
        with np.errstate(all="ignore"):
            at = x[a] + (center - y[a]) * ((x[b] - x[a]) / (y[b] - y[a]))
        np.minimum(left, np.where(crosses, at, np.inf), out=left)
        np.maximum(right, np.where(crosses, at, -np.inf), out=right)
    return left, right


def _plane(corners: FloatArray, row: IntArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the depth of each row at column 0, its growth per column, and the bounds of both corners.

    Seen edge-on a plane has every depth: then that of the corners bounds it.
    """
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners.astype(np.float64)
    across = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    with np.errstate(all="ignore"):
        along_x = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) / across
        along_y = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) / across
        start = az + along_x * (_PIXEL_CENTER - ax) + along_y * (row + _PIXEL_CENTER - ay)
    depth = corners[:, 2].astype(np.float64)
    return np.nan_to_num(start), np.nan_to_num(along_x), depth.min(axis=0), depth.max(axis=0)


def _depth_at(
    column: IntArray, start: FloatArray, growth: FloatArray, near: FloatArray, far: FloatArray
) -> FloatArray:
    with np.errstate(all="ignore"):
        depth = np.nan_to_num(start + growth * column)
    bounded: FloatArray = np.clip(depth, near, far)
    return bounded


DoubleArray: TypeAlias = NDArray[np.float64]

INSIDE_FLAG = 1 << 8
"""In a color number: the side of the facet is seen that should be inside the part; below it, the light."""
_AMBIENT, _LIGHT = 0.3, np.array((-0.45, 0.55, -0.75))
"""Seen from the camera: from the left, from above, and from where it stands. What turns away is darker, not
black: its shape is seen, too."""
_DEPTH_ROOM = 0.8
"""Of the depths from 0 to 1; the rest is for lines that are drawn a little nearer."""


@frozen
class Camera:
    """A camera far away: rows of `turn` are right, up and away from it; pixels = scale * (mm - center)."""

    turn: DoubleArray
    center_mm: DoubleArray
    scale: float
    reach_mm: float
    middle: tuple[float, float]

    def places(self, points_mm: DoubleArray) -> DoubleArray:
        """Return x, y (down) in pixels and depth of points of shape (3, n)."""
        right, up, away = self.turn @ (points_mm - self.center_mm[:, None])
        x, y = self.middle
        depth = (away / self.reach_mm + 1) / 2 * _DEPTH_ROOM + (1 - _DEPTH_ROOM) / 2
        return np.stack((x + right * self.scale, y - up * self.scale, np.clip(depth, 0, 1)))

    def facets(self, block: Block) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
        """Return facets in the picture, shape (3, 3, n), their color numbers, without those of no area."""
        block = block[:, np.isfinite(block).all(axis=0)]
        points = block.astype(np.float64).reshape(3, 3, -1)
        first, second = points[1] - points[0], points[2] - points[0]
        normal = self.turn @ np.cross(first, second, axis=0)
        length = np.sqrt((normal**2).sum(axis=0))
        solid = length > 0
        normal = normal[:, solid] / length[solid]
        is_inside = normal[2] > 0
        light = (normal * np.where(is_inside, -1, 1) * (_LIGHT / np.linalg.norm(_LIGHT))[:, None]).sum(axis=0)
        shade = _AMBIENT + (1 - _AMBIENT) * (light.clip(-1, 1) + 1) / 2
        placed = np.stack([self.places(corner) for corner in points[:, :, solid]])
        return placed.astype(np.float32), (255 * shade).astype(np.uint16) + INSIDE_FLAG * is_inside.astype(
            np.uint16
        )


def fit_camera(measures: Measures, azimuth: float, elevation: float, width: int, height: int) -> Camera:
    """Return the view of the whole part from a direction in degrees: 0 is from +x, 90 from +y; up is +z."""
    low, high = (np.array(end, np.float64) for end in (measures.low_mm, measures.high_mm))
    a, e = np.radians((azimuth, elevation))
    away = -np.array((np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)))
    right = np.array((-np.sin(a), np.cos(a), 0.0))
    turn = np.stack((right, np.cross(right, away), away))
    box = np.abs(turn) @ (high - low) / 2  # half of what the box takes to the right, up and away
    scale = min(width / 2 / max(box[0], 1e-30), height / 2 / max(box[1], 1e-30))
    return Camera(turn, (low + high) / 2, scale, max(float(box[2]), 1e-30), (0.0, 0.0))


GLYPH_ADVANCE = 6
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

    def write(self, text: str, x: int, y: int, color: Color = INK, size: int = 2) -> None:
        """Write one line with its upper left corner there; what runs off the sheet is cut."""
        ink = render_text(text, size)[: max(self.pixels.shape[0] - y, 0), : max(self.pixels.shape[1] - x, 0)]
        self.pixels[y : y + ink.shape[0], x : x + ink.shape[1]][ink] = color

    def line(self, begin: NDArray[np.float64], end: NDArray[np.float64], color: Color) -> None:
        """Draw a line of three pixels' width."""
        steps = int(np.abs(end - begin).max()) + 1
        for x, y in np.linspace(begin, end, steps).round().astype(int):
            self.pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = color

    def draw_circle(self, x: float, y: float, radius: float, color: Color) -> None:
        """Draw a circle of three pixels' width."""
        rows, columns = np.ogrid[: self.pixels.shape[0], : self.pixels.shape[1]]
        away = np.hypot(columns - x, rows - y)
        self.pixels[np.abs(away - radius) <= 1.5] = color

    def to_png(self) -> bytes:
        """Return the sheet as PNG."""
        return encode_png(self.pixels)


def dilate(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Return the mask with `by` pixels added around each of its own."""
    for axis in (0, 1):
        wide = mask.copy()
        for shift in range(1, by + 1):
            for way in (shift, -shift):
                moved = np.roll(mask, way, axis=axis)
                edge = [slice(None), slice(None)]
                edge[axis] = slice(None, way) if way > 0 else slice(way, None)
                moved[tuple(edge)] = False
                wide |= moved
        mask = wide
    return mask
