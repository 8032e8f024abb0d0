"""Size, volume, walls and header say when the unit is in doubt, and which one it may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.mesh.warnings import UnitDoubt, doubt_unit, named_unit

Size = tuple[float, float, float]


def solid(x: float, y: float, z: float, header: bytes = b"") -> UnitDoubt:
    """Return the doubt about a solid box."""
    return doubt_unit((x, y, z), x * y * z, 2 * (x * y + y * z + z * x), header)


@pytest.mark.parametrize(
    ("size_mm", "reason", "guess"),
    [
        ((2.9, 2, 2), "short", "inch or centimetre"),
        ((0.4, 0.3, 0.3), "short", "inch or metre"),
        ((0.08, 0.05, 0.05), "short", "metre"),
        ((0.001, 0.001, 0.001), "short", "unclear"),
        ((8, 2, 1.8), "little", "inch or centimetre"),
        ((21, 21, 0.29), "thin", "centimetre"),
        ((3.937007874, 1.9685039370, 2.7), "short", "inch or centimetre"),
        ((39.37007874, 19.685039370, 12.713), "inch_grid", "inch"),
        ((80_000, 50, 50), "long", "micrometre"),
        ((2_100, 50, 50), "long", "unclear"),
    ],
)
def test_a_doubtful_size(size_mm: Size, reason: str, guess: str) -> None:
    doubt = solid(*size_mm)
    assert (doubt.reason, doubt.guess) == (reason, guess)


@pytest.mark.parametrize(
    "size_mm", [(0, 0, 0), (6.35, 5.5, 2.4), (20, 20, 1), (80, 70, 12), (525, 20, 20), (2000, 9, 9)]
)
def test_a_likely_size(size_mm: Size) -> None:
    assert solid(*size_mm) == UnitDoubt()


def test_an_open_mesh_is_judged_by_its_length() -> None:
    assert doubt_unit((8, 2, 1), None, 40) == UnitDoubt()
    assert doubt_unit((5, 2, 1), None, 40).reason == "short"


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        (b"exported by x UNITS=in", "inch"),
        (b"STL UNIT: Inches", "inch"),
        (b"units = MM COLOR=\x10", "mm"),
        (b"solid part UNITS=CM", "centimetre"),
        (b"UNITS=M", "metre"),
        (b"UNITS=meters", "metre"),
        (b"units unknown", None),
        (b"UNITS=INTERNAL", None),
    ],
)
def test_a_unit_in_the_header(header: bytes, unit: str | None) -> None:
    assert named_unit(header) == unit


def test_the_header_decides_before_the_size() -> None:
    assert solid(2, 2, 2, b"UNITS=mm") == UnitDoubt()
    named = solid(80, 70, 12, b"UNITS=in")
    assert (named.reason, named.guess) == ("named", "inch")


@given(*[st.floats(0.01, 400)] * 3)
def test_a_smaller_copy_of_a_doubted_solid_is_doubted(x: float, y: float, z: float) -> None:
    if solid(x, y, z).reason in {"short", "little", "thin"}:
        assert solid(x / 2, y / 2, z / 2).reason


def test_the_sizes_in_other_units_are_told() -> None:
    doubt = solid(5.56, 4.25, 0.99)
    assert doubt.sentence((5.56, 4.25, 0.99), None) == (
        "5.56 × 4.25 × 0.99 mm is small for a part. Read in inches 141 × 108 × 25.1 mm, "
        "in centimeters 55.6 × 42.5 × 9.9 mm. Export the part in mm if its size here is wrong."
    )
