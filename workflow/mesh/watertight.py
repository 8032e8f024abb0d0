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

The hashes of all corners of a mesh, for those who need each of them and not only their sum.
"""

from collections.abc import Callable, Iterable, Iterator
from secrets import randbits

import numpy as np

from workflow.mesh.stream import BLOCK_FACETS, Block, Hashes

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
        """Return those of so many facets at once, shape (3, n); of fewer if there are no more."""
        if self._count == facets <= self._kept.shape[1]:
            return self._kept[:, :facets]
        hashes = np.empty((3, facets), np.uint64)
        count = 0
        for piece in self.pieces():
            end = count + piece.shape[1]
            hashes[:, count:end] = piece
            count = end
        return hashes[:, :count]
