"""What does not change a mesh does not change its report; and volumes are those of the formulas."""

import math
from dataclasses import asdict
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mesh.effort import ON_FILES
from tests.mesh.solids import Corners, ascii_text, binary, box, merged, scaled, shifted, torus
from workflow.mesh import format as mesh_format
from workflow.mesh.inspection import inspect_mesh

RING = torus(9, 7)
OF_THE_FILE = {"path", "seconds", "sha256", "format"}
MESHES: dict[str, Corners] = {
    "ring": RING,
    "inside out": RING[:, ::-1],
    "holes": np.delete(RING, [3, 4, 50, 99], axis=0),
    "facets turned": np.concatenate((RING[:5, ::-1], RING[5:])),
    "facets twice": merged(RING, RING[10:14]),
    "all twice": merged(RING, RING),
    "equal corners": merged(RING, RING[:2][:, [0, 1, 1]]),
    "two bodies, one turned": merged(RING, shifted(box(), 90, 0, 0)[:, ::-1]),
    "cavity": merged(box(90, 90, 90), shifted(RING, 45, 45, 45)[:, ::-1]),
    "touching": merged(box(), shifted(box(), 20, 20, 0), shifted(box(), 40, 40, 20)),
    "minus zero": np.where(box() == 0, np.float32(-0.0), box()),
}


def report_on(folder: Path, content: bytes) -> dict[str, object]:
    """Return the report, rounded, without what depends on the file alone."""
    (folder / "part.stl").write_bytes(content)
    report = asdict(inspect_mesh(folder / "part.stl"))
    return {
        name: float(f"{value:.9g}") if isinstance(value, float) else value
        for name, value in report.items()
        if name not in OF_THE_FILE
    }


@pytest.mark.parametrize("name", MESHES)
@settings(ON_FILES, max_examples=12)
@given(random=st.randoms(use_true_random=False), block_facets=st.integers(1, 300))
def test_order_rotation_form_and_blocks_change_nothing(
    tmp_path: Path, name: str, random: Random, block_facets: int
) -> None:
    corners = MESHES[name]
    order = random.sample(range(len(corners)), len(corners))
    other = np.stack([np.roll(corners[place], random.randrange(3), axis=0) for place in order])
    expected = report_on(tmp_path, binary(corners))
    assert report_on(tmp_path, ascii_text(other)) == expected
    with patch.object(mesh_format, "BLOCK_FACETS", block_facets):
        assert report_on(tmp_path, binary(other)) == expected


@ON_FILES
@given(missing=st.sets(st.integers(0, 11), min_size=1, max_size=11), bodies=st.integers(0, 3))
def test_random_holes_are_counted_exactly(tmp_path: Path, missing: set[int], bodies: int) -> None:
    """A facet of a box has three edges; two that are missing side by side leave one edge less each."""
    whole = [shifted(box(), 50 * (number + 1), 0, 0) for number in range(bodies)]
    left = np.delete(box(), sorted(missing), axis=0)
    edges: dict[frozenset[tuple[float, ...]], int] = {}
    for facet in left.tolist():
        for start, end in ((0, 1), (1, 2), (2, 0)):
            edge = frozenset((tuple(facet[start]), tuple(facet[end])))
            edges[edge] = edges.get(edge, 0) + 1
    report = report_on(tmp_path, binary(merged(left, *whole)))
    assert report["open_edges"] == sum(count % 2 for count in edges.values())
    assert report["verdict"] != "accept"


def prism(sides: int, radius_mm: float, height_mm: float) -> Corners:
    turn = np.arange(sides) * 2 * np.pi / sides
    rim = np.stack((radius_mm * np.cos(turn), radius_mm * np.sin(turn), np.zeros(sides)), axis=1)
    up = np.array([0, 0, height_mm])
    beside, center = np.roll(rim, -1, axis=0), np.zeros((sides, 3))
    top, beside_top = rim + up, beside + up
    facets = [(center, beside, rim), (center + up, top, beside_top)]
    facets += [(rim, beside, beside_top), (rim, beside_top, top)]
    return np.concatenate([np.stack(facet, axis=1) for facet in facets]).astype(np.float32)


def pyramid(side_mm: float, height_mm: float) -> Corners:
    a, b, c, d = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0))
    tip = (0.5, 0.5, 1)
    unit = [(a, c, b), (a, d, c), (a, b, tip), (b, c, tip), (c, d, tip), (d, a, tip)]
    return scaled(np.array(unit, np.float32), side_mm, side_mm, height_mm)


LENGTHS = st.floats(20, 400, width=32)


@ON_FILES
@given(st.integers(3, 60), LENGTHS, LENGTHS, LENGTHS)
def test_volumes_are_those_of_the_formulas(
    tmp_path: Path, sides: int, radius: float, height: float, side: float
) -> None:
    base = sides / 2 * radius**2 * math.sin(2 * math.pi / sides)
    for corners, volume_mm3 in (
        (prism(sides, radius, height), base * height),
        (pyramid(side, height), side**2 * height / 3),
        (box(side, height, radius), side * height * radius),
    ):
        report = report_on(tmp_path, binary(corners))
        assert report["verdict"] == "accept"
        assert report["unit_doubt"] or not report["warnings"]  # lengths may be even in inches by chance
        assert report["volume_cm3"] == pytest.approx(volume_mm3 / 1000, rel=1e-4)
