"""What a mesh may have and still be printed: named oddities, a shop's policy, and the doubt about the unit.

An STL does not name its unit, and nothing is ever scaled in silence. The limits were chosen by measuring
(`python -m tests.bench.unit_doubt`): of 1,144 closed parts of known size (3 to 525 mm), 9 are doubted for no
reason (0.8 %). Of the same parts exported in inches 85 % are doubted, in centimeters 49 %, in meters all.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from workflow.errors import SettingsError
from workflow.frozen import frozen
from workflow.model import MM_PER_INCH
from workflow.suggest import nearest_option

_DECISIVE_COUNT_LIMIT_FACETS = 1_000_000


class MeshWarningKind(StrEnum):
    """Names of the warnings, for settings, rules and scripts."""

    TRAILING_BYTES = "trailing_bytes"
    """Bytes after the last facet of a binary file."""
    TRAILING_TEXT = "trailing_text"
    """Text, or NULs, after the end of an ASCII file."""
    BYTE_ORDER_MARK = "byte_order_mark"
    """Three bytes before an ASCII file that only text editors write."""
    NO_NORMAL = "no_normal"
    """ASCII facets without a normal."""
    SMALL_HOLES = "small_holes"
    """Holes no larger than the limit."""
    CRACKS = "cracks"
    """Cracks up to 1 mm long that the check closes."""
    GAPS = "gaps"
    """Open edges that meet within less than a printer sees."""
    FLIPPED_EDGES = "flipped_edges"
    """Neighboring facets that face different ways."""
    INSIDE_OUT = "inside_out"
    """A body whose facets all face inwards."""
    FLAT_WALLS = "flat_walls"
    """Walls without thickness, or thinner than a layer, which no printer prints."""
    CRUMBS = "crumbs"
    """Bodies that are hardly visible, beside a real one."""
    SHARED_EDGES = "shared_edges"
    """Edges with four facets or more."""
    REPEATED_FACETS = "repeated_facets"
    """Facets that lie on one another."""
    DEGENERATE_FACETS = "degenerate_facets"
    """Facets with two equal corners."""
    UNIT = "unit"
    """A size that looks like another unit than mm."""


class MeshWarning(NamedTuple):
    """One oddity that was met, and what there is to say about it."""

    oddity: MeshWarningKind
    words: str


@frozen
class MeshPolicy:
    """The choices that a shop can make about meshes.

    `open_edges_limit`: a mesh with more open edges is held, with fewer it is accepted with a warning.
    `largest_hole_mm`: a hole up to this length passes with a warning, unless a side is missing.
    `held`: oddities that hold the mesh instead of being warned of.
    `max_bytes`: a larger file is rejected unread.
    `count_limit_facets`: shells, cavities, non-manifold edges and repeated facets are counted up to this
    many facets, at 100 bytes each.
    `fits_all_mm`: the longest, the middle and the shortest side that fit every printer; a box at an angle is
    looked for around a part that has a longer one. None: around no part.
    """

    open_edges_limit: int = 0
    largest_hole_mm: float = 0.0
    held: frozenset[MeshWarningKind] = frozenset()
    max_bytes: int = 4 * 2**30
    count_limit_facets: int = 200_000
    fits_all_mm: tuple[float, float, float] | None = None

    def fits_all(self, size_mm: tuple[float, float, float]) -> bool:
        """True if a part of this size fits every printer on one of its sides, or no printer is known."""
        if self.fits_all_mm is None:
            return True
        sides = sorted(size_mm, reverse=True)
        return all(side <= most for side, most in zip(sides, self.fits_all_mm, strict=True))

    @property
    def overlap_limit_facets(self) -> int:
        """Return the facet count up to which non-manifold edges and repeated facets are counted."""
        if self.held & {MeshWarningKind.SHARED_EDGES, MeshWarningKind.REPEATED_FACETS}:
            return max(self.count_limit_facets, _DECISIVE_COUNT_LIMIT_FACETS)
        return self.count_limit_facets


def parse_warning_kinds(names: str) -> frozenset[MeshWarningKind]:
    """Return the kinds that a list with commas names. Raises SettingsError for a name that no oddity has."""
    return frozenset(_parse_warning_kind(name.strip()) for name in names.split(",") if name.strip())


def _parse_warning_kind(name: str) -> MeshWarningKind:
    try:
        return MeshWarningKind(name)
    except ValueError:
        meant = nearest_option(name, MeshWarningKind)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(MeshWarningKind)}."
        raise SettingsError(f"Setting hold_meshes_with: no mesh has {name!r}: {hint}") from None


MAX_PRINTABLE_MM = 525
"""The longest side of the largest bed that Eiger drives, the FX20's."""

SHORTEST_MM, SMALLEST_MM3, LONGEST_MM = 6.0, 30.0, 2000.0
_THIN_WALLS = ((0.3, 25.0), (1.0, 12.0))
"""Mean wall and longest side, mm: a part below both is thinner than anything that prints at this size."""
_GRID_MM, _GRID_TOLERANCE_MM, _GRID_LONGEST_MM = 0.5, 0.002, 100.0
_PLAIN_GRID_MM, _PLAIN_TOLERANCE_MM = 0.05, 0.0005

