"""Where the holes are: open edges gathered into connected rims."""

from dataclasses import dataclass

import numpy as np

from workflow.mesh.connected import connected
from workflow.mesh.edges import Edges

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
    """Give the largest rims, largest first."""
    ids, ends = np.unique(np.concatenate((edges.tail, edges.head)), return_inverse=True)
    tails, heads = np.split(ends.reshape(-1), 2)
    rims, rim, counts = np.unique(
        connected(tails, heads, ids.size)[tails], return_inverse=True, return_counts=True
    )
    largest = np.argsort(-counts, kind="stable")[: min(MOST_PLACES, rims.size)]
    return tuple(_place(edges[np.flatnonzero(rim == number)]) for number in largest)


def _place(edges: Edges) -> Place:
    points = np.concatenate((edges.tail_mm, edges.head_mm)).astype(np.float64)
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return Place(len(edges), (x, y, z))
