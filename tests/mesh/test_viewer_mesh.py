"""What the part viewer is sent: facets, open edges and holes, and fewer facets of a large part."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.mesh.solids import Corners, binary, blocks, box, merged, shifted, torus
from workflow.errors import InspectionFailed
from workflow.mesh import Inspector
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.measures import measure_mesh
from workflow.mesh.vertex_clustering import cluster_vertices
from workflow.mesh.viewer_mesh import encode_viewer_mesh

Floats = NDArray[np.float32]


def decode(content: bytes) -> tuple[list[int], Floats, Floats, dict[str, Any]]:
    counts = np.frombuffer(content, "<u4", 4)
    facets, _, edges, text = map(int, counts)
    numbers = np.frombuffer(content, "<f4", 9 * facets + 6 * edges, 16)
    assert len(content) == 16 + 4 * numbers.size + text
    return (
        [int(count) for count in counts],
        numbers[: 9 * facets].reshape(-1, 3, 3),
        numbers[9 * facets :].reshape(-1, 2, 3),
        json.loads(content[-text:]),
    )


def viewer_mesh(
    corners: Corners, most_facets: int = 500_000
) -> tuple[list[int], Floats, Floats, dict[str, Any]]:
    Path("part.stl").write_bytes(binary(corners))
    report = inspect_mesh(Path("part.stl"))
    return decode(encode_viewer_mesh(Path("part.stl"), report, most_facets))


def test_a_closed_part_has_its_facets_around_the_middle_and_no_edges() -> None:
    counts, facets, edges, text = viewer_mesh(shifted(box(30, 20, 10), 1000, 0, -500))
    assert counts[:3] == [12, 12, 0]
    assert len(edges) == 0
    assert facets.reshape(-1, 3).min(axis=0).tolist() == [-15, -10, -5]
    assert facets.reshape(-1, 3).max(axis=0).tolist() == [15, 10, 5]
    assert text == {"size": [30, 20, 10], "holes": [], "moreHoles": 0, "note": ""}


def test_a_missing_lid_has_its_edges_and_its_place() -> None:
    counts, _, edges, text = viewer_mesh(box(30, 20, 10)[2:])
    assert counts[:3] == [10, 10, 4]
    (hole,) = text["holes"]
    rim = edges.reshape(-1, 3)
    assert (rim.min(axis=0) + rim.max(axis=0)).tolist() == pytest.approx([2 * at for at in hole["center"]])
    assert hole["kind"] == "hole"
    assert hole["text"].startswith("x ")
    assert hole["length"] == pytest.approx(30)


def test_a_large_part_is_sent_with_fewer_facets_that_keep_its_shape() -> None:
    ring = torus(200, 100)
    counts, facets, _, text = viewer_mesh(ring, most_facets=5_000)
    assert counts[1] == 40_000
    assert 1_000 < counts[0] <= 5_000
    assert text["note"] == f"Shown with {counts[0]:,} of 40,000 facets."
    points = facets.reshape(-1, 3)
    size = points.max(axis=0) - points.min(axis=0)
    assert size.tolist() == pytest.approx(text["size"], abs=2)
    first, second = facets[:, 1] - facets[:, 0], facets[:, 2] - facets[:, 0]
    area = float(np.linalg.norm(np.cross(first, second), axis=1).sum() / 2)
    assert area == pytest.approx(measure_mesh(blocks(ring)).area_mm2, rel=0.1)


def test_a_crowd_of_facets_in_one_place_stays_within_the_limit() -> None:
    """The grid by area is too fine here: the area is given too small, and most facets lie close together."""
    dense = merged(box(200, 200, 200), shifted(torus(150, 100, 3, 1), 500, 0, 0))
    measures = measure_mesh(blocks(dense))
    low, high = measures.low_mm, measures.high_mm
    block = cluster_vertices(lambda: blocks(dense), low, high, measures.area_mm2 / 10_000, 2_000)
    assert 0 < block.shape[1] <= 2_000


def test_the_inspecting_process_writes_it(tmp_path: Path) -> None:
    source, target = tmp_path / "part.stl", tmp_path / "17.mesh"
    source.write_bytes(binary(box(30, 20, 10)[2:]))
    with Inspector() as inspector:
        assert inspector.write_viewer_mesh(source, target).open_edges == 4
        assert decode(target.read_bytes())[0][:3] == [10, 10, 4]
        source.write_bytes(b"%PDF-1.7")
        with pytest.raises(InspectionFailed, match="PDF"):
            inspector.write_viewer_mesh(source, target)
