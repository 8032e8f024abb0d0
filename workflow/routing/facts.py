"""The table of facts that rules can use. Checker, schema and explanations are made from it."""

from enum import StrEnum
from types import MappingProxyType

from workflow.frozen import frozen

BUILD_PREFIX = "build."
TAG_PREFIX = "tag."
SECONDS_PER_HOUR = 3600


class FactKind(StrEnum):
    """The kind of value that a fact has, and so how it can be compared."""

    PATH = "path"
    """Text with folders: `*` stays within one folder, `**` spans folders."""
    TEXT = "text"
    """Text without folders: `*` matches anything."""
    NUMBER = "number"
    COUNT = "whole number"
    FLAG = "true/false"
    TIME = "time of day"
    """Text like `17:05`, in the shop's time zone."""
    DATE = "date"
    """Text like `2026-12-24`; only tags of the file's name are dates."""
    WEEKDAY = "weekday"
    """Text like `friday`, in the shop's time zone."""
    NAMES = "list of names"
    """Text like `FX10, FX20`: a pattern is compared with each name."""


NUMERIC = frozenset({FactKind.NUMBER, FactKind.COUNT})
TEXTUAL = frozenset({FactKind.PATH, FactKind.TEXT, FactKind.DATE, FactKind.NAMES})


class DecisionStage(StrEnum):
    """From which decision on a fact can be known."""

    INTAKE = "before upload"
    ROUTING = "after slicing"


@frozen
class Fact:
    """One value that rules can use. No number here is ever below zero.

    `known` says in words when the fact is known, `source` where it comes from. A fact that is not
    known for a file makes its rules undecidable, and the file is held; except where
    `none_without` names a fact that is absent as well: then there is none, and a condition on it
    is simply not met. `default` is its value in a test of the rules file that does not give it.
    """

    name: str
    kind: FactKind
    unit: str
    stage: DecisionStage
    known: str
    source: str
    example: str
    none_without: str | None = None
    default: str | None = None


def make_tag_fact(tag: str, kind: FactKind) -> Fact:
    """Return the fact for a tag of the name patterns. A file without the tag does not have the fact."""
    name = TAG_PREFIX + tag
    example = {FactKind.COUNT: "4", FactKind.DATE: "2026-12-24"}.get(kind, "gearbox")
    known = "when the name fits a pattern with it"
    return Fact(name, kind, "", DecisionStage.INTAKE, known, "the file's name", example, name)


def _file(name: str, kind: FactKind, unit: str, example: str, source: str, default: str = "") -> Fact:
    return Fact(
        name,
        kind,
        unit,
        DecisionStage.INTAKE,
        "always",
        source,
        example,
        default=None if name in {"path", "folder", "name"} else default or example,
    )


def _mesh(name: str, kind: FactKind, unit: str, example: str, source: str, known: str = "") -> Fact:
    known = known or "when the mesh was measured"
    return Fact(name, kind, unit, DecisionStage.INTAKE, known, source, example, default=example)


def _past(name: str, became: str) -> Fact:
    source = f"how many earlier submissions of the very same bytes {became}"
    known = "when the ledger can be read"
    return Fact(name, FactKind.COUNT, "", DecisionStage.INTAKE, known, source, "0", default="0")


def _fit(name: str, example: str, source: str) -> Fact:
    return _mesh(name, FactKind.NAMES, "", example, f"{source}; empty if it fits none")


def _build(
    name: str,
    kind: FactKind,
    unit: str,
    example: str,
    source: str,
    known: str = "after slicing",
    none_without: str | None = None,
) -> Fact:
    without = None if none_without is None else BUILD_PREFIX + none_without
    default = example if none_without is None else None
    return Fact(
        BUILD_PREFIX + name, kind, unit, DecisionStage.ROUTING, known, source, example, without, default
    )


