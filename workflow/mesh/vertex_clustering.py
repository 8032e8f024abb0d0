"""Fewer facets for a picture: corners in the same cell of a grid become one corner.

Rossignac and Borrel (1993). Facets that keep three different corners stay, each once. Memory grows with the
limit, not with the mesh: facets are taken block by block, and a grid that keeps too many is made coarser.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.format import Block

Cells = NDArray[np.int64]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd multiplier, 2^64 over the golden ratio: facets with different corners have different hashes."""
_FACETS_PER_CELL = 3.0
"""A surface of area A cuts about 1.5 A / cell² cells, and has two facets for each corner."""
_COARSER = 1.3
_MOST_CELLS_ALONG = 2**20
_ATTEMPTS = 12


@frozen
class _Facets:
    """Facets as the cells of their corners, shape (3, n), and their coordinates, shape (9, n)."""

    cells: Cells
    corners: Block

    def without_copies(self) -> "_Facets":
        """Return each facet once, whichever way it is turned."""
        a, b, c = np.sort(self.cells, axis=0).astype(np.uint64)
        _, first = np.unique(((a * _SPREAD) ^ b) * _SPREAD ^ c, return_index=True)
        return _Facets(self.cells[:, first], self.corners[:, first])


def cluster_vertices(
    blocks: Callable[[], Iterable[Block]],
    low_mm: tuple[float, float, float],
    high_mm: tuple[float, float, float],
    area_mm2: float,
    most_facets: int,
) -> Block:
    """Return a mesh of at most this many facets that looks like the one in `blocks`, shape (9, n)."""
    longest_mm = max(high - low for low, high in zip(low_mm, high_mm, strict=True))
    cell_mm = math.sqrt(_FACETS_PER_CELL * area_mm2 / most_facets) if area_mm2 > 0 else 0.0
    cell_mm = max(cell_mm, longest_mm / _MOST_CELLS_ALONG, 1e-30)
    for _ in range(_ATTEMPTS):
        facets = _keep_facets(blocks(), np.array(low_mm), cell_mm, most_facets)
        if facets is not None:
            return _merge_corners(facets)
        cell_mm *= _COARSER
    return np.empty((9, 0), np.float32)


def _keep_facets(
    blocks: Iterable[Block], low_mm: NDArray[np.float64], cell_mm: float, most: int
) -> _Facets | None:
    """Return the facets that are left in a grid, or None if they are more than the limit."""
    kept: list[_Facets] = []
    count = 0
    for facets in _facets_in_grid(blocks, low_mm, cell_mm):
        kept.append(facets)
        count += facets.cells.shape[1]
        if count > 2 * most:
            kept = [_joined(kept).without_copies()]
            count = kept[0].cells.shape[1]
            if count > most:
                return None
    whole = _joined(kept).without_copies()
    return whole if whole.cells.shape[1] <= most else None


def _facets_in_grid(
    blocks: Iterable[Block], low_mm: NDArray[np.float64], cell_mm: float
) -> Iterator[_Facets]:
    for block in blocks:
        grid = ((block.reshape(3, 3, -1) - low_mm[None, :, None]) / cell_mm).astype(np.int64)
        grid = grid.clip(0, 2 * _MOST_CELLS_ALONG)
        cells = (grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2]
        a, b, c = cells
        solid = (a != b) & (b != c) & (c != a)
        yield _Facets(cells[:, solid], block[:, solid]).without_copies()


def _joined(facets: list[_Facets]) -> _Facets:
    none = _Facets(np.empty((3, 0), np.int64), np.empty((9, 0), np.float32))
    return _Facets(
        np.concatenate([none.cells, *(each.cells for each in facets)], axis=1),
        np.concatenate([none.corners, *(each.corners for each in facets)], axis=1),
    )


def _merge_corners(facets: _Facets) -> Block:
    """Move all corners of a cell onto the first one that was found in it, so that facets meet."""
    cells = facets.cells.reshape(-1)
    _, first, of = np.unique(cells, return_index=True, return_inverse=True)
    points = facets.corners.reshape(3, 3, -1).transpose(0, 2, 1).reshape(-1, 3)
    merged = points[first][of.reshape(-1)]
    block: Block = merged.reshape(3, -1, 3).transpose(0, 2, 1).reshape(9, -1)
    return block
