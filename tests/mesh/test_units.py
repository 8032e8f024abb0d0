"""The size tells when the unit is in doubt, and which one it may be."""

import pytest

from workflow.mesh.verdict import UnitGuess, guess_unit


@pytest.mark.parametrize(
    ("longest_mm", "unit", "would_be"),
    [
        (2.9, "inch", "73.7 mm or 2,900 mm (no printer is so long)"),
        (0.4, "inch or metre", "10.2 mm or 400 mm"),
        (0.08, "metre", "2.03 mm or 80 mm"),
        (0.001, "unclear", "0.0254 mm or 1 mm"),
        (80_000, "micrometre", "80 mm"),
        (2_100, "unclear", "2.1 mm"),
        (9e5, "unclear", "900 mm (no printer is so long)"),
    ],
)
def test_a_doubtful_size(longest_mm: float, unit: str, would_be: str) -> None:
    guess = guess_unit(longest_mm)
    assert guess.unit == unit
    assert guess.doubt.endswith(f"That would be {would_be}.")


@pytest.mark.parametrize("longest_mm", [0, 3, 80, 525, 2000])
def test_a_likely_size(longest_mm: float) -> None:
    assert guess_unit(longest_mm) == UnitGuess("mm", "")
