import struct
from math import nan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stl import Mesh

from tests.simulator.caller import Point, Triangle, ascii_text, binary, cube_facets
from workflow.resources import resource_folder
from workflow.simulator import stl
from workflow.simulator.models import StlMeasurement
from workflow.simulator.stl import NotStl, measure_stl


def measured(content: bytes) -> StlMeasurement:
    path = Path("part.stl")  # each test has a folder of its own
    path.write_bytes(content)
    return measure_stl(path)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (binary(cube_facets(20)), "binary"),
        (binary(cube_facets(20), header=b"solid but binary facet"), "binary"),
        (binary(cube_facets(20)) + b"appended by a program", "binary"),
        (ascii_text(cube_facets(20)), "ascii"),
        (ascii_text(cube_facets(20), line_end="\r\n"), "ascii"),
        (ascii_text(cube_facets(20)).upper(), "ascii"),
    ],
)
def test_a_cube_of_20_mm_in_every_format(content: bytes, form: str) -> None:
    found = measured(content)
    assert found.format == form
    assert found.triangles == 12
    assert list(found.size_mm) == [20, 20, 20]
    assert found.volume_cm3 == pytest.approx(8)
    assert found.flaw is None


@pytest.mark.parametrize(
    "sample", sorted(resource_folder("samples").glob("*.stl")), ids=lambda path: path.name
)
def test_the_samples_measure_as_numpy_stl_measures_them(sample: Path) -> None:
    mesh = Mesh.from_file(str(sample))
    found = measure_stl(sample)
    assert (found.triangles, found.flaw) == (len(mesh), None)
    assert found.size_mm == pytest.approx(tuple(mesh.max_ - mesh.min_))
    assert found.volume_cm3 * 1000 == pytest.approx(abs(mesh.get_mass_properties()[0]))


def moved(facets: list[Triangle], by: float) -> list[Triangle]:
    def there(corner: Point) -> Point:
        return (corner[0] + by, corner[1] + by, corner[2] + by)

    return [(there(a), there(b), there(c)) for a, b, c in facets]


def test_two_bodies_count_together() -> None:
    found = measured(binary([*cube_facets(10), *moved(cube_facets(10), 30)]))
    assert found.volume_cm3 == pytest.approx(2)
    assert found.size_mm == (40, 40, 40)


def test_inside_out_facets_are_sliced_anyway() -> None:
    found = measured(binary([(c, b, a) for a, b, c in cube_facets(10)]))
    assert found.volume_cm3 == pytest.approx(1)
    assert found.flaw is None


def test_gaps_of_rounding_are_healed() -> None:
    facets = cube_facets(10)
    a, b, (x, y, z) = facets[0]
    assert measured(binary([(a, b, (x, y, z + 1e-4)), *facets[1:]])).flaw is None


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (binary(cube_facets()[1:]), "an open surface"),
        (binary([]), "no facets"),
        (b"solid nothing\nendsolid nothing\n", "no facets"),
        (binary([((nan, 0, 0), (1, 0, 0), (0, 1, 0))]), "coordinates that are not numbers"),
        (binary([((0, 0, 0), (1, 0, 0), (0, 1, 0)), ((0, 0, 0), (0, 1, 0), (1, 0, 0))]), "no volume"),
    ],
)
def test_what_cannot_be_sliced(content: bytes, flaw: str) -> None:
    found = measured(content)
    assert found.flaw == flaw
    assert found.volume_cm3 == 0


NEITHER = "stlFile is not an STL: neither ASCII facets nor as many bytes as its count asks for."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NEITHER),
        (b"<!DOCTYPE html><title>Sign in</title>" + b" " * 200, NEITHER),
        (binary(cube_facets())[:-10], NEITHER),
        (b"x" * 80 + struct.pack("<I", 2**31) + b"y" * 500, NEITHER),
        (
            ascii_text(cube_facets()).replace(b"10", b"ten", 1),
            "stlFile is not an STL: a vertex is not a number.",
        ),
        (
            ascii_text(cube_facets()).rsplit(b"vertex", 1)[0],
            "stlFile is not an STL: it ends within a facet.",
        ),
    ],
)
def test_what_is_not_an_stl(content: bytes, message: str) -> None:
    with pytest.raises(NotStl) as refused:
        measured(content)
    assert str(refused.value) == message


@given(st.integers(8, 400))
def test_no_vertex_is_lost_where_blocks_of_text_meet(block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stl, "TEXT_BYTES_AT_ONCE", block)
        found = measured(ascii_text(cube_facets(20)))
    assert (found.triangles, found.flaw) == (12, None)


def test_blocks_of_facets_count_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stl, "FACETS_AT_ONCE", 5)
    found = measured(binary(cube_facets(20)))
    assert (found.triangles, found.flaw) == (12, None)
    assert found.volume_cm3 == pytest.approx(8)


@given(st.permutations(cube_facets()), st.integers(0, 11))
def test_their_order_does_not_matter_but_a_missing_one_does(facets: list[Triangle], gone: int) -> None:
    assert measured(binary(facets)).flaw is None
    assert measured(binary([*facets[:gone], *facets[gone + 1 :]])).flaw == "an open surface"
