"""Counting directed edges: how many facets meet at each, and which way they run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.repeats import representative_indices
from workflow.mesh.stream import Hashes

_ODD = np.uint64(0xD1342543DE82EF95)  # a multiplier that spreads well, from Steele and Vigna 2021


@dataclass(frozen=True, slots=True)
class DirectedEdges:
    """Directed edges: hashes of tail, head and whole facet, shape (n,); both ends in mm, shape (n, 3)."""

    tail: Hashes
    head: Hashes
    facet: Hashes
    tail_mm: NDArray[np.float32]
    head_mm: NDArray[np.float32]

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "DirectedEdges":
        return DirectedEdges(
            self.tail[chosen],
            self.head[chosen],
            self.facet[chosen],
            self.tail_mm[chosen],
            self.head_mm[chosen],
        )

    def select(self, chosen: NDArray[np.bool_]) -> "DirectedEdges":
        """Leave out the others."""
        return self if chosen.all() else self[chosen]

    def __len__(self) -> int:
        return self.tail.size


@dataclass(frozen=True, slots=True)
class OpenEdgeCount:
    """Edges that are not closed; for the meaning of the counts see `OpenEdgeSummary`.

    `open` holds each facet's side of the open edges.
    """

    open: DirectedEdges
    open_edges: int
    flipped_edges: int
    has_repeated_facets: bool


@dataclass(frozen=True, slots=True)
class EdgeBalance:
    """For each undirected edge the facets at it, and how many more run forward than back.

    An undirected edge has the number of one of its directed ones, to which `of` maps all of them. All are of
    shape (n,), where the numbers that no undirected edge has count nothing.
    """

    facets: NDArray[np.intp]
    surplus: NDArray[np.intp]
    of: NDArray[np.intp]

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Where the number of facets is odd."""
        return (self.facets % 2).astype(np.bool_)

    @property
    def flipped_edges(self) -> int:
        """How many edges have facets that pair up but run the same way."""
        return int(np.count_nonzero((self.facets % 2 == 0) & (self.surplus != 0)))


def count_open_edges(edges: DirectedEdges) -> OpenEdgeCount:
    """Count the open and flipped ones among these edges; copies of a facet count once.

    An edge that as many facets meet from either side is closed, and nothing is said of its facets.
    """
    edges = edges.select(edges.tail != edges.head)
    met = balance_edges(edges.tail + edges.head, edges.tail < edges.head)
    edges = edges.select(met.surplus[met.of] != 0)
    same = representative_indices((edges.tail * _ODD + edges.head) * _ODD + edges.facet)
    single = edges.select(same == np.arange(len(edges)))
    balance = balance_edges(single.tail + single.head, single.tail < single.head)
    return OpenEdgeCount(
        open=single[balance.is_open[balance.of]],
        open_edges=int(np.count_nonzero(balance.is_open)),
        flipped_edges=balance.flipped_edges,
        has_repeated_facets=len(single) < len(edges),
    )


def balance_edges(edge: Hashes, runs_forward: NDArray[np.bool_]) -> EdgeBalance:
    """Count the facets at each undirected edge, given its hash at each facet and which way it runs there."""
    of = representative_indices(edge)
    facets = np.bincount(of, minlength=edge.size)
    return EdgeBalance(facets, 2 * np.bincount(of[runs_forward], minlength=edge.size) - facets, of)
