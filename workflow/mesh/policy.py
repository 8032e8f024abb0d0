"""What a mesh may have and still be accepted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeshPolicy:
    """The few choices that a shop may make about meshes.

    `open_edges_limit`: a mesh with more open edges is rejected, with fewer it is accepted with a warning.
    `max_bytes`: a larger file is rejected unread.
    `overlap_limit_facets`: edges that more than two facets share are counted up to this many facets;
    the count takes 12 bytes of memory per facet.
    """

    open_edges_limit: int = 0
    max_bytes: int = 4 * 2**30
    overlap_limit_facets: int = 1_000_000
