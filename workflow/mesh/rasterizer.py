"""Facets to pixels: a depth buffer that keeps the nearest facet of each pixel.

A facet is cut into the pixel rows that its corners span, a row into pixels; both by repeating numbers, so
that no Python runs for a single facet, and a long sliver costs no more than the pixels it covers. A pixel
belongs to a facet if its centre does; of an edge that two facets share, one of them gets the pixels.

Where a part is looked at from, and how light falls on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.measures import Measures
from workflow.mesh.stream import Block

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]

_DEPTH_STEPS = 2.0**40
_COLOR_BITS = np.uint64(16)
_NOTHING = np.uint64(2**64 - 1)
_AT_ONCE = 1 << 18
"""Rows or pixels worked out together: a few megabytes for each array."""
_PIXEL_CENTER = 0.5


class TooMuchToDraw(Exception):
    """The facets cover the picture so many times over that drawing them would take minutes."""


class DepthBuffer:
    """What is nearest at each pixel: its depth, and a colour number (0-65535). `left` pixels may be drawn."""

    def __init__(self, width: int, height: int, most_pixels: int) -> None:
        self.width, self.height, self.left = width, height, most_pixels
        self._keys = np.full(width * height, _NOTHING, np.uint64)

    @property
    def is_covered(self) -> NDArray[np.bool_]:
        """Where something was drawn, shape (height, width)."""
        covered: NDArray[np.bool_] = self._keys != _NOTHING
        return covered.reshape(self.height, self.width)

    @property
    def colors(self) -> NDArray[np.uint16]:
        """The colour number at each pixel, shape (height, width); without meaning where nothing is."""
        return self._keys.astype(np.uint16).reshape(self.height, self.width)

    @property
    def depths(self) -> FloatArray:
        """The depth at each pixel, shape (height, width); 2 where nothing is."""
        depths = (self._keys >> _COLOR_BITS).astype(np.float64) / _DEPTH_STEPS
        return np.minimum(depths, 2).astype(np.float32).reshape(self.height, self.width)

    def add(self, corners: FloatArray, colours: NDArray[np.uint16]) -> None:
        """Draw facets: x and y in pixels and depth from 0 (near) to 1 of each corner, shape (3, 3, n).

        The first axis counts corners, the second coordinates. Raises TooMuchToDraw.
        """
        x, y = corners[:, 0], corners[:, 1]
        top, bottom = _first_pixel_center(y.min(axis=0)), _first_pixel_center(y.max(axis=0))
        top, bottom = top.clip(0, self.height), bottom.clip(0, self.height)
        is_seen = (bottom > top) & (x.max(axis=0) > 0) & (x.min(axis=0) < self.width)
        seen = np.flatnonzero(is_seen)
        for rows, facet in expand_ranges(top[seen], bottom[seen]):
            self._draw_rows(rows, seen[facet], corners, colours)

    def _draw_rows(
        self, row: IntArray, facet: NDArray[np.intp], corners: FloatArray, colours: NDArray[np.uint16]
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
        row, here, colour = row[wide], here[:, :, wide], colours[facet[wide]]
        plane = _plane(here, row)
        for column, of in expand_ranges(begin[wide], end[wide]):
            depth = _depth_at(column, *(each[of] for each in plane))
            key = ((depth * _DEPTH_STEPS).astype(np.uint64) << _COLOR_BITS) | colour[of]
            place = row[of] * self.width + column
            nearer = key < self._keys[place]
            np.minimum.at(self._keys, place[nearer], key[nearer])


def _first_pixel_center(at: FloatArray) -> IntArray:
    """Return the first pixel whose centre lies at or behind a place; far outside for what is no number."""
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


def _span(centre: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where the line through the centres of a row enters and leaves each facet."""
    left, right = np.full_like(centre, np.inf), np.full_like(centre, -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crosses = (y[a] <= centre) != (y[b] <= centre)
        with np.errstate(all="ignore"):
            at = x[a] + (centre - y[a]) * ((x[b] - x[a]) / (y[b] - y[a]))
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
"""In a colour number: the side of the facet is seen that should be inside the part; below it, the light."""
_AMBIENT, _LIGHT = 0.3, np.array((-0.45, 0.55, -0.75))
"""Seen from the camera: from the left, from above, and from where it stands. What turns away is darker, not
black: its shape is seen, too."""
_DEPTH_ROOM = 0.8
"""Of the depths from 0 to 1; the rest is for lines that are drawn a little nearer."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera far away: rows of `turn` are right, up and away from it; pixels = scale * (mm - centre)."""

    turn: DoubleArray
    centre_mm: DoubleArray
    scale: float
    reach_mm: float
    middle: tuple[float, float]

    def places(self, points_mm: DoubleArray) -> DoubleArray:
        """Return x, y (down) in pixels and depth of points of shape (3, n)."""
        right, up, away = self.turn @ (points_mm - self.centre_mm[:, None])
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