_UNITS_MM = {"inch": MM_PER_INCH, "centimetre": 10.0, "metre": 1000.0, "micrometre": 0.001}
"""The keys are values of the fact `unit_guess`, which rules compare: they keep their spelling."""
_WORDS = {"inch": "inches", "centimetre": "centimeters", "metre": "meters", "micrometre": "micrometers"}
_HEADER_UNIT = re.compile(
    rb"\bUNITS?\s*[=:]\s*(?:(?P<inch>INCH(?:ES)?|IN)|(?P<mm>MM|MILLIMET(?:ER|RE)S?)"
    rb"|(?P<centimetre>CM|CENTIMET(?:ER|RE)S?)|(?P<metre>M|MET(?:ER|RE)S?))\b",
    re.IGNORECASE,
)

Size = tuple[float, float, float]


@frozen
class UnitDoubt:
    """Why the coordinates may not be mm, and in which units they would make a part, the likeliest first.

    `reason` is "" (no doubt), "named" (in the header), "long", "short", "little" (volume), "thin" or
    "inch_grid".
    """

    reason: str = ""
    units: tuple[str, ...] = ()

    @property
    def guess(self) -> str:
        """Return the value of the fact `unit_guess`."""
        return (" or ".join(self.units) or "unclear") if self.reason else "mm"

    def sizes(self, size_mm: Size) -> tuple[str, ...]:
        """Return the part's size in each unit: "in inches 141 × 108 × 25.1 mm"."""
        return tuple(f"in {_WORDS[unit]} {format_size(size_mm, _UNITS_MM[unit])}" for unit in self.units)

    def sentence(self, size_mm: Size, wall_mm: float | None) -> str:
        """Return the doubt in words, or ""."""
        if not self.reason:
            return ""
        size = format_size(size_mm)
        why = {
            "named": f"The header of the file names {_WORDS[self.units[0]] if self.units else 'no unit'}.",
            "long": f"{size} is long for a part.",
            "short": f"{size} is small for a part.",
            "little": f"{size} has little volume for a part.",
            "thin": f"{size} has walls of {wall_mm or 0:.2g} mm on average, which is thin for a part.",
            "inch_grid": f"{size} is odd in mm and even in inches.",
        }[self.reason]
        would_be = f" Read {', '.join(self.sizes(size_mm))}." if self.units else ""
        return f"{why}{would_be} Export the part in mm if its size here is wrong."


def doubt_unit(size_mm: Size, volume_mm3: float | None, area_mm2: float, header: bytes = b"") -> UnitDoubt:
    """Return the doubt about the unit of a mesh; `volume_mm3` is None where the mesh is not closed."""
    longest, named = max(size_mm), named_unit(header)
    if named == "mm" or not longest:
        return UnitDoubt()
    if named:
        return UnitDoubt("named", (named,))
    if longest > LONGEST_MM:
        return UnitDoubt(
            "long", tuple(unit for unit in ("micrometre",) if _makes_a_part(longest, None, unit))
        )
    wall = mean_wall_mm(volume_mm3, area_mm2)
    reason = _small_reason(longest, volume_mm3, wall)
    if reason:
        fits = (unit for unit in ("inch", "centimetre", "metre") if _makes_a_part(longest, wall, unit))
        return UnitDoubt(reason, tuple(fits))
    is_inch_grid = longest < _GRID_LONGEST_MM and _is_on_inch_grid(size_mm)
    return UnitDoubt("inch_grid", ("inch",)) if is_inch_grid else UnitDoubt()


def named_unit(header: bytes) -> str | None:
    """Return the unit that `UNITS=…` names in the header or the first line of a file."""
    found = _HEADER_UNIT.search(header)
    return found.lastgroup if found else None


def mean_wall_mm(volume_mm3: float | None, area_mm2: float) -> float | None:
    """Return twice the volume by the area: the thickness of a sheet with that volume and surface."""
    return 2 * volume_mm3 / area_mm2 if volume_mm3 and area_mm2 else None


def format_size(size_mm: Size, unit_mm: float = 1.0) -> str:
    """Return "80 × 40.5 × 12 mm", with three digits or whole millimeters."""
    return f"{' × '.join(_format_length(side * unit_mm) for side in size_mm)} mm"


def _format_length(length_mm: float) -> str:
    return f"{length_mm:.3g}" if length_mm < 1000 else f"{length_mm:,.0f}"


def _small_reason(longest_mm: float, volume_mm3: float | None, wall_mm: float | None) -> str:
    if longest_mm < SHORTEST_MM:
        return "short"
    if volume_mm3 is not None and volume_mm3 < SMALLEST_MM3:
        return "little"
    is_thin = wall_mm is not None and any(
        wall_mm < wall and longest_mm < longest for wall, longest in _THIN_WALLS
    )
    return "thin" if is_thin else ""


def _makes_a_part(longest_mm: float, wall_mm: float | None, unit: str) -> bool:
    longest = longest_mm * _UNITS_MM[unit]
    least_wall = _THIN_WALLS[0][0]
    is_thin = wall_mm is not None and wall_mm * _UNITS_MM[unit] < least_wall
    return SHORTEST_MM <= longest <= MAX_PRINTABLE_MM and not is_thin


def _is_on_inch_grid(size_mm: Size) -> bool:
    """True if two sides are whole half millimeters when read in inches, and no side is even in mm."""
    in_inches = sum(_is_near_multiple(side * MM_PER_INCH, _GRID_MM, _GRID_TOLERANCE_MM) for side in size_mm)
    return in_inches >= 2 and not any(
        _is_near_multiple(side, _PLAIN_GRID_MM, _PLAIN_TOLERANCE_MM) for side in size_mm
    )


def _is_near_multiple(value: float, grid: float, tolerance: float) -> bool:
    return value > grid / 2 and abs(value - round(value / grid) * grid) < tolerance
