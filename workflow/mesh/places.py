"""Where the holes are: open edges gathered into connected rims."""

import math
from dataclasses import dataclass

import numpy as np

from workflow.mesh.connected import connected
from workflow.mesh.edges import Edges, balance_of

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
    _, first = np.unique(balance_of(edges.tail, edges.head).of, return_index=True)
    edges = edges[first]
    edges = edges[np.lexsort(np.minimum(edges.tail_mm, edges.head_mm).T[::-1])]
    ids, ends = np.unique(np.concatenate((edges.tail, edges.head)), return_inverse=True)
    tails, heads = np.split(ends.reshape(-1), 2)
    _, seen, rim, counts = np.unique(
        connected(tails, heads, ids.size)[tails], return_index=True, return_inverse=True, return_counts=True
    )
    largest = np.lexsort((seen, -counts))[:MOST_PLACES]
    decimals = _decimals(diagonal_mm)
    return tuple(_place(edges[np.flatnonzero(rim == number)], decimals) for number in largest)


def _decimals(diagonal_mm: float) -> int:
    """Give enough for a hundredth of the diagonal, and at least tenths."""
    return min(max(1, 2 - math.floor(math.log10(diagonal_mm))), MOST_DECIMALS) if diagonal_mm > 0 else 1


def _place(edges: Edges, decimals: int) -> Place:
    points = np.concatenate((edges.tail_mm, edges.head_mm)).astype(np.float64)
    x, y, z = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return Place(len(edges), (x, y, z), decimals)
