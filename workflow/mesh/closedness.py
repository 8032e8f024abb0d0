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
"""

from secrets import randbits

import numpy as np

from workflow.mesh.blocks import Block, Hashes

WRAP = 2**64 - 1

_KEYS = np.array([randbits(64) | 1 for _ in range(3)] * 3, np.uint64).reshape(9, 1)
_OFFSET = np.uint64(randbits(64))  # without it the origin would hash to 0, and F(0, b) is 0 for every b
_MIX = np.uint64(0x9FB21C651E98DF25)  # a multiplier with good avalanche, from Pelle Evensen's rrxmrrxmsx


def hash_corners(block: Block, scratch: Hashes) -> Hashes:
    """Give the hashes of all corners, shape (3, n), within `scratch` of shape (9, n)."""
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
    """Give (b - a)(c - b)(c - a) of each facet, within `scratch`; 0 where two corners are equal."""
    a, b, c = corners
    terms: Hashes = scratch[1]
    factor = scratch[2]
    np.subtract(b, a, out=terms)
    np.subtract(c, b, out=factor)
    terms *= factor
    np.subtract(c, a, out=factor)
    terms *= factor
    return terms


def heads_of(tails: Hashes) -> Hashes:
    """Give the corners that the edges from these corners of each facet lead to; both of shape (3, n)."""
    return np.roll(tails, -1, axis=0)
