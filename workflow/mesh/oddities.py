"""What a mesh may have and still be printed: each oddity has a name, which a shop may choose to refuse."""

from enum import StrEnum
from typing import NamedTuple


class Oddity(StrEnum):
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


class Remark(NamedTuple):
    """One oddity that was met, and what there is to say about it."""

    oddity: Oddity
    words: str
