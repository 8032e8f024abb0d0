"""Where the holes are: open edges gathered into connected rims."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.connected import connected
from workflow.mesh.edges import Edges
from workflow.mesh.repeats import places_of_equals

MOST_PLACES = 5
MOST_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Place:
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


def places_of(edges: Edges, diagonal_mm: float) -> tuple[Place, ...]:
    """Give the largest rims, largest first; the sides that facets have at one edge count once.

    Of equally large ones the one with the lower x comes first, whatever the hashes of this process are.
    """
    edges = edges.only(places_of_equals(edges.tail + edges.head) == np.arange(len(edges)))
    tails, heads = np.split(places_of_equals(np.concatenate((edges.tail, edges.head))), 2)
    rim = connected(tails, heads, tails.size + heads.size)[tails]
    counts = np.bincount(rim)
    low_mm = np.full((3, counts.size), np.inf, np.float32)
    for axis, lowest in enumerate(low_mm):
        np.minimum.at(lowest, rim, np.minimum(edges.tail_mm[:, axis], edges.head_mm[:, axis]))
    largest = np.lexsort((*low_mm[::-1], -counts))[: min(MOST_PLACES, np.count_nonzero(counts))]
    decimals = _decimals(diagonal_mm)
    return tuple(_place(edges, np.flatnonzero(rim == number), decimals) for number in largest)


def _decimals(diagonal_mm: float) -> int:
    """Give enough for a hundredth of the diagonal, and at least tenths."""
    return min(max(1, 2 - math.floor(math.log10(diagonal_mm))), MOST_DECIMALS) if diagonal_mm > 0 else 1


def _place(edges: Edges, rim: NDArray[np.intp], decimals: int) -> Place:
    points = np.concatenate((edges.tail_mm[rim], edges.head_mm[rim])).astype(np.float64)
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return Place(rim.size, (x, y, z), decimals)
