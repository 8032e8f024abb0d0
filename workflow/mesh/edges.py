"""Counting directed edges: how many facets meet at each, and which way they run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import Hashes

Ids: TypeAlias = NDArray[np.uint64] | NDArray[np.intp]
"""What tells corners apart: hashes or numbers."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed edges: hashes of tail, head and whole facet, shape (n,); both ends in mm, shape (n, 3)."""

    tail: Hashes
    head: Hashes
    facet: Hashes
    tail_mm: NDArray[np.float32]
    head_mm: NDArray[np.float32]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join several into one."""
        return cls(
            np.concatenate([part.tail for part in parts]),
            np.concatenate([part.head for part in parts]),
            np.concatenate([part.facet for part in parts]),
            np.concatenate([part.tail_mm for part in parts]),
            np.concatenate([part.head_mm for part in parts]),
        )

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Edges":
        return Edges(
            self.tail[chosen],
            self.head[chosen],
            self.facet[chosen],
            self.tail_mm[chosen],
            self.head_mm[chosen],
        )

    def __len__(self) -> int:
        return self.tail.size


@dataclass(frozen=True, slots=True)
class Census:
    """Edges that are not closed; for the meaning of the counts see `holes.Holes`.

    `open` holds each facet's side of the open edges.
    """

    open: Edges
    open_edges: int
    crowded_edges: int
    flipped_edges: int
    has_repeated_facets: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """For each undirected edge, shape (k,): the facets at it, and how many more run forward than back.

    `of` maps each directed edge to its undirected one, shape (n,).
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


def take_census(edges: Edges) -> Census:
    """Count the open and flipped ones among these edges; copies of a facet count once."""
    edges = edges[edges.tail != edges.head]
    _, first = np.unique(_group(edges.tail, edges.head, edges.facet), return_index=True)
    single = edges[first]
    balance = balance_of(single.tail, single.head)
    return Census(
        open=single[balance.is_open[balance.of]],
        open_edges=int(np.count_nonzero(balance.is_open)),
        crowded_edges=int(np.count_nonzero(balance.is_open & (balance.facets > 2))),
        flipped_edges=balance.flipped_edges,
        has_repeated_facets=len(single) < len(edges),
    )


def balance_of(tail: Ids, head: Ids) -> Balance:
    """Count the facets at each undirected edge between two different ends."""
    of = _group(np.minimum(tail, head), np.maximum(tail, head))
    facets = np.bincount(of)
    return Balance(facets, 2 * np.bincount(of[tail < head], minlength=facets.size) - facets, of)


def _group(*columns: Ids) -> NDArray[np.intp]:
    """Number the rows from 0 so that equal rows have equal numbers."""
    order = np.lexsort(columns)
    differs = np.zeros(order.size, np.bool_)
    for column in columns:
        differs[1:] |= column[order[1:]] != column[order[:-1]]
    group = np.empty(order.size, np.intp)
    group[order] = np.cumsum(differs)
    return group
