"""Edges that more than two facets share in a closed mesh, and facets that lie on one another.

Unlike closedness this needs memory for each facet, so it is done up to a limit, and only ever warns.
"""

from collections.abc import Iterable

import numpy as np

from workflow.mesh.blocks import Hashes
from workflow.mesh.closedness import heads_of
from workflow.mesh.repeats import find_matches


def shared_edges(corners: Iterable[Hashes], facets: int) -> int:
    """Count the edges of a closed mesh that more than two facets share.

    Each edge is looked at from the facets where it runs from the lower to the higher hash. In a closed mesh
    that is one of each pair of facets, so an edge that comes up twice has four facets or more.
    """
    edges = np.empty(2 * facets, np.uint64)  # a facet has one or two such edges
    count = 0
    for tails in corners:
        heads = heads_of(tails)
        rising = np.flatnonzero(tails < heads)
        np.take((tails + heads).reshape(-1), rising, out=edges[count : count + rising.size])
        count += rising.size
    return find_matches(edges[:count]).values


def repeated_facets(corners: Iterable[Hashes], facets: int) -> int:
    """Count the facets that have the same three corners as another one, in whatever order."""
    wholes = np.empty(facets, np.uint64)
    count = 0
    for a, b, c in corners:
        wholes[count : count + a.size] = a + b + c
        count += a.size
    return find_matches(wholes[:count]).copy.size
