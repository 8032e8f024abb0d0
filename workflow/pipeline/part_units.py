"""The unit and scale that Eiger took an STL for, and which of them a shop accepts. Pure: no network."""

import math
import re
from collections.abc import Sequence

from workflow.eiger import PartSettings
from workflow.errors import SettingsError
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.suggest import nearest_option

SPELLINGS = {
    "mm": ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
    "cm": ("cm", "centimeter", "centimeters", "centimetre", "centimetres"),
    "m": ("m", "meter", "meters", "metre", "metres"),
    "in": ("in", "inch", "inches"),
    "ft": ("ft", "foot", "feet"),
    "um": ("um", "µm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
}
"""What a unit may be called, in any case; the first one is shown. The API has no list of units."""
LENGTHS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4, "ft": 304.8, "um": 0.001}
SAME_SCALE = 1e-6
"""Scales that differ by a smaller relative amount are equal."""
LONGEST_WORD = 40
"""Characters of an unknown unit that are kept for messages."""
_SHORT = {spelling.casefold(): unit for unit, spellings in SPELLINGS.items() for spelling in spellings}
_ENTRY = re.compile(r"(?P<units>.+?)(?:\s+at(?:\s+scale)?\s+(?P<scale>\S+))?")


@frozen
class PartUnits:
    """Unit and scale of a part in Eiger; None where Eiger does not say."""

    units: str | None
    scale: float | None

    def __str__(self) -> str:
        """Return unit and scale in words, such as `in` or `mm at scale 25.4`; "" where nothing is known."""
        if self.scale is None or _same(self.scale, 1):
            return self.units or ""
        return f"{self.units or 'an unknown unit'} at scale {self.scale:.9g}"

    def as_setting(self) -> str | None:
        """Return the entry of the setting `accepted_units` for them; None for what no entry can say."""
        units = self.units or "mm"
        if not units.replace(" ", "").isalnum() or (self.scale is not None and not _is_scale(self.scale)):
            return None
        return str(PartUnits(units, self.scale))

    def to_mm(self) -> float | None:
        """Return how many mm one unit of the file has become; None where the unit is unknown."""
        length = LENGTHS_MM.get(self.units or "mm")
        factor = None if length is None else length * (1 if self.scale is None else self.scale)
        return factor if factor is not None and _is_scale(factor) else None


MM = PartUnits("mm", 1.0)


def units_of(settings: PartSettings | None) -> PartUnits:
    """Return the unit and scale of a part version; an absent or empty key is unknown, and not wrong."""
    if settings is None:
        return PartUnits(None, None)
    return PartUnits(_short(settings.units or "") or None, settings.scale)


def is_accepted(found: PartUnits, accepted: Sequence[PartUnits]) -> bool:
    """True if what Eiger says of unit and scale fits one of the accepted pairs."""
    return any(_fits(found, each) for each in accepted)


def read_accepted_units(text: str) -> tuple[PartUnits, ...]:
    """Read the setting `accepted_units`, such as "mm, in, mm at scale 25.4". Raises SettingsError."""
    entries = tuple(_read_entry(entry.strip()) for entry in text.split(",") if entry.strip())
    if not entries:
        raise SettingsError(f"Setting accepted_units: no unit in {text!r}. Write mm, or remove the line.")
    return entries


def size_in_words(size_mm: Sequence[float], factor: float = 1.0) -> str:
    """Return the three sides times a factor, such as `20.0 × 20.0 × 5.0 mm`."""
    sides = (side * factor for side in size_mm)
    return " × ".join(f"{side:.1f}" if abs(side) >= 1 else f"{side:.3g}" for side in sides) + " mm"


def _fits(found: PartUnits, accepted: PartUnits) -> bool:
    units_fit = found.units is None or found.units == accepted.units
    scales_fit = found.scale is None or _same(found.scale, accepted.scale or 1)
    return units_fit and scales_fit


def _same(scale: float, other: float) -> bool:
    return math.isclose(scale, other, rel_tol=SAME_SCALE)


def _is_scale(number: float) -> bool:
    return math.isfinite(number) and number > 0


def _short(units: str) -> str:
    word = printable_path(units.strip()).casefold()
    return _SHORT.get(word, word[:LONGEST_WORD])


def _read_entry(entry: str) -> PartUnits:
    found = _ENTRY.fullmatch(entry)
    try:
        scale = float((found and found["scale"]) or 1)
    except ValueError:
        scale = 0.0
    if found is None or not _is_scale(scale):
        raise SettingsError(
            f"Setting accepted_units: {entry!r} has no scale above 0. Write it like 'mm at scale 25.4'."
        )
    units = _short(found["units"])
    meant = nearest_option(units, _SHORT, 0.75)
    if units not in SPELLINGS and meant:
        raise SettingsError(f"Setting accepted_units: {units!r} is no unit: did you mean {meant}?")
    return PartUnits(units, scale)
