"""Bodies are told apart, and cavities from bodies that are inside out."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.solids import (
    Corners,
    back_to_back,
    binary,
    blocks,
    box,
    merged,
    quad,
    rotated,
    shifted,
    torus,
    tray_with_bar,
)
from workflow.mesh import MeshPolicy
from workflow.mesh import shells as shells_module
from workflow.mesh.components import ShellExtents
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.measures import measure_mesh
from workflow.mesh.shells import Shells, find_shells
from workflow.mesh.warnings import MeshWarningKind
from workflow.mesh.watertight import CornerHashes
from workflow.model import MeshReport

CAVITY = shifted(box(5, 5, 5), 5, 5, 5)[:, ::-1]
TURNED = shifted(box(), 50, 0, 0)[:, ::-1]


def shells(corners: Corners, size: int = 8192) -> Shells:
    volume_mm3 = measure_mesh(blocks(corners)).volume_mm3
    hashes = CornerHashes(lambda: blocks(corners, size))
    return find_shells(hashes, len(corners), volume_mm3, may_have_walls=True)


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (box(), Shells(1, False, 8000)),
        (box()[:, ::-1], Shells(1, True, 8000)),
        (merged(box(), shifted(box(), 50, 0, 0)), Shells(2, False, 16000)),
        (merged(box(), shifted(box(), 20, 20, 20)), Shells(1, False, 16000)),
        (merged(box(), CAVITY), Shells(2, False, 7875, cavities=1)),
        (merged(box(), CAVITY)[:, ::-1], Shells(2, True, 7875, cavities=1)),
        (merged(box(), shifted(box(5, 5, 5), 5, 5, 5)), Shells(2, False, 8125)),
        (merged(box(), TURNED), Shells(2, False, 16000, turned=1)),
        (merged(box(), CAVITY, TURNED), Shells(3, False, 15875, cavities=1, turned=1)),
    ],
    ids=["one", "inside out", "two", "touching", "cavity", "cavity, inside out", "nested", "turned", "all"],
)
def test_shells(corners: Corners, expected: Shells) -> None:
    found = shells(corners)
    assert found.volume_mm3 == pytest.approx(expected.volume_mm3, rel=1e-9)
    assert (found.count, found.is_inside_out) == (expected.count, expected.is_inside_out)
    assert (found.cavities, found.turned) == (expected.cavities, expected.turned)


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 500))
def test_any_number_of_bodies_in_any_order(random: Random, bodies: int, size: int) -> None:
    corners = merged(*(shifted(torus(9, 7), 0, 0, 30 * number) for number in range(bodies)))
    order = list(range(len(corners)))
    random.shuffle(order)
    assert shells(corners, size).count == bodies
    found = shells(corners[order], size)
    assert found.count == bodies
    assert found.volume_mm3 == pytest.approx(bodies * shells(torus(9, 7)).volume_mm3, rel=1e-6)


def test_thousands_of_bodies() -> None:
    places = np.arange(5000, dtype=np.float32)[:, None, None, None] * 30
    corners = (box()[None] + places * np.array([1, 0, 0], np.float32)).reshape(-1, 3, 3)
    assert shells(corners[np.random.default_rng(1).permutation(len(corners))]).count == 5000


HOLLOW = merged(box(), shifted(box(12, 12, 12), 4, 4, 4)[:, ::-1])
INNER = shifted(box(5, 5, 5), 7, 7, 7)
RING = torus(60, 30)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("corners", "cavities", "turned"),
    [
        (merged(HOLLOW, INNER), 1, 0),
        (merged(HOLLOW, INNER, shifted(box(1, 1, 1), 9, 9, 9)[:, ::-1]), 2, 0),
        (merged(HOLLOW, INNER[:, ::-1]), 1, 1),
        (merged(RING, box(4, 4, 4)[:, ::-1]), 0, 1),
        (merged(RING, shifted(box(4, 4, 4), 28, -2, -2)[:, ::-1]), 1, 0),
        (tray_with_bar(bar_inward=True), 0, 1),
        (tray_with_bar(bar_inward=False), 0, 0),
    ],
    ids=[
        "body in a cavity", "cavity in that", "turned body in a cavity", "turned body in a ring's hole",
        "cavity in a ring", "turned bar in a tray", "bar in a tray",
    ],
)  # fmt: skip
def test_a_cavity_lies_in_material_and_a_turned_body_in_the_air(
    corners: Corners, cavities: int, turned: int, seed: int
) -> None:
    corners = rotated(corners, seed) if seed else corners
    for facing_out in (corners, np.ascontiguousarray(corners[:, ::-1])):
        found = shells(facing_out)
        assert (found.cavities, found.turned) == (cavities, turned)


UPRIGHT = ((0, 0, 20), (20, 0, 20), (20, 0, 40), (0, 0, 40))
OTHER_DIAGONAL = merged(quad(*UPRIGHT), quad(*UPRIGHT[1:], UPRIGHT[0])[:, ::-1])
SHEET = ((5, 5, 10), (15, 5, 10), (15, 15, 10), (5, 15, 10))
WIDE = box(40, 40, 40)
CELLAR = merged(WIDE, shifted(box(30, 30, 30), 5, 5, 5)[:, ::-1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("corners", "walls", "area_mm2"),
    [
        (merged(box(), back_to_back(*UPRIGHT)), 1, 400),
        (merged(box(), shifted(back_to_back(*UPRIGHT), 40, 0, 0)), 1, 400),
        (merged(box(), shifted(OTHER_DIAGONAL, 40, 0, 0)), 1, 400),
        (merged(CELLAR, shifted(back_to_back(*SHEET), 10, 10, 0)), 1, 100),
        (merged(WIDE, *(shifted(back_to_back(*SHEET), 40, 0, z) for z in (0, 10))), 2, 200),
        (merged(WIDE, shifted(back_to_back(*SHEET), 3, 4, 0)), 0, 0),
        (merged(box(), shifted(box(), 20, 0, 0)), 0, 0),
        (merged(box(), box()), 0, 0),
    ],
    ids=[
        "on an edge", "beside", "other diagonal", "in a cavity", "two", "in the material",
        "where bodies touch", "a body twice",
    ],
)  # fmt: skip
def test_a_wall_without_thickness_sticks_out(
    corners: Corners, walls: int, area_mm2: float, seed: int
) -> None:
    found = shells(rotated(corners, seed) if seed else corners).walls
    assert (found.count if found else 0) == walls
    assert (found.area_mm2 if found else 0) == pytest.approx(area_mm2, rel=1e-4)


def test_many_cavities_are_told_by_their_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shells_module, "MAX_LINE_TESTS", 10)
    found = shells(merged(HOLLOW, INNER[:, ::-1]))
    assert (found.cavities, found.turned) == (2, 0)


def test_a_part_of_several_bodies_says_so(tmp_path: Path) -> None:
    report = report_on(tmp_path, merged(box(), CAVITY, shifted(box(), 50, 0, 0)))
    assert (report.bodies, report.shells, report.warnings) == (2, 3, ())


@pytest.mark.parametrize(("thick_mm", "is_told"), [(0.05, True), (0.0999, True), (0.11, False)])
def test_a_part_thinner_than_a_layer_is_told(tmp_path: Path, thick_mm: float, is_told: bool) -> None:
    told = (
        f"Walls of {thick_mm:.2g} mm on average are thinner than a layer: they may not be printed. "
        "Make them thicker in CAD.",
    )
    report = report_on(tmp_path, box(100, 100, thick_mm))
    assert report.verdict == "accept"
    assert report.warnings == (told if is_told else ())
    held = report_on(
        tmp_path, box(100, 100, thick_mm), MeshPolicy(held=frozenset({MeshWarningKind.FLAT_WALLS}))
    )
    assert held.defects == (told if is_told else ())


def report_on(tmp_path: Path, corners: Corners, policy: MeshPolicy | None = None) -> MeshReport:
    (tmp_path / "part.stl").write_bytes(binary(corners))
    return inspect_mesh(tmp_path / "part.stl", policy=policy or MeshPolicy())


def test_opposite_bodies_have_a_volume_all_the_same(tmp_path: Path) -> None:
    for policy in (MeshPolicy(), MeshPolicy(count_limit_facets=0)):
        report = report_on(tmp_path, merged(box(), TURNED), policy)
        assert (report.verdict, report.shells, report.turned_shells) == ("accept", 2, 1)
        assert report.volume_cm3 == pytest.approx(16)
        assert report.warnings == (
            "1 of 2 bodies is inside out: a slicer may leave it out. Flip its normals in CAD.",
        )
        assert report.oddities == ("inside_out",)


def test_the_report_tells_the_shells(tmp_path: Path) -> None:
    report = report_on(tmp_path, merged(box(), CAVITY))
    assert (report.shells, report.cavities, report.turned_shells) == (2, 1, 0)
    assert report.volume_cm3 == pytest.approx(7.875)
    assert report.warnings == ()


def test_shells_are_not_counted_beyond_the_limit_or_with_holes(tmp_path: Path) -> None:
    assert report_on(tmp_path, torus(9, 7), MeshPolicy(count_limit_facets=125)).shells is None
    assert report_on(tmp_path, torus(9, 7)[1:]).shells is None


@pytest.mark.parametrize("inward", [3, 200])
def test_boxes_are_compared_alike_whichever_are_the_fewer(inward: int) -> None:
    """A loop over the fewer of both: a million shells of which one faces inwards took minutes."""
    chance = np.random.default_rng(inward)
    low = chance.random((3, 203))
    extents = ShellExtents(low, low + chance.random((3, 203)), np.ones(203))
    inner = np.arange(203) < inward
    found = shells_module._find_enclosed_shells(inner, extents)
    wanted = [
        any(
            (extents.low[:, each] >= extents.low[:, other]).all()
            and (extents.high[:, each] <= extents.high[:, other]).all()
            for other in np.flatnonzero(~inner)
        )
        for each in np.flatnonzero(inner)
    ]
    assert found is not None
    assert found[inner].tolist() == wanted
    assert not found[~inner].any()
    assert any(wanted) or inward == 3
