"""Whether a mesh is closed, in one pass and constant memory.

A mesh is closed and consistently wound when each directed edge a→b is met by as many b→a. Let h be a
random hash of a corner's coordinates, and F(a, b) = ab(b - a) over 64-bit integers that wrap: F(b, a) is
-F(a, b), so the sum of F over all directed edges of a closed mesh is 0, whatever the order of its facets.
Over one facet the three terms have the closed form of a Vandermonde determinant,

    F(a, b) + F(b, c) + F(c, a) = (b - a)(c - b)(c - a),

so a facet costs five operations. Two kinds of error are possible, both only towards "closed":

- Two different corners have the same hash. Merging corners keeps a closed mesh closed, so a closed mesh
  is never called open. Among n corners some pair collides with a chance of about n² / 2^65: 2^-23 for the
  2.5 million corners of a mesh of 5 million facets, and then the pair must happen to bridge a hole.
- The sum of the edges that are left over is 0 by chance. For a single missing facet that needs the powers
  of two in three differences of random numbers to add up to 64, about 2^-43; for larger holes it is nearer
  to 2^-64.

The keys of the hash are drawn at start-up, so that no file can be made to fit them. After the multiply-add
(Dietzfelbinger et al. 1997, "A reliable randomized algorithm for the closest-pair problem") the bits are
mixed: without that the hash is linear, and two opposite, shifted facets would cancel.

Also here: which of many hashes are equal, found two to four times as fast as by sorting. Each number writes
its index into a table, at a slot chosen by its highest bits; the last to write owns the slot. A number that
finds another owner in its slot is a copy of that owner, or tries the next table together with all its own
copies, because those chose the same slot. `np.unique` is not used in this room: its first call imports
`numpy.ma` (30 ms), and since numpy 2.3 it is slower than sorting.
"""

from collections.abc import Callable, Iterable, Iterator
from secrets import randbits

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.format import BLOCK_FACETS, Block, Hashes

WRAP = 2**64 - 1

_KEYS = np.array([randbits(64) | 1 for _ in range(3)] * 3, np.uint64).reshape(9, 1)
_OFFSET = np.uint64(randbits(64))  # without it the origin would hash to 0, and F(0, b) is 0 for every b
_MIX = np.uint64(0x9FB21C651E98DF25)  # a multiplier with good avalanche, from Pelle Evensen's rrxmrrxmsx


def hash_corners(block: Block, scratch: Hashes) -> Hashes:
    """Return the hashes of all corners, shape (3, n), within `scratch` of shape (9, n)."""
    np.multiply(block.view(np.uint32), _KEYS, out=scratch, dtype=np.uint64)
    corners: Hashes = scratch[0::3]
    spare = scratch[1::3]
    corners += scratch[1::3]
    corners += scratch[2::3]
    corners += _OFFSET
    np.right_shift(corners, np.uint64(32), out=spare)
    corners ^= spare
    corners *= _MIX
    np.right_shift(corners, np.uint64(29), out=spare)
    corners ^= spare
    return corners


def chain_terms(corners: Hashes, scratch: Hashes) -> Hashes:
    """Return (b - a)(c - b)(c - a) of each facet, within `scratch`; 0 where two corners are equal."""
    a, b, c = corners
    terms: Hashes = scratch[1]
    factor = scratch[2]
    np.subtract(b, a, out=terms)
    np.subtract(c, b, out=factor)
    terms *= factor
    np.subtract(c, a, out=factor)
    terms *= factor
    return terms


def edge_heads(tails: Hashes) -> Hashes:
    """Return the corners that the edges from these corners of each facet lead to; both of shape (3, n)."""
    return np.roll(tails, -1, axis=0)


class CornerHashes:
    """CornerHashes of the facets that `blocks` gives again at each call.

    What the first pass adds, of up to `kept_facets`, is kept. The corners of a larger mesh, or one to which
    nothing was added, are worked out again at each call.
    """

    def __init__(self, blocks: Callable[[], Iterable[Block]], kept_facets: int = 0) -> None:
        self.blocks = blocks
        # The memory is taken from the system only as it is filled.
        self._kept = np.empty((3, kept_facets), np.uint64)
        self._count = 0

    def add(self, corners: Hashes) -> None:
        """Add the corners of the next facets, shape (3, n)."""
        end = self._count + corners.shape[1]
        if end <= self._kept.shape[1]:
            self._kept[:, self._count : end] = corners
        self._count = end

    def pieces(self) -> Iterator[Hashes]:
        """Return all, in order, a block of facets at a time, shape (3, n); each piece overwrites the last."""
        if 0 < self._count <= self._kept.shape[1]:
            for start in range(0, self._count, BLOCK_FACETS):
                yield self._kept[:, start : min(start + BLOCK_FACETS, self._count)]
            return
        scratch = np.empty((9, BLOCK_FACETS), np.uint64)
        for block in self.blocks():
            yield hash_corners(block, scratch[:, : block.shape[1]])

    def all_hashes(self, facets: int) -> Hashes:
        """Return the hashes of this many facets at once, shape (3, n); fewer if there are no more."""
        if self._count == facets <= self._kept.shape[1]:
            return self._kept[:, :facets]
        hashes = np.empty((3, facets), np.uint64)
        count = 0
        for piece in self.pieces():
            end = count + piece.shape[1]
            hashes[:, count:end] = piece
            count = end
        return hashes[:, :count]


_FEW = 1024
_PIECE = 1 << 15
"""Short-lived arrays of this length stay in the processor's cache."""
FIBONACCI_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing
"""Odd: numbers that differ still do after multiplying."""
_MAX_TABLE_BITS = 22
_COUNT = np.arange(_PIECE, dtype=np.uint32)


@frozen
class Matches:
    """Places of equal numbers, both of shape (n,): each `copy` equals its `original`, of which there is
    one for each value that comes up more than once."""

    copy: NDArray[np.intp]
    original: NDArray[np.intp]

    @property
    def values(self) -> int:
        """Return how many different values come up more than once."""
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
    least = keys.size.bit_length()
    bits = max(least, min(least + 1, _MAX_TABLE_BITS))
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


def connected_components(tails: NDArray[np.intp], heads: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return each of `count` points the lowest number among the points that it is connected with.

    Hooks each root to a lower root next to it (of several, the one that happens to be written last) and
    halves all paths, so that a few rounds do (after Y. Shiloach and U. Vishkin, "An O(log n) parallel
    connectivity algorithm", 1982).
    """
    lowest = np.arange(count)
    while True:
        tail_roots, head_roots = lowest[tails], lowest[heads]
        apart = np.flatnonzero(tail_roots != head_roots)
        if not apart.size:
            return lowest
        tails, heads = tail_roots[apart], head_roots[apart]
        lowest[np.maximum(tails, heads)] = np.minimum(tails, heads)
        while (lowest != (halved := lowest[lowest])).any():
            lowest = halved
