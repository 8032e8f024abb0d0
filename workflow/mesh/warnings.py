"""What a mesh may have and still be printed: each oddity has a name, which a shop may choose to refuse.

How numbers read in sentences.

What a mesh may have and still be accepted.
"""

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
    """Open edges, no more than the limit."""
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
    """Give a number with its noun: "1 facet", "1,200 facets"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


@dataclass(frozen=True, slots=True)
class MeshPolicy:
    """The few choices that a shop may make about meshes.

    `open_edges_limit`: a mesh with more open edges is rejected, with fewer it is accepted with a warning.
    `refused`: oddities that reject the mesh instead of being warned of.
    `max_bytes`: a larger file is rejected unread.
    `count_limit_facets`: shells, cavities, non-manifold edges and repeated facets are counted up to this
    many facets, at 100 bytes each.
    """

    open_edges_limit: int = 0
    refused: frozenset[MeshWarningKind] = frozenset()
    max_bytes: int = 4 * 2**30
    count_limit_facets: int = 200_000

    @property
    def overlap_limit_facets(self) -> int:
        """The facet count up to which non-manifold edges and repeated facets are counted."""
        if self.refused & {MeshWarningKind.SHARED_EDGES, MeshWarningKind.REPEATED_FACETS}:
            return max(self.count_limit_facets, _DECISIVE_COUNT_LIMIT_FACETS)
        return self.count_limit_facets


def parse_warning_kinds(names: str) -> frozenset[MeshWarningKind]:
    """Read names with commas between them. Raises SettingsError for a name that no oddity has."""
    return frozenset(_parse_warning_kind(name.strip()) for name in names.split(",") if name.strip())


def _parse_warning_kind(name: str) -> MeshWarningKind:
    try:
        return MeshWarningKind(name)
    except ValueError:
        meant = nearest_option(name, MeshWarningKind)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(MeshWarningKind)}."
        raise SettingsError(f"Setting refuse_meshes_with: no mesh has {name!r}: {hint}") from None
