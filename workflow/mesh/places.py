"""Where the holes are: open edges gathered into connected rims."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.connected import connected
from workflow.mesh.edges import Edges
from workflow.mesh.repeats import places_of_equals

MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """One rim of open edges: how many, and the middle of the box around them, in mm."""

    edges: int
    centre_mm: tuple[float, float, float]

    def __str__(self) -> str:
        x, y, z = (f"{value:.1f}" for value in self.centre_mm)
        return f"x {x} y {y} z {z} mm"


def places_of(edges: Edges) -> tuple[Place, ...]:
    """Give the largest rims, largest first, and of equal ones the lowest along x, y, z first."""
    tails, heads = np.split(places_of_equals(np.concatenate((edges.tail, edges.head))), 2)
    rim = connected(tails, heads, tails.size + heads.size)[tails]
    counts = np.bincount(rim)
    low_mm = np.full((3, counts.size), np.inf, np.float32)
    for axis, lowest in enumerate(low_mm):
        np.minimum.at(lowest, rim, np.minimum(edges.tail_mm[:, axis], edges.head_mm[:, axis]))
    largest = np.lexsort((*low_mm[::-1], -counts))[: min(MOST_PLACES, np.count_nonzero(counts))]
    return tuple(_place(edges, np.flatnonzero(rim == number)) for number in largest)


def _place(edges: Edges, rim: NDArray[np.intp]) -> Place:
    points = np.concatenate((edges.tail_mm[rim], edges.head_mm[rim])).astype(np.float64)
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return Place(rim.size, (x, y, z))
