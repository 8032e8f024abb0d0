"""Facets to pixels: a depth buffer that keeps the nearest facet of each pixel.

A facet is cut into the pixel rows that its corners span, a row into pixels; both by repeating numbers, so
that no Python runs for a single facet, and a long sliver costs no more than the pixels it covers. A pixel
belongs to a facet if its centre does; of an edge that two facets share, one of them gets the pixels.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Whole: TypeAlias = NDArray[np.int64]

_DEPTH_STEPS = 2.0**40
_COLOUR_BITS = np.uint64(16)
_NOTHING = np.uint64(2**64 - 1)
_AT_ONCE = 1 << 18
"""Rows or pixels worked out together: a few megabytes for each array."""
_CENTRE = 0.5


class TooMuchToDraw(Exception):
    """The facets cover the picture so many times over that drawing them would take minutes."""


class Canvas:
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
    def colours(self) -> NDArray[np.uint16]:
        """The colour number at each pixel, shape (height, width); without meaning where nothing is."""
        return self._keys.astype(np.uint16).reshape(self.height, self.width)

    @property
    def depths(self) -> Floats:
        """The depth at each pixel, shape (height, width); 2 where nothing is."""
        depths = (self._keys >> _COLOUR_BITS).astype(np.float64) / _DEPTH_STEPS
        return np.minimum(depths, 2).astype(np.float32).reshape(self.height, self.width)

    def add(self, corners: Floats, colours: NDArray[np.uint16]) -> None:
        """Draw facets: x and y in pixels and depth from 0 (near) to 1 of each corner, shape (3, 3, n).

        The first axis counts corners, the second coordinates. Raises TooMuchToDraw.
        """
        x, y = corners[:, 0], corners[:, 1]
        top, bottom = _first_centre(y.min(axis=0)), _first_centre(y.max(axis=0))
        top, bottom = top.clip(0, self.height), bottom.clip(0, self.height)
        is_seen = (bottom > top) & (x.max(axis=0) > 0) & (x.min(axis=0) < self.width)
        seen = np.flatnonzero(is_seen)
        for rows, facet in repeated(top[seen], bottom[seen]):
            self._add_rows(rows, seen[facet], corners, colours)

    def _add_rows(
        self, row: Whole, facet: NDArray[np.intp], corners: Floats, colours: NDArray[np.uint16]
    ) -> None:
        here = corners[:, :, facet]
        left, right = _span(row.astype(np.float32) + _CENTRE, here[:, 0], here[:, 1])
        begin, end = _first_centre(left).clip(0, self.width), _first_centre(right).clip(0, self.width)
        wide = np.flatnonzero(end > begin)
        self.left -= int((end[wide] - begin[wide]).sum())
        if self.left < 0:
            raise TooMuchToDraw
        row, here, colour = row[wide], here[:, :, wide], colours[facet[wide]]
        plane = _plane(here, row)
        for column, of in repeated(begin[wide], end[wide]):
            depth = _depth_at(column, *(each[of] for each in plane))
            key = ((depth * _DEPTH_STEPS).astype(np.uint64) << _COLOUR_BITS) | colour[of]
            place = row[of] * self.width + column
            nearer = key < self._keys[place]
            np.minimum.at(self._keys, place[nearer], key[nearer])


def _first_centre(at: Floats) -> Whole:
    """Give the first pixel whose centre lies at or behind a place; far outside for what is no number."""
    first: Whole = np.ceil(np.nan_to_num(at - _CENTRE).clip(-1e6, 1e6)).astype(np.int64)
    return first


def repeated(begin: Whole, end: Whole) -> Iterator[tuple[Whole, NDArray[np.intp]]]:
    """Give the numbers from each begin up to its end, and which range each is of, some at a time."""
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


def _span(centre: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Give where the line through the centres of a row enters and leaves each facet."""
    left, right = np.full_like(centre, np.inf), np.full_like(centre, -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        crosses = (y[a] <= centre) != (y[b] <= centre)
        with np.errstate(all="ignore"):
            at = x[a] + (centre - y[a]) * ((x[b] - x[a]) / (y[b] - y[a]))
        np.minimum(left, np.where(crosses, at, np.inf), out=left)
        np.maximum(right, np.where(crosses, at, -np.inf), out=right)
    return left, right


def _plane(corners: Floats, row: Whole) -> tuple[Floats, Floats, Floats, Floats]:
    """Give the depth of each row at column 0, its growth per column, and the bounds of both corners.

    Seen edge-on a plane has every depth: then that of the corners bounds it.
    """
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners.astype(np.float64)
    across = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    with np.errstate(all="ignore"):
        along_x = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) / across
        along_y = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) / across
        start = az + along_x * (_CENTRE - ax) + along_y * (row + _CENTRE - ay)
    depth = corners[:, 2].astype(np.float64)
    return np.nan_to_num(start), np.nan_to_num(along_x), depth.min(axis=0), depth.max(axis=0)


def _depth_at(column: Whole, start: Floats, growth: Floats, near: Floats, far: Floats) -> Floats:
    with np.errstate(all="ignore"):
        depth = np.nan_to_num(start + growth * column)
    bounded: Floats = np.clip(depth, near, far)
    return bounded
