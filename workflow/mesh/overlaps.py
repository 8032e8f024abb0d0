"""Edges that more than two facets share in a closed mesh, and facets that lie on one another.

Unlike closedness this needs memory for each facet, so it is done up to a limit, and only ever warns.
"""

from collections.abc import Iterable

import numpy as np

from workflow.mesh.blocks import BLOCK_FACETS, Block, Hashes
from workflow.mesh.closedness import directed_edges, hash_corners
from workflow.mesh.repeats import find_matches


class EdgeKeys:
    """One number for each edge of a closed mesh, seen from the facet where it runs from low to high hash.

    A closed mesh has every edge once in each direction per pair of facets, so a number that comes up
    twice is an edge of four or more facets.
    """

    def __init__(self, facets_at_most: int) -> None:
        # A facet has one or two such edges. The memory is taken from the system only as it is filled.
        self._keys = np.empty(2 * facets_at_most, np.uint64)
        self._count = 0
        self._is_full = False

    def add(self, corners: Hashes) -> None:
        """Add the edges of facets whose corners have these hashes, shape (3, n)."""
        for tail, head in directed_edges(corners):
            keys = (tail + head)[tail < head]
            self._is_full = self._is_full or self._count + keys.size > self._keys.size
            if self._is_full:
                return
            self._keys[self._count : self._count + keys.size] = keys
            self._count += keys.size

    def shared_edges(self) -> int | None:
        """Give the number of edges with more than two facets, or None if there were too many to look at."""
        if self._is_full:
            return None
        return find_matches(self._keys[: self._count]).values


def repeated_facets(blocks: Iterable[Block], facets: int) -> int:
    """Count the facets that have the same three corners as another one, in whatever order."""
    keys = np.empty(facets, np.uint64)
    scratch = np.empty((9, BLOCK_FACETS), np.uint64)
    count = 0
    for block in blocks:
        a, b, c = hash_corners(block, scratch[:, : block.shape[1]])
        keys[count : count + a.size] = a + b + c
        count += a.size
    return find_matches(keys[:count]).copy.size
