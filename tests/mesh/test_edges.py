"""Edges are counted by their own facets alone, whoever is looked at beside them."""

import numpy as np

from workflow.mesh.open_edges import DirectedEdges, count_open_edges

TAIL, HEAD, FACET, OTHER, THIRD = (3, 11, 101, 102, 103)


def edges(*given: tuple[int, int, int]) -> DirectedEdges:
    """Edges from their tails, heads and facets."""
    tail, head, facet = (np.array(column, np.uint64) << np.uint64(50) for column in zip(*given, strict=True))
    places = np.zeros((len(given), 3), np.float32)
    return DirectedEdges(tail, head, facet, places, places)


def test_an_edge_that_is_met_from_both_sides_alike_is_closed_whatever_lies_on_its_facets() -> None:
    """Such an edge is looked at only by chance, when an open one shares its sum: it must not count then."""
    balanced = edges((TAIL, HEAD, FACET), (TAIL, HEAD, FACET), (HEAD, TAIL, OTHER), (HEAD, TAIL, THIRD))
    census = count_open_edges(balanced)
    assert (census.open_edges, census.flipped_edges, census.has_repeated_facets) == (0, 0, False)


def test_a_copy_that_keeps_an_edge_from_being_met_alike_is_left_out() -> None:
    doubled = edges((TAIL, HEAD, FACET), (TAIL, HEAD, FACET), (HEAD, TAIL, OTHER))
    census = count_open_edges(doubled)
    assert (census.open_edges, census.flipped_edges, census.has_repeated_facets) == (0, 0, True)


def test_an_edge_from_a_corner_to_itself_is_none() -> None:
    census = count_open_edges(edges((TAIL, TAIL, FACET), (TAIL, HEAD, FACET), (HEAD, TAIL, OTHER)))
    assert census.open is not None
    assert (census.open_edges, len(census.open)) == (0, 0)
