"""Whether open edges meet within a distance that no printer sees.

CAD exports hold noise such as 1e-17 in place of 0; slicers merge such corners, and so must a fair test.

Where the holes are: open edges gathered into connected rims.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.components import connected_components
from workflow.mesh.edges import DirectedEdges, EdgeBalance, balance_edges
from workflow.mesh.repeats import FIBONACCI_MULTIPLIER, representative_indices

_TOLERANCES = (1e-7, 1e-6, 1e-5, 1e-4)
"""As parts of the mesh's diagonal, smallest first. On a 100 mm part the last one is 0.01 mm."""
_ROUNDS = 2

_Numbers: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class GapClosing:
    """The widest gap that has to be closed, in mm, and the edges that then turn out to run the same way."""

    gap_mm: float
    flipped_edges: int


def close_gaps(edges: DirectedEdges, diagonal_mm: float) -> GapClosing | None:
    """Merge near corners of open edges, with the smallest tolerance that closes all; None if none does."""
    points = np.concatenate((edges.tail_mm, edges.head_mm)).astype(np.float64)
    for cluster in _refine_clusters(points, _TOLERANCES[-1] * diagonal_mm):
        if _balance_clusters(cluster).is_open.any():
            return None  # merging less leaves even more open
    closings = (_close_within(points, tolerance * diagonal_mm) for tolerance in _TOLERANCES)
    return next((closing for closing in closings if closing), None)


def _close_within(points: NDArray[np.float64], tolerance_mm: float) -> GapClosing | None:
    *_, cluster = _refine_clusters(points, tolerance_mm)
    width = _widest(points, cluster)
    if width > 2 * tolerance_mm:
        return None  # a row of corners, each near the next: merging it would swallow real shape
    balance = _balance_clusters(cluster)
    return None if balance.is_open.any() else GapClosing(width, balance.flipped_edges)


def _balance_clusters(cluster: _Numbers) -> EdgeBalance:
    """Count the facets at the edges that are left when the points of each cluster are one."""
    tail, head = np.split(cluster, 2)
    kept = tail != head
    tail, head = tail[kept], head[kept]
    edge = np.minimum(tail, head) * cluster.size + np.maximum(tail, head)
    return balance_edges(edge.astype(np.uint64) * FIBONACCI_MULTIPLIER, tail < head)


def _refine_clusters(points: NDArray[np.float64], tolerance_mm: float) -> Iterator[_Numbers]:
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


MAX_HOLE_LOCATIONS = 5
MOST_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class HoleLocation:
    """One rim of open edges: how many, and the middle of the box around them, in mm.

    `decimals` are those that tell places in this mesh apart.
    """

    edges: int
    centre_mm: tuple[float, float, float]
    decimals: int = 1

    def __str__(self) -> str:
        rounded = (round(value, self.decimals) + 0.0 for value in self.centre_mm)  # -0.0 + 0.0 is 0.0
        x, y, z = (f"{value:.{self.decimals}f}" for value in rounded)
        return f"x {x} y {y} z {z} mm"


def locate_holes(edges: DirectedEdges, diagonal_mm: float) -> tuple[HoleLocation, ...]:
    """Give the largest rims, largest first; the sides that facets have at one edge count once.

    Of equally large ones the one with the lower x comes first, whatever the hashes of this process are.
    """
    edges = edges.select(representative_indices(edges.tail + edges.head) == np.arange(len(edges)))
    tails, heads = np.split(representative_indices(np.concatenate((edges.tail, edges.head))), 2)
    rim = connected_components(tails, heads, tails.size + heads.size)[tails]
    counts = np.bincount(rim)
    low_mm = np.full((3, counts.size), np.inf, np.float32)
    for axis, lowest in enumerate(low_mm):
        np.minimum.at(lowest, rim, np.minimum(edges.tail_mm[:, axis], edges.head_mm[:, axis]))
    largest = np.lexsort((*low_mm[::-1], -counts))[: min(MAX_HOLE_LOCATIONS, np.count_nonzero(counts))]
    decimals = _display_decimals(diagonal_mm)
    return tuple(_hole_location(edges, np.flatnonzero(rim == number), decimals) for number in largest)


def _display_decimals(diagonal_mm: float) -> int:
    """Give enough for a hundredth of the diagonal, and at least tenths."""
    return min(max(1, 2 - math.floor(math.log10(diagonal_mm))), MOST_DECIMALS) if diagonal_mm > 0 else 1


def _hole_location(edges: DirectedEdges, rim: NDArray[np.intp], decimals: int) -> HoleLocation:
    points = np.concatenate((edges.tail_mm[rim], edges.head_mm[rim])).astype(np.float64)
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return HoleLocation(rim.size, (x, y, z), decimals)
