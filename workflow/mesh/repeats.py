"""Which of many 64-bit hashes are equal, two to four times as fast as by sorting them.

Each number writes its place in the list into a table, at a slot chosen by its highest bits; the last to
write owns the slot. Whoever finds another owner there is a copy of it, or has to try again in the next
table together with all its own copies, since those chose the same slot.

Edges that more than two facets share in a closed mesh, and facets that lie on one another.

Unlike closedness this needs memory for each facet, so it is done up to a limit, and only ever warns.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.stream import Hashes
from workflow.mesh.watertight import edge_heads

_FEW = 1024
_PIECE = 1 << 16
"""Short-lived arrays of this length stay in the processor's cache."""
FIBONACCI_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing
"""Odd: numbers that differ still do after multiplying."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Places of equal numbers, both of shape (n,): each `copy` equals its `original`, of which there is
    one for each value that comes up more than once."""

    copy: NDArray[np.intp]
    original: NDArray[np.intp]

    @property
    def values(self) -> int:
        """How many different values come up more than once."""
        return int(np.unique(self.original).size)


def representative_indices(keys: Hashes) -> NDArray[np.intp]:
    """Give each number the place of one that equals it: the same for all that are equal."""
    places = np.arange(keys.size)
    matches = find_matches(keys)
    places[matches.copy] = matches.original
    return places


def find_matches(keys: Hashes) -> Matches:
    """Match equal numbers among numbers that are spread evenly; they stay as they are."""
    found: list[Matches] = []
    place: NDArray[np.intp] = np.arange(keys.size)
    while keys.size > _FEW:
        matches, left = _match_by_table(keys)
        found.append(Matches(place[matches.copy], place[matches.original]))
        place, keys = place[left], keys[left] * FIBONACCI_MULTIPLIER
    matches = _match_by_sorting(keys)
    found.append(Matches(place[matches.copy], place[matches.original]))
    return Matches(
        np.concatenate([each.copy for each in found]), np.concatenate([each.original for each in found])
    )


def _match_by_sorting(keys: Hashes) -> Matches:
    """Give all matches of a few numbers."""
    order = keys.argsort()
    ranked = keys[order]
    is_copy = np.zeros(keys.size, np.bool_)
    np.equal(ranked[1:], ranked[:-1], out=is_copy[1:])
    first = order[~is_copy]
    return Matches(order[is_copy], first[np.cumsum(~is_copy)[is_copy] - 1])


def _match_by_table(keys: Hashes) -> tuple[Matches, NDArray[np.intp]]:
    """Give the matches of one table, and the places of the numbers that have to try the next."""
    bits = (keys.size - 1).bit_length()
    table = np.empty(1 << bits, np.uint32)  # only slots that were written are read
    shift = np.uint64(64 - bits)
    starts = range(0, keys.size, _PIECE)
    for start in starts:
        piece = keys[start : start + _PIECE]
        table[piece >> shift] = np.arange(start, start + piece.size, dtype=np.uint32)
    copies, originals, left = [], [], []
    for start in starts:
        piece = keys[start : start + _PIECE]
        owner = table[piece >> shift].astype(np.intp)
        lost = np.flatnonzero(owner != np.arange(start, start + piece.size))
        is_copy = keys[owner[lost]] == piece[lost]
        copies.append(lost[is_copy] + start)
        originals.append(owner[lost[is_copy]])
        left.append(lost[~is_copy] + start)
    return Matches(np.concatenate(copies), np.concatenate(originals)), np.concatenate(left)


def count_nonmanifold_edges(corners: Iterable[Hashes], facets: int) -> int:
    """Count the edges of a closed mesh that more than two facets share.

    Each edge is looked at from the facets where it runs from the lower to the higher hash. In a closed mesh
    that is one of each pair of facets, so an edge that comes up twice has four facets or more.
    """
    edges = np.empty(2 * facets, np.uint64)  # a facet has one or two such edges
    count = 0
    for tails in corners:
        heads = edge_heads(tails)
        rising = np.flatnonzero(tails < heads)
        np.take((tails + heads).reshape(-1), rising, out=edges[count : count + rising.size])
        count += rising.size
    return find_matches(edges[:count]).values


def count_duplicate_facets(corners: Iterable[Hashes], facets: int) -> int:
    """Count the facets that have the same three corners as another one, in whatever order."""
    wholes = np.empty(facets, np.uint64)
    count = 0
    for a, b, c in corners:
        wholes[count : count + a.size] = a + b + c
        count += a.size
    return find_matches(wholes[:count]).copy.size
