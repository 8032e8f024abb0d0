"""Which of many 64-bit hashes are equal, two to four times as fast as by sorting them.

Each number writes its index into a table, at a slot chosen by its highest bits; the last to write owns the
slot. A number that finds another owner in its slot is a copy of that owner, or tries the next table together
with all its own copies, because those chose the same slot.

Also here: non-manifold edges of a closed mesh, and repeated facets. Both need memory for each facet, so they
are counted up to a limit.

`np.unique` is not used in this room: its first call imports `numpy.ma` (30 ms), and since numpy 2.3 it is
slower than sorting.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.stream import Hashes

_FEW = 1024
_PIECE = 1 << 15
"""Short-lived arrays of this length stay in the processor's cache."""
FIBONACCI_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing
"""Odd: numbers that differ still do after multiplying."""
_MAX_TABLE_BITS = 22
_COUNT = np.arange(_PIECE, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Matches:
    """Places of equal numbers, both of shape (n,): each `copy` equals its `original`, of which there is
    one for each value that comes up more than once."""

    copy: NDArray[np.intp]
    original: NDArray[np.intp]

    @property
    def values(self) -> int:
        """How many different values come up more than once."""
        ranked = np.sort(self.original)
        return int(np.count_nonzero(ranked[1:] != ranked[:-1])) + bool(ranked.size)


def representative_indices(keys: Hashes) -> NDArray[np.intp]:
    """Return each number the place of one that equals it: the same for all that are equal."""
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
    """Return all matches of a few numbers."""
    order = keys.argsort()
    ranked = keys[order]
    is_copy = np.zeros(keys.size, np.bool_)
    np.equal(ranked[1:], ranked[:-1], out=is_copy[1:])
    first = order[~is_copy]
    return Matches(order[is_copy], first[np.cumsum(~is_copy)[is_copy] - 1])


def _match_by_table(keys: Hashes) -> tuple[Matches, NDArray[np.intp]]:
    """Return the matches of one table, and the indices of the numbers that have to try the next.

    The table has two slots for each number, up to a size that stays in the processor's cache: fewer numbers
    then have to try again.
    """
    bits = max((keys.size - 1).bit_length(), min((2 * keys.size - 1).bit_length(), _MAX_TABLE_BITS))
    table = np.empty(1 << bits, np.uint32)  # only slots that were written are read
    owners = np.empty(_PIECE, np.uint32)
    starts = range(0, keys.size, _PIECE)
    for start in starts:
        piece = keys[start : start + _PIECE]
        table[_slots(piece, bits)] = _COUNT[: piece.size] + np.uint32(start)
    copies, originals, left = [], [], []
    for start in starts:
        piece = keys[start : start + _PIECE]
        owner = owners[: piece.size]
        table.take(_slots(piece, bits), out=owner, mode="clip")
        lost = np.flatnonzero(owner != _COUNT[: piece.size] + np.uint32(start))
        other = owner[lost].astype(np.intp)
        is_copy = keys[other] == piece[lost]
        copies.append(lost[is_copy] + start)
        originals.append(other[is_copy])
        left.append(lost[~is_copy] + start)
    return Matches(np.concatenate(copies), np.concatenate(originals)), np.concatenate(left)


def _slots(keys: Hashes, bits: int) -> NDArray[np.int64]:
    """Return the highest bits of each number; signed, because numpy casts every other index."""
    return (keys >> np.uint64(64 - bits)).view(np.int64)


def count_nonmanifold_edges(corners: Iterable[Hashes], facets: int) -> int:
    """Return the number of edges of a closed mesh that more than two facets share.

    Only the facets are used in which an edge runs from the lower to the higher hash. In a closed mesh that is
    one of each pair of facets, so an edge that comes up twice has four facets or more.
    """
    edges = np.empty(2 * facets, np.uint64)  # a facet has one or two such edges
    count = 0
    for a, b, c in corners:
        for tail, head in ((a, b), (b, c), (c, a)):
            rising = np.flatnonzero(tail < head)
            end = count + rising.size
            np.take(tail + head, rising, out=edges[count:end], mode="clip")  # the mode spares a copy
            count = end
    return find_matches(edges[:count]).values


def count_duplicate_facets(corners: Iterable[Hashes], facets: int) -> int:
    """Count the facets that have the same three corners as another one, in whatever order."""
    wholes = np.empty(facets, np.uint64)
    count = 0
    for a, b, c in corners:
        wholes[count : count + a.size] = a + b + c
        count += a.size
    return find_matches(wholes[:count]).copy.size
