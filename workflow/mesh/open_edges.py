"""Which edges of a mesh are open: worked out only when the one-pass test says that it is not closed.

Two more passes over all corners, in constant memory. The first adds F(a, b) of each edge (see `watertight`)
into one of a million sums, chosen by the edge whatever its direction: sums of closed edges stay 0. The
second keeps only the edges whose sum is not 0, which are few, and counts those exactly.

Also here: non-manifold edges and repeated facets. Both need memory for each facet, so they are counted up to
a limit.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.format import Block, Hashes
from workflow.mesh.watertight import (
    FIBONACCI_MULTIPLIER,
    CornerHashes,
    edge_heads,
    find_matches,
    representative_indices,
)

_ODD = np.uint64(0xD1342543DE82EF95)  # a multiplier that spreads well, from Steele and Vigna 2021


@frozen
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


@frozen
class OpenEdgeCount:
    """How many edges are not closed.

    `open_edges` have an odd number of facets. `flipped_edges` have an even number of facets that run the same
    way: one of them is turned around. If `has_repeated_facets`, copies were left out of all counts. `open`
    holds each facet's side of the open edges; None if they are too many, and then the counts are "at least".
    """

    open_edges: int
    flipped_edges: int = 0
    has_repeated_facets: bool = False
    open: DirectedEdges | None = None

    @property
    def is_exact(self) -> bool:
        """True unless the counts are "at least"."""
        return self.open is not None


@frozen
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
        """Return where the number of facets is odd."""
        return (self.facets % 2).astype(np.bool_)

    @property
    def flipped_edges(self) -> int:
        """Return the number of edges whose facets pair up but run the same way."""
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


MAX_CANDIDATE_EDGES = 500_000
"""Beyond this many suspicious edges all counts are "at least"; they take 48 bytes each."""

_MOST_BITS = 20
_LEAST_BITS = 10
_SUMS_PER_FACET = 6


class _CandidateEdges(NamedTuple):
    """Edges that may be open: in which facet (in order), from which of its corners on; hashes of both ends
    and of the whole facet. All are of shape (n,)."""

    facet: NDArray[np.intp]
    side: NDArray[np.intp]
    tail: Hashes
    head: Hashes
    whole: Hashes


_NO_PLACES, _NO_HASHES = np.empty(0, np.intp), np.empty(0, np.uint64)
_NO_CANDIDATES = _CandidateEdges(_NO_PLACES, _NO_PLACES, _NO_HASHES, _NO_HASHES, _NO_HASHES)


def find_open_edges(corners: CornerHashes, facets: int) -> OpenEdgeCount:
    """Return the open edges of a mesh of this many facets; only the least number if they are too many."""
    bits = (_SUMS_PER_FACET * facets).bit_length()
    sums = np.zeros(1 << min(max(bits, _LEAST_BITS), _MOST_BITS), np.uint64)
    _add_edges(sums, corners.pieces())
    candidates = _find_candidate_edges(corners.pieces(), sums)
    if candidates is None:
        return _estimate(sums, _edge_parities(corners.pieces(), sums.size))
    return count_open_edges(_add_coordinates(candidates, corners.blocks()))


def _estimate(sums: Hashes, parities: Hashes) -> OpenEdgeCount:
    """Return the least that is there: several edges may have fallen into one place."""
    return OpenEdgeCount(
        open_edges=int(np.count_nonzero(parities)),
        flipped_edges=int(np.count_nonzero((sums != 0) & (parities == 0))),
    )


def _edge_parities(pieces: Iterable[Hashes], places: int) -> Hashes:
    """Return a number for each place that is 0 if all its edges have an even number of facets.

    Unlike the sums it does not depend on which way facets face, so it tells turned facets from holes.
    """
    parities = np.zeros(places, np.uint64)
    for tail in pieces:
        edge = tail + edge_heads(tail)
        np.bitwise_xor.at(parities, _bucket_of(edge, places).reshape(-1), edge.reshape(-1))
    return parities


def _add_edges(sums: Hashes, pieces: Iterable[Hashes]) -> None:
    for tail in pieces:
        head = edge_heads(tail)
        terms = tail * head * (head - tail)
        np.add.at(sums, _bucket_of(tail + head, sums.size).reshape(-1), terms.reshape(-1))


def _find_candidate_edges(pieces: Iterable[Hashes], sums: Hashes) -> _CandidateEdges | None:
    """Return all edges that fall into a sum other than 0, or None if they are too many."""
    is_open = sums != 0
    found = [_NO_CANDIDATES]
    count = done = 0
    for tail in pieces:
        head = edge_heads(tail)
        facet, side = np.nonzero(is_open[_bucket_of(tail + head, sums.size)].T)
        count += facet.size
        if count > MAX_CANDIDATE_EDGES:
            return None
        whole = (tail[0] + tail[1] + tail[2])[facet]
        found.append(_CandidateEdges(facet + done, side, tail[side, facet], head[side, facet], whole))
        done += tail.shape[1]
    return _CandidateEdges(*map(np.concatenate, zip(*found, strict=True)))


def _add_coordinates(edges: _CandidateEdges, blocks: Iterable[Block]) -> DirectedEdges:
    """Return the edges with the coordinates of both ends."""
    tail_mm, head_mm = np.zeros((2, edges.facet.size, 3), np.float32)
    done = 0
    for block in blocks:
        here = slice(*np.searchsorted(edges.facet, (done, done + block.shape[1])))
        corners, facet, side = block.reshape(3, 3, -1), edges.facet[here] - done, edges.side[here]
        tail_mm[here], head_mm[here] = corners[side, :, facet], corners[(side + 1) % 3, :, facet]
        done += block.shape[1]
    return DirectedEdges(edges.tail, edges.head, edges.whole, tail_mm, head_mm)


def _bucket_of(edge: Hashes, places: int) -> NDArray[np.intp]:
    """Return the place of an edge among a power of two, by the sum of its ends: it has no direction."""
    unused_bits = np.uint64(65 - places.bit_length())
    return ((edge * FIBONACCI_MULTIPLIER) >> unused_bits).astype(np.intp)


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