FACT_TABLE = (
    _file("path", FactKind.PATH, "", "rush/bracket.stl", "the file's place under the inbox"),
    _file("folder", FactKind.PATH, "", "rush", "the path without the name; empty for the inbox itself"),
    _file("name", FactKind.TEXT, "", "bracket.stl", "the file's name"),
    _file("size_mb", FactKind.NUMBER, "MB", "2.4", "the file's size, in millions of bytes"),
    Fact(
        "dropped_by",
        FactKind.TEXT,
        "",
        DecisionStage.INTAKE,
        "when the file system tells whose the file is",
        "the file's owner",
        "kim",
        default="nobody",
    ),
    _file(
        "dropped_weekday",
        FactKind.WEEKDAY,
        "",
        "friday",
        "the day on which the file was taken from the inbox",
        "monday",
    ),
    _file(
        "dropped_time",
        FactKind.TIME,
        "",
        "17:05",
        "the time at which the file was taken from the inbox",
        "10:00",
    ),
    _file("weekday", FactKind.WEEKDAY, "", "friday", "the day of the decision", "monday"),
    _file("time", FactKind.TIME, "", "17:05", "the time of the decision", "10:00"),
    _past("sent_before", "were sent"),
    _past("printed_before", "were printed; only followed prints are known"),
    _past("failed_before", "failed or were canceled at the printer"),
    _mesh("triangles", FactKind.COUNT, "", "48210", "the mesh"),
    _mesh("x_mm", FactKind.NUMBER, "mm", "80", "the mesh's size along x"),
    _mesh("y_mm", FactKind.NUMBER, "mm", "40", "the mesh's size along y"),
    _mesh("z_mm", FactKind.NUMBER, "mm", "12.5", "the mesh's height"),
    _mesh("longest_mm", FactKind.NUMBER, "mm", "80", "the longest of the three sizes"),
    _mesh("volume_cm3", FactKind.NUMBER, "cm³", "31.2", "the mesh", "when the mesh is closed"),
    _mesh("area_cm2", FactKind.NUMBER, "cm²", "118", "the mesh's surface"),
    _mesh("watertight", FactKind.FLAG, "", "true", "the mesh: no edge is open"),
    _mesh("open_edges", FactKind.COUNT, "", "0", "the mesh: edges with a facet on one side only"),
    _mesh(
        "shells", FactKind.COUNT, "", "1", "the mesh: bodies that touch no other", "when they were counted"
    ),
    _mesh("cavities", FactKind.COUNT, "", "0", "the mesh: hollows inside a body", "when they were counted"),
    _mesh("unit_guess", FactKind.TEXT, "", "mm", "what its numbers may be in: `mm`, `inch`, `metre`, …"),
    _mesh("unit_doubt", FactKind.FLAG, "", "false", "the mesh: its size or its header speaks against mm"),
    _fit("fits", "Mark Two, X7", "the types of printers whose build volume it fits, in some pose"),
    _fit("fits_series", "Desktop Series, Industrial Series", "the series of those printers"),
    _mesh("warnings", FactKind.COUNT, "", "0", "how many doubts the inspection had"),
    Fact(
        "preset",
        FactKind.TEXT,
        "",
        DecisionStage.ROUTING,
        "when an intake rule chose one",
        "the title of the settings preset that was used",
        "Onyx",
        none_without="preset",
    ),
    _build("title", FactKind.TEXT, "", "bracket", "Eiger"),
    _build("print_hours", FactKind.NUMBER, "h", "6.5", "the slicer's estimate"),
    _build("series", FactKind.TEXT, "", "Desktop Series", "the kind of printer it was sliced for"),
    _build("material", FactKind.TEXT, "", "Onyx", "the plastic or metal"),
    _build("fiber", FactKind.TEXT, "", "Carbon Fiber", "the fiber", "when there is fiber in it", "fiber"),
    _build("primary_cm3", FactKind.NUMBER, "cm³", "28.9", "the slicer's estimate of the material"),
    _build(
        "fiber_cm3",
        FactKind.NUMBER,
        "cm³",
        "3.1",
        "the slicer's estimate",
        "when there is fiber in it",
        "fiber",
    ),
    _build(
        "support_cm3",
        FactKind.NUMBER,
        "cm³",
        "1.2",
        "the slicer's estimate of separate support material",
        "when there is some",
        "support_cm3",
    ),
    _build(
        "secondary_cm3",
        FactKind.NUMBER,
        "cm³",
        "0.4",
        "the slicer's estimate of a second material; for fiber see `build.fiber_cm3`",
        "when there is some",
        "secondary_cm3",
    ),
    _build("cost_usd", FactKind.NUMBER, "USD", "6.80", "list price of one copy", "when Eiger sends costs"),
    _build("part_count", FactKind.COUNT, "", "1", "how many parts are in the build"),
    _build("sliced", FactKind.FLAG, "", "true", "whether it can be printed"),
    _build(
        "scanned",
        FactKind.FLAG,
        "",
        "false",
        "whether its parts are scanned while they print (Blacksmith)",
        "when Eiger says so",
        "scanned",
    ),
    _build("age_hours", FactKind.NUMBER, "h", "0.1", "since Eiger made it", "when Eiger says so"),
    _build("unchanged_hours", FactKind.NUMBER, "h", "0.1", "since it was last changed", "when Eiger says so"),
    _build(
        "approved",
        FactKind.FLAG,
        "",
        "true",
        "the approvals of the organization",
        "when approvals are in use",
        "approved",
    ),
)
"""Every fact in the order of the documentation, without tags: each rules file has its own."""
FACTS_BY_NAME = MappingProxyType({fact.name: fact for fact in FACT_TABLE})
