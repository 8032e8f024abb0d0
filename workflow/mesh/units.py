"""Whether the coordinates are mm: an STL does not say, and nothing is ever scaled in silence."""

from dataclasses import dataclass

LONGEST_PRINTED_MM = 525
"""The longest side of the largest bed that Eiger drives, the FX20's."""

_SHORTEST_LIKELY_MM = 3.0
_LONGEST_LIKELY_MM = 2000.0
_UNITS_MM = {"inch": 25.4, "metre": 1000.0, "micrometre": 0.001}


@dataclass(frozen=True, slots=True)
class UnitGuess:
    """The unit that the size points to (see `MeshReport.unit_guess`), and the doubt in words, if any."""

    unit: str = "mm"
    doubt: str = ""


def guess_unit(longest_mm: float) -> UnitGuess:
    """Judge by the longest side alone: printed parts are between 3 mm and 2 m long."""
    if 0 < longest_mm < _SHORTEST_LIKELY_MM:
        would_be = " or ".join(_length(longest_mm * _UNITS_MM[unit]) for unit in ("inch", "metre"))
        question = f"{longest_mm:.3g} mm long: exported in inches or metres?"
        return UnitGuess(_fitting(longest_mm, "inch", "metre"), f"{question} That would be {would_be}.")
    if longest_mm > _LONGEST_LIKELY_MM:
        would_be = _length(longest_mm * _UNITS_MM["micrometre"])
        question = f"{longest_mm:,.0f} mm long: exported in micrometres?"
        return UnitGuess(_fitting(longest_mm, "micrometre"), f"{question} That would be {would_be}.")
    return UnitGuess()


def _fitting(longest: float, *units: str) -> str:
    """Name the units in which the part would be neither tiny nor longer than any printer."""
    likely = (
        unit for unit in units if _SHORTEST_LIKELY_MM <= longest * _UNITS_MM[unit] <= LONGEST_PRINTED_MM
    )
    return " or ".join(likely) or "unclear"


def _length(length_mm: float) -> str:
    exact = f"{length_mm:.3g}" if length_mm < 1000 else f"{length_mm:,.0f}"
    return f"{exact} mm" + (" (no printer is so long)" if length_mm > LONGEST_PRINTED_MM else "")
