"""Where exactly a mesh is open: looked for only when the one-pass test says that it is not closed.

Two more passes in constant memory. The first adds F(a, b) of each edge (see `closedness`) into one of a
million sums, chosen by the edge whatever its direction: sums of closed edges stay 0. The second keeps
only the edges whose sum is not 0, which are few, and counts those exactly.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import BLOCK_FACETS, Block, Hashes
from workflow.mesh.closedness import directed_edges, hash_corners
from workflow.mesh.edges import Census, Edges, take_census
from workflow.mesh.gaps import Closing, close_gaps
from workflow.mesh.places import Place, places_of

MOST_EDGES = 500_000
"""Beyond this many suspicious edges all counts are "at least"; they take 48 bytes each."""

_MOST_BITS = 20
_LEAST_BITS = 10
_SUMS_PER_FACET = 6
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing


@dataclass(frozen=True, slots=True)
class Holes:
    """What keeps a mesh from being closed.

    `open_edges` have an odd number of facets; of these, `crowded_edges` have three or more.
    `flipped_edges` have an even number of facets that run the same way: one of them is turned around. If
    not `exact`, there are at least that many of each. If `has_repeated_facets`, copies were left out of all
    counts. `closing` is set if the open edges meet within a small distance.
    """

    open_edges: int
    crowded_edges: int = 0
    flipped_edges: int = 0
    has_repeated_facets: bool = False
    exact: bool = True
    closing: Closing | None = None
    places: tuple[Place, ...] = ()


def find_holes(blocks: Callable[[], Iterable[Block]], facets: int, diagonal_mm: float) -> Holes:
    """Find the open edges of a mesh whose facets `blocks` gives anew at each call."""
    bits = (_SUMS_PER_FACET * facets).bit_length()
    sums = np.zeros(1 << min(max(bits, _LEAST_BITS), _MOST_BITS), np.uint64)
    _add_edges(sums, blocks())
    suspicious = _suspicious_edges(blocks(), sums)
    if suspicious is None:
        return _estimate(sums, _edge_parities(blocks(), sums.size))
    census = take_census(suspicious)
    return _in_detail(census, diagonal_mm)


def _in_detail(census: Census, diagonal_mm: float) -> Holes:
    return Holes(
        open_edges=census.open_edges,
        crowded_edges=census.crowded_edges,
        flipped_edges=census.flipped_edges,
        has_repeated_facets=census.has_repeated_facets,
        closing=close_gaps(census.open, diagonal_mm) if census.open_edges else None,
        places=places_of(census.open, diagonal_mm) if census.open_edges else (),
    )


def _estimate(sums: Hashes, parities: Hashes) -> Holes:
    """Give what is there at least: several edges may have fallen into one place."""
    return Holes(
        open_edges=int(np.count_nonzero(parities)),
        flipped_edges=int(np.count_nonzero((sums != 0) & (parities == 0))),
        exact=False,
    )


def _edge_parities(blocks: Iterable[Block], places: int) -> Hashes:
    """Give a number for each place that is 0 if all its edges have an even number of facets.

    Unlike the sums this does not see which way facets face, so it tells turned facets from holes.
    """
    parities = np.zeros(places, np.uint64)
    for _, corners in _hashed(blocks):
        for tail, head in directed_edges(corners):
            np.bitwise_xor.at(parities, _place_of(tail, head, places), tail + head)
    return parities


def _add_edges(sums: Hashes, blocks: Iterable[Block]) -> None:
    for _, corners in _hashed(blocks):
        for tail, head in directed_edges(corners):
            np.add.at(sums, _place_of(tail, head, sums.size), tail * head * (head - tail))


def _suspicious_edges(blocks: Iterable[Block], sums: Hashes) -> Edges | None:
    """Give all edges that fall into a sum other than 0, or None if they are too many."""
    is_open = sums != 0
    found: list[Edges] = []
    count = 0
    for block, corners in _hashed(blocks):
        facets = corners[0] + corners[1] + corners[2]
        for side, (tail, head) in enumerate(directed_edges(corners)):
            here = np.flatnonzero(is_open[_place_of(tail, head, sums.size)])
            start, end = 3 * side, 3 * ((side + 1) % 3)
            count += here.size
            if count > MOST_EDGES:
                return None
            found.append(
                Edges(
                    tail[here],
                    head[here],
                    facets[here],
                    block[start : start + 3, here].T,
                    block[end : end + 3, here].T,
                )
            )
    return Edges.joined(found)


def _hashed(blocks: Iterable[Block]) -> Iterator[tuple[Block, Hashes]]:
    scratch = np.empty((9, BLOCK_FACETS), np.uint64)
    for block in blocks:
        yield block, hash_corners(block, scratch[:, : block.shape[1]])


def _place_of(tail: Hashes, head: Hashes, places: int) -> NDArray[np.intp]:
    """Give the place of an edge among a power of two; it is the same for both directions."""
    unused_bits = np.uint64(65 - places.bit_length())
    return (((tail + head) * _SPREAD) >> unused_bits).astype(np.intp)
