"""One view of a part as pixels: shaded facets, their outlines, and the open edges."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.edges import Edges
from workflow.mesh.raster import Canvas, Whole, repeated
from workflow.mesh.sheet import WHITE
from workflow.mesh.views import INSIDE, Doubles, View

OUTSIDE_COLOUR, INSIDE_COLOUR = (186, 200, 214), (255, 150, 30)
OPEN_COLOUR, HIDDEN_COLOUR = (224, 0, 36), (255, 150, 165)
_WHITE, _HIDDEN = np.array(WHITE, np.float32), np.array(HIDDEN_COLOUR, np.float32)
_CREASE, _STEP = 16, 0.02
"""Neighbours whose light (0-255) or depth (0-1) differ by more have an outline between them."""
_OUTLINE = 0.62
_NEARER = 0.006
"""An open edge is seen if it is no farther behind the surface at its pixel than this."""
_LONGEST = 10_000


def pixels_of(canvas: Canvas) -> NDArray[np.float32]:
    """Give the facets in colour, shape (height, width, 3)."""
    number, covered = canvas.colours, canvas.is_covered
    light = (number & (INSIDE - 1)).astype(np.float32) / 255
    colours = np.where((number & INSIDE)[..., None], INSIDE_COLOUR, OUTSIDE_COLOUR).astype(np.float32)
    colours *= (light * np.where(_outlines(number, canvas.depths, covered), _OUTLINE, 1))[..., None]
    return np.where(covered[..., None], colours, _WHITE).astype(np.float32)


def mark_open_edges(pixels: NDArray[np.float32], canvas: Canvas, view: View, edges: Edges) -> None:
    """Draw open edges over the facets: strong where they are seen, pale behind them."""
    seen, hidden = np.zeros((2, canvas.height, canvas.width), np.bool_)
    depths = canvas.depths
    for x, y, depth in _points(view, edges):
        column, row = x.clip(0, canvas.width - 1), y.clip(0, canvas.height - 1)
        is_seen = depth <= depths[row, column] + _NEARER
        seen[row[is_seen], column[is_seen]] = True
        hidden[row[~is_seen], column[~is_seen]] = True
    hidden = _thicker(hidden, 2)
    pixels[hidden] = 0.35 * pixels[hidden] + 0.65 * _HIDDEN
    pixels[_thicker(seen, 4)] = OPEN_COLOUR


def _points(view: View, edges: Edges) -> Iterator[tuple[Whole, Whole, Doubles]]:
    """Give pixels along the edges, some at a time: x, y, and depth."""
    tail, head = (view.places(end.T.astype(np.float64)) for end in (edges.tail_mm, edges.head_mm))
    counts = np.ceil(np.abs(head - tail)[:2].max(axis=0)).clip(1, _LONGEST).astype(np.int64) + 1
    for number, of in repeated(np.zeros_like(counts), counts):
        x, y, depth = tail[:, of] + (head - tail)[:, of] * (number / (counts[of] - 1))
        yield x.astype(np.int64), y.astype(np.int64), depth


def _outlines(
    number: NDArray[np.uint16], depths: NDArray[np.float32], covered: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which pixels stand at a crease, a step or the rim of the part."""
    found = np.zeros(covered.shape, np.bool_)
    light = number.astype(np.int32)
    for axis in (0, 1):
        jumps = (np.abs(np.diff(light, axis=axis)) > _CREASE) | (np.abs(np.diff(depths, axis=axis)) > _STEP)
        here = [slice(None), slice(None)]
        here[axis] = slice(None, -1)
        found[tuple(here)] |= jumps
        here[axis] = slice(1, None)
        found[tuple(here)] |= jumps
    return found & covered


def _thicker(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Add so many pixels around each."""
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
