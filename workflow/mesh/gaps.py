"""Whether open edges meet within a distance that no printer sees.

CAD exports hold noise such as 1e-17 in place of 0; slicers merge such corners, and so must a fair test.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.edges import Balance, Edges, balance_of

_TOLERANCES = (1e-7, 1e-6, 1e-5, 1e-4)
"""As parts of the mesh's diagonal, smallest first. On a 100 mm part the last one is 0.01 mm."""
_ROUNDS = 2

_Numbers: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Closing:
    """The widest gap that has to be closed, in mm, and the edges that then turn out to run the same way."""

    gap_mm: float
    flipped_edges: int


def close_gaps(edges: Edges, diagonal_mm: float) -> Closing | None:
    """Merge near corners of open edges, with the smallest tolerance that closes all; None if none does."""
    _, first, point = np.unique(
        np.concatenate((edges.tail, edges.head)), return_index=True, return_inverse=True
    )
    points = np.concatenate((edges.tail_mm, edges.head_mm))[first].astype(np.float64)
    tail, head = np.split(point.reshape(-1), 2)
    widest = _clusters(points, _TOLERANCES[-1] * diagonal_mm)
    if _balance(tail, head, widest).is_open.any():
        return None  # merging less leaves even more open
    closings = (_close(points, tail, head, tolerance * diagonal_mm) for tolerance in _TOLERANCES)
    return next((closing for closing in closings if closing), None)


def _close(
    points: NDArray[np.float64], tail: _Numbers, head: _Numbers, tolerance_mm: float
) -> Closing | None:
    cluster = _clusters(points, tolerance_mm)
    width = _widest(points, cluster)
    if width > 2 * tolerance_mm:
        return None  # a row of corners, each near the next: merging it would swallow real shape
    balance = _balance(tail, head, cluster)
    return None if balance.is_open.any() else Closing(width, balance.flipped_edges)


def _balance(tail: _Numbers, head: _Numbers, cluster: _Numbers) -> Balance:
    """Count the facets at the edges that are left when the points of each cluster are one."""
    tail, head = cluster[tail], cluster[head]
    kept = tail != head
    return balance_of(tail[kept], head[kept])


def _clusters(points: NDArray[np.float64], tolerance_mm: float) -> _Numbers:
    """Number the points so that those with no wider gap between them on any axis share a number."""
    cluster = np.zeros(len(points), np.intp)
    for axis in (0, 1, 2) * _ROUNDS:
        along = points[:, axis]
        order = np.lexsort((along, cluster))
        apart = (np.diff(along[order]) > tolerance_mm) | (np.diff(cluster[order]) != 0)
        cluster[order] = np.concatenate(([0], np.cumsum(apart)))
    return cluster


def _widest(points: NDArray[np.float64], cluster: NDArray[np.intp]) -> float:
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    lows, highs = (reduce.reduceat(points[order], starts) for reduce in (np.minimum, np.maximum))
    return float((highs - lows).max())
