"""The smallest box around parts that were drawn at an angle."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.mesh.solids import Corners, ascii_text, binary, blocks, box, torus
from workflow.mesh import Inspector, MeshPolicy
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.oriented_box import SAMPLE_FACETS, SizeMm, find_oriented_box

SMALL_PRINTER = MeshPolicy(fits_all_mm=(320, 154, 132))
angles = st.floats(0, 2 * math.pi)


def rotation(about: int, radians: float) -> NDArray[np.float64]:
    turn = np.eye(3)
    one, other = (about + 1) % 3, (about + 2) % 3
    turn[one, one] = turn[other, other] = math.cos(radians)
    turn[one, other], turn[other, one] = -math.sin(radians), math.sin(radians)
    return turn


def turned(part: Corners, *degrees: float) -> Corners:
    """Return the part turned about x, y and z, in this order."""
    for axis, each in enumerate(degrees):
        part = (part @ rotation(axis, math.radians(each)).T).astype(np.float32)
    return part


def size(part: Corners) -> SizeMm:
    x, y, z = np.ptp(part.reshape(-1, 3).astype(np.float64), axis=0).tolist()
    return x, y, z


def oriented(part: Corners) -> SizeMm | None:
    return find_oriented_box(lambda: blocks(part), len(part), size(part))


def bracket() -> Corners:
    return np.concatenate((box(300, 80, 10), box(10, 80, 60)))


BAR, PLATE = (400.0, 20.0, 10.0), (200.0, 150.0, 4.0)


@pytest.mark.parametrize(
    ("sides", "degrees"),
    [
        (BAR, (0, 0, 30)), (BAR, (0, 0, 45)), (BAR, (0, 45, 0)), (BAR, (30, 0, 30)), (BAR, (10, 35, 70)),
        (PLATE, (0, 0, 45)), (PLATE, (45, 0, 0)), (PLATE, (20, 30, 40)), ((50.0, 50.0, 50.0), (45, 35.26, 0)),
    ],
)  # fmt: skip
def test_a_box_drawn_at_an_angle_gets_its_own_sides(sides: SizeMm, degrees: tuple[float, ...]) -> None:
    assert oriented(turned(box(*sides), *degrees)) == pytest.approx(sides, abs=0.01)


def test_what_lies_straight_gets_no_other_box() -> None:
    for part in (box(400, 20, 10), bracket(), torus(48, 24)):
        assert oriented(part) is None
    assert find_oriented_box(lambda: iter(()), 0, (0.0, 0.0, 0.0)) is None
    assert find_oriented_box(lambda: blocks(box(0, 0, 0)), 12, (0.0, 0.0, 0.0)) is None
    assert oriented(turned(box(100, 50, 0), 0, 0, 30)) is None, "a sheet: no box has less than no volume"


@settings(max_examples=25, deadline=None)
@given(angles, angles, angles, st.tuples(*[st.floats(2, 400)] * 3))
def test_the_box_is_never_larger_than_the_one_along_the_axes_and_the_same_however_it_lies(
    about_x: float, about_y: float, about_z: float, sides: SizeMm
) -> None:
    for part, least in ((box(*sides), math.prod(sides)), (bracket(), 300 * 80 * 60)):
        lies = turned(part, *map(math.degrees, (about_x, about_y, about_z)))
        found, as_drawn = oriented(lies), math.prod(size(lies))
        volume = as_drawn if found is None else math.prod(found)
        assert least * 0.999 <= volume <= as_drawn * 1.000001
        assert volume <= least * 1.021, "what saves less than 2 % is not said"


def test_no_corner_is_outside_of_the_box_of_a_mesh_that_is_searched_by_a_sample() -> None:
    ring = torus(400, 40, 150, 6)
    assert len(ring) > 6 * SAMPLE_FACETS
    spike = ring[len(ring) // 2 + 3].copy()
    spike[0] += (0, 0, 80)
    ring[len(ring) // 2 + 3] = spike
    found = oriented(turned(ring, 35, 25, 0))
    assert found is not None
    assert found[0] >= 311.9
    assert found[2] >= 85, "the spike is one facet, and not in the sample"


@pytest.mark.parametrize("write", [binary, ascii_text])
def test_the_report_has_it_only_if_the_part_does_not_fit_every_printer_as_drawn(
    tmp_path: Path, write: object
) -> None:
    assert callable(write)
    file, bar = tmp_path / "bar.stl", turned(box(300, 60, 30), 0, 0, 45)
    file.write_bytes(write(bar))
    assert inspect_mesh(file).oriented_mm is None
    assert inspect_mesh(file, policy=SMALL_PRINTER).oriented_mm == pytest.approx((300, 60, 30), abs=0.01)
    file.write_bytes(write(turned(box(100, 60, 30), 0, 0, 45)))
    assert inspect_mesh(file, policy=SMALL_PRINTER).oriented_mm is None


def test_the_inspecting_process_is_told_what_fits_every_printer(tmp_path: Path) -> None:
    file = tmp_path / "bar.stl"
    file.write_bytes(binary(turned(box(300, 60, 30), 0, 0, 45)))
    with Inspector(SMALL_PRINTER) as inspector:
        assert inspector.inspect(file).oriented_mm == pytest.approx((300, 60, 30), abs=0.01)
