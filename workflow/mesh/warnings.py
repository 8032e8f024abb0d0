"""What a mesh may have and still be printed: each oddity has a name, by which a shop may hold such meshes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from workflow.errors import SettingsError
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
    """Neighbouring facets that face different ways."""
    INSIDE_OUT = "inside_out"
    """A body whose facets all face inwards."""
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


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 facet", "1,200 facets"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


@dataclass(frozen=True, slots=True)
class MeshPolicy:
    """The choices that a shop can make about meshes.

    `open_edges_limit`: a mesh with more open edges is held, with fewer it is accepted with a warning.
    `largest_hole_mm`: a hole up to this length passes with a warning, unless a side is missing.
    `held`: oddities that hold the mesh instead of being warned of.
    `max_bytes`: a larger file is rejected unread.
    `count_limit_facets`: shells, cavities, non-manifold edges and repeated facets are counted up to this
    many facets, at 100 bytes each.
    """

    open_edges_limit: int = 0
    largest_hole_mm: float = 0.0
    held: frozenset[MeshWarningKind] = frozenset()
    max_bytes: int = 4 * 2**30
    count_limit_facets: int = 200_000

    @property
    def overlap_limit_facets(self) -> int:
        """The facet count up to which non-manifold edges and repeated facets are counted."""
        if self.held & {MeshWarningKind.SHARED_EDGES, MeshWarningKind.REPEATED_FACETS}:
            return max(self.count_limit_facets, _DECISIVE_COUNT_LIMIT_FACETS)
        return self.count_limit_facets


def parse_warning_kinds(names: str) -> frozenset[MeshWarningKind]:
    """Return the kinds that a list with commas names. Raise SettingsError for a name that no oddity has."""
    return frozenset(_parse_warning_kind(name.strip()) for name in names.split(",") if name.strip())


def _parse_warning_kind(name: str) -> MeshWarningKind:
    try:
        return MeshWarningKind(name)
    except ValueError:
        meant = nearest_option(name, MeshWarningKind)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(MeshWarningKind)}."
        raise SettingsError(f"Setting hold_meshes_with: no mesh has {name!r}: {hint}") from None
