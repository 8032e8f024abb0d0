"""Whether open edges meet within a distance that no printer sees.

CAD exports hold noise such as 1e-17 in place of 0; slicers merge such corners, and so must a fair test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.edges import Balance, Edges, balance_of
from workflow.mesh.repeats import SPREAD

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
    points = np.concatenate((edges.tail_mm, edges.head_mm)).astype(np.float64)
    for cluster in _ever_smaller_clusters(points, _TOLERANCES[-1] * diagonal_mm):
        if _balance(cluster).is_open.any():
            return None  # merging less leaves even more open
    closings = (_close(points, tolerance * diagonal_mm) for tolerance in _TOLERANCES)
    return next((closing for closing in closings if closing), None)


def _close(points: NDArray[np.float64], tolerance_mm: float) -> Closing | None:
    *_, cluster = _ever_smaller_clusters(points, tolerance_mm)
    width = _widest(points, cluster)
    if width > 2 * tolerance_mm:
        return None  # a row of corners, each near the next: merging it would swallow real shape
    balance = _balance(cluster)
    return None if balance.is_open.any() else Closing(width, balance.flipped_edges)


def _balance(cluster: _Numbers) -> Balance:
    """Count the facets at the edges that are left when the points of each cluster are one."""
    tail, head = np.split(cluster, 2)
    kept = tail != head
    tail, head = tail[kept], head[kept]
    edge = np.minimum(tail, head) * cluster.size + np.maximum(tail, head)
    return balance_of(edge.astype(np.uint64) * SPREAD, tail < head)


def _ever_smaller_clusters(points: NDArray[np.float64], tolerance_mm: float) -> Iterator[_Numbers]:
    """Number the points so that in the end those with no wider gap between them on any axis share a number.

    First only those apart along x get different ones, then those along y, and so on.
    """
    cluster = np.zeros(len(points), np.intp)
    for axis in (0, 1, 2) * _ROUNDS:
        along = points[:, axis]
        order = np.lexsort((along, cluster))
        apart = (np.diff(along[order]) > tolerance_mm) | (np.diff(cluster[order]) != 0)
        cluster[order] = np.concatenate(([0], np.cumsum(apart)))
        yield cluster


def _widest(points: NDArray[np.float64], cluster: NDArray[np.intp]) -> float:
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    lows, highs = (reduce.reduceat(points[order], starts) for reduce in (np.minimum, np.maximum))
    return float((highs - lows).max())
