"""Size, area, volume and closedness, against solids whose values are known and against numpy-stl."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stl import Mesh

from tests.mesh.solids import Corners, binary, blocks, box, merged, shifted, torus
from workflow.mesh.format import BLOCK_FACETS
from workflow.mesh.holes import summarize_open_edges
from workflow.mesh.measures import Measures, measure_mesh
from workflow.mesh.open_edges import OpenEdgeCount, find_open_edges
from workflow.mesh.watertight import CornerHashes

SIDES = st.floats(0.5, 500, width=32)


def measured(corners: Corners, size: int = BLOCK_FACETS) -> Measures:
    return measure_mesh(blocks(corners, size))


def holes(corners: Corners) -> OpenEdgeCount:
    return find_open_edges(CornerHashes(lambda: blocks(corners)), len(corners))


@given(SIDES, SIDES, SIDES)
def test_a_box(x: float, y: float, z: float) -> None:
    measures = measured(box(x, y, z))
    assert measures.closed
    assert measures.size_mm == pytest.approx((x, y, z), rel=1e-6)
    assert measures.volume_mm3 == pytest.approx(x * y * z, rel=1e-6)
    assert measures.area_mm2 == pytest.approx(2 * (x * y + y * z + z * x), rel=1e-6)


def test_a_ring_comes_near_the_formula() -> None:
    measures = measured(torus(200, 200))
    assert measures.closed
    assert measures.volume_mm3 == pytest.approx(2 * np.pi**2 * 30 * 10**2, rel=1e-3)
    assert measures.area_mm2 == pytest.approx(4 * np.pi**2 * 30 * 10, rel=1e-3)


def test_agrees_with_numpy_stl() -> None:
    corners = torus(20, 12)
    mesh = Mesh(np.frombuffer(binary(corners), Mesh.dtype, offset=84).copy())
    volume, _, _ = mesh.get_mass_properties()
    assert mesh.is_closed(exact=True)
    assert measured(corners).volume_mm3 == pytest.approx(float(volume), rel=1e-5)
    assert measured(corners).area_mm2 == pytest.approx(float(mesh.areas.sum()), rel=1e-5)


def test_far_from_the_origin_the_volume_keeps_its_digits() -> None:
    assert measured(shifted(box(), 900_000, 0, -900_000)).volume_mm3 == pytest.approx(8000, rel=1e-9)


@given(st.randoms(use_true_random=False), st.integers(1, 500))
def test_order_rotation_and_block_size_change_nothing(random: Random, size: int) -> None:
    corners = torus(9, 7)
    order = list(range(len(corners)))
    random.shuffle(order)
    turned = np.stack([np.roll(corners[place], random.randrange(3), axis=0) for place in order])
    plain, other = measured(corners), measured(turned, size)
    assert other.closed
    assert other.size_mm == plain.size_mm
    assert other.volume_mm3 == pytest.approx(plain.volume_mm3, rel=1e-12)
    assert other.area_mm2 == pytest.approx(plain.area_mm2, rel=1e-12)


@given(st.sets(st.integers(0, 125), min_size=1))
def test_random_holes_are_counted_exactly(missing: set[int]) -> None:
    corners = torus(9, 7)
    left = np.delete(corners, sorted(missing), axis=0)
    assert not measured(left).closed
    found = holes(left)
    assert found.open_edges == _odd_edges(left)
    assert (found.is_exact, found.flipped_edges) == (True, 0)


@given(st.sets(st.integers(0, 125), min_size=1, max_size=125))
def test_turned_facets_are_no_holes(turned: set[int]) -> None:
    corners = torus(9, 7)
    corners[sorted(turned)] = corners[sorted(turned), ::-1]
    assert not measured(corners).closed
    found = holes(corners)
    assert (found.open_edges, found.flipped_edges) == (0, _flipped_edges(corners))


@given(st.sets(st.integers(0, 125), min_size=1))
def test_doubled_facets_are_no_holes(doubled: set[int]) -> None:
    corners = torus(9, 7)
    found = holes(merged(corners, corners[sorted(doubled)]))
    assert (found.open_edges, found.flipped_edges, found.has_repeated_facets) == (0, 0, True)


def test_one_hole_among_many_facets_has_its_place() -> None:
    corners = torus(300, 200)
    left = np.delete(corners, 777, axis=0)
    found = summarize_open_edges(CornerHashes(lambda: blocks(left)), len(left), (57.7, 57.7, 57.7))
    assert found.count.open_edges == 3
    assert np.allclose(found.holes[0].center_mm, _middle(corners[777]), atol=1e-4)


def test_a_soup_gets_a_lower_bound() -> None:
    soup = np.random.default_rng(3).uniform(-100, 100, (180_000, 3, 3)).astype(np.float32)
    found = holes(soup)
    assert not found.is_exact
    assert 300_000 < found.open_edges <= 540_000


def test_turned_facets_without_number_are_no_holes() -> None:
    corners = torus(700, 400)
    turned = np.random.default_rng(4).random(len(corners)) < 0.5
    corners[turned] = corners[turned, ::-1]
    found = holes(corners)
    assert (found.open_edges, found.is_exact) == (0, False)
    assert 250_000 < found.flipped_edges <= 420_000


def _middle(facet: Corners) -> Corners:
    return np.array((facet.min(axis=0) + facet.max(axis=0)) / 2, np.float32)


def _edges(corners: Corners) -> dict[frozenset[bytes], list[tuple[bytes, bytes]]]:
    """Count edges the plain way."""
    edges: dict[frozenset[bytes], list[tuple[bytes, bytes]]] = {}
    for facet in corners:
        ends = [corner.tobytes() for corner in facet]
        for tail, head in zip(ends, ends[1:] + ends[:1], strict=True):
            edges.setdefault(frozenset((tail, head)), []).append((tail, head))
    return edges


def _odd_edges(corners: Corners) -> int:
    return sum(len(sides) % 2 for sides in _edges(corners).values())


def _flipped_edges(corners: Corners) -> int:
    return sum(len(sides) == 2 and sides[0] == sides[1] for sides in _edges(corners).values())
