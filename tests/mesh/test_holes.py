"""Holes have a length, a width and a place; a missing side never passes, whatever the limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.solids import Corners, blocks, box, circle, merged, plate, quad, rotated, shifted, torus
from workflow.mesh.holes import Hole, HoleKind, summarize_open_edges
from workflow.mesh.measures import measure_mesh
from workflow.mesh.watertight import CornerHashes


def holes(corners: Corners) -> tuple[Hole, ...]:
    size_mm = measure_mesh(blocks(corners)).size_mm
    hashes = CornerHashes(lambda: blocks(corners))
    return summarize_open_edges(hashes, len(corners), size_mm, with_shells=True).holes


def rectangle(length_mm: float, width_mm: float) -> list[tuple[float, float]]:
    x, y = length_mm / 2, width_mm / 2
    return [(x, y), (0.0, y), (-x, y), (-x, 0.0), (-x, -y), (0.0, -y), (x, -y), (x, 0.0)]


@pytest.mark.parametrize("diameter_mm", [0.5, 3.0, 60.0])
def test_a_round_hole_has_its_diameter(diameter_mm: float) -> None:
    (hole,) = holes(plate(circle(diameter_mm)))
    assert hole.length_mm == pytest.approx(diameter_mm, rel=0.02)
    assert hole.width_mm == pytest.approx(diameter_mm, rel=0.02)
    assert hole.center_mm == pytest.approx((0, 0, 5), abs=1e-4)
    assert (hole.kind, hole.edges) == (HoleKind.HOLE, 64)
    assert hole.share == pytest.approx(diameter_mm**2 / 200**2, rel=0.05)


@given(st.floats(5, 100), st.floats(1, 4), st.integers(0, 2**32))
def test_a_slot_keeps_its_sides_however_it_is_rotated(length: float, width: float, seed: int) -> None:
    (hole,) = holes(rotated(plate(rectangle(length, width)), seed))
    assert hole.length_mm == pytest.approx(length, rel=0.01)
    assert hole.width_mm == pytest.approx(width, rel=0.01)


def test_a_triangle_along_the_axes_is_measured_along_the_axes() -> None:
    (hole,) = holes(box()[1:])
    assert (hole.length_mm, hole.width_mm) == pytest.approx((20, 20))
    assert str(hole) == "x 10.0 y 10.0 z 0.0 mm"


def test_the_longest_hole_comes_first() -> None:
    small, large = plate(circle(2)), shifted(plate(circle(9)), 300, 0, 0)
    found = holes(merged(small, large))
    assert [round(hole.length_mm) for hole in found] == [9, 2]


def test_a_tube_with_an_open_end_lacks_a_side() -> None:
    ring = torus(40, 4)
    found = holes(ring[np.abs(ring[..., 2].mean(axis=1)) > 5])
    assert found
    (end,) = holes(box(20, 20, 60)[2:])
    assert end.is_missing_side


@pytest.mark.parametrize("missing", [[0, 1], [2, 3], [4, 5]])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_missing_lid_is_reported_as_such(missing: list[int], seed: int) -> None:
    corners = np.delete(box(60, 40, 25), missing, axis=0)
    (hole,) = holes(rotated(corners, seed) if seed else corners)
    assert hole.is_missing_side
    assert hole.edges == 4


def test_walls_and_fins_are_no_holes() -> None:
    wall = merged(box(), shifted(box(), 20, 0, 0)[:10])
    assert [hole.kind for hole in holes(wall)] == [HoleKind.WALL_INSIDE]
    fin = np.array([[(0, 0, 20), (20, 0, 20), (10, 0, 30)]], np.float32)
    assert [hole.kind for hole in holes(merged(box(), fin))] == [HoleKind.FIN]


SHEET = quad((5, 5, 10), (15, 5, 10), (15, 15, 10), (5, 15, 10))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("surface", "kind"),
    [
        (SHEET, HoleKind.LOOSE),
        (SHEET[:, :, [2, 0, 1]], HoleKind.LOOSE),
        (shifted(SHEET, 40, 0, 0), HoleKind.LOOSE),
        (shifted(box(6, 6, 6)[2:], 7, 7, 7), HoleKind.LOOSE),
        (shifted(box()[2:], 40, 0, 0), HoleKind.HOLE),
    ],
    ids=["inside", "upright", "beside", "cup inside", "box without its lid"],
)
def test_a_loose_surface_is_no_hole(surface: Corners, kind: HoleKind, seed: int) -> None:
    corners = merged(box(), surface)
    (found,) = holes(rotated(corners, seed) if seed else corners)
    assert found.kind is kind


def test_where_no_body_is_closed_a_surface_is_open() -> None:
    assert {hole.kind for hole in holes(merged(box()[2:], shifted(SHEET, 0, 0, 5)))} == {HoleKind.HOLE}
