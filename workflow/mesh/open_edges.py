"""Which edges of a mesh are open: worked out only when the one-pass test says that it is not closed.

Two more passes over all corners, in constant memory. The first adds F(a, b) of each edge (see `watertight`)
into one of a million sums, chosen by the edge whatever its direction: sums of closed edges stay 0. The
second keeps only the edges whose sum is not 0, which are few, and counts those exactly.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.cracks import ClosedCracks, Crack, Location, close_cracks
from workflow.mesh.edges import DirectedEdges, OpenEdgeCount, count_open_edges
from workflow.mesh.holes import Hole, display_decimals, measure_holes
from workflow.mesh.repeats import FIBONACCI_MULTIPLIER
from workflow.mesh.stream import Block, Hashes
from workflow.mesh.watertight import CornerHashes, edge_heads

MAX_CANDIDATE_EDGES = 500_000
"""Beyond this many suspicious edges all counts are "at least"; they take 48 bytes each."""

_MOST_BITS = 20
_LEAST_BITS = 10
_SUMS_PER_FACET = 6


@dataclass(frozen=True, slots=True)
class OpenEdgeSummary:
    """What keeps a mesh from being closed.

    `open_edges` have an odd number of facets. `flipped_edges` have an even number of facets that run the same
    way: one of them is turned around. If not `exact`, there are at least that many of each. If
    `has_repeated_facets`, copies were left out of all counts. `cracks` says what was closed, and `holes` are
    what stays open then, the longest first. `decimals` tell places in this mesh apart.
    """

    open_edges: int
    flipped_edges: int = 0
    has_repeated_facets: bool = False
    exact: bool = True
    cracks: ClosedCracks | None = None
    holes: tuple[Hole, ...] = ()
    decimals: int = 1

    @property
    def is_closed_without_cracks(self) -> bool:
        """True if no edge is open any more once cracks are closed."""
        return self.cracks is not None and not self.holes

    @property
    def all_cracks(self) -> tuple[Crack, ...]:
        """Return the cracks, the longest first."""
        return self.cracks.cracks if self.cracks else ()


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


def summarize_open_edges(corners: CornerHashes, facets: int, size_mm: Location) -> OpenEdgeSummary:
    """Return the open edges, cracks and holes of a mesh of this many facets and this size."""
    sums = _sum_edges(corners, facets)
    census = _count_candidate_edges(corners, sums)
    if census is None:
        return _estimate(sums, _edge_parities(corners.pieces(), sums.size))
    return _exact_summary(census, size_mm)


def find_open_edges(corners: CornerHashes, facets: int) -> DirectedEdges | None:
    """Return each facet's side of the open edges of a mesh of this many facets; None if they are too many."""
    census = _count_candidate_edges(corners, _sum_edges(corners, facets))
    return census.open if census else None


def _sum_edges(corners: CornerHashes, facets: int) -> Hashes:
    bits = (_SUMS_PER_FACET * facets).bit_length()
    sums = np.zeros(1 << min(max(bits, _LEAST_BITS), _MOST_BITS), np.uint64)
    _add_edges(sums, corners.pieces())
    return sums


def _count_candidate_edges(corners: CornerHashes, sums: Hashes) -> OpenEdgeCount | None:
    suspicious = _find_candidate_edges(corners.pieces(), sums)
    return None if suspicious is None else count_open_edges(_add_coordinates(suspicious, corners.blocks()))


def _exact_summary(census: OpenEdgeCount, size_mm: Location) -> OpenEdgeSummary:
    diagonal_mm = math.hypot(*size_mm)
    cracks = close_cracks(census.open, diagonal_mm) if census.open_edges else None
    return OpenEdgeSummary(
        open_edges=census.open_edges,
        flipped_edges=census.flipped_edges,
        has_repeated_facets=census.has_repeated_facets,
        cracks=cracks,
        holes=measure_holes(cracks, size_mm) if cracks else (),
        decimals=display_decimals(diagonal_mm),
    )


def _estimate(sums: Hashes, parities: Hashes) -> OpenEdgeSummary:
    """Return the least that is there: several edges may have fallen into one place."""
    return OpenEdgeSummary(
        open_edges=int(np.count_nonzero(parities)),
        flipped_edges=int(np.count_nonzero((sums != 0) & (parities == 0))),
        exact=False,
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
