"""From what was found in a mesh to a verdict and its words. Pure.

Whether the coordinates are mm: an STL does not say, and nothing is ever scaled in silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workflow.mesh.components import Shells
from workflow.mesh.measures import Measures
from workflow.mesh.open_edges import OpenEdgeSummary
from workflow.mesh.warnings import MeshPolicy, MeshWarning, MeshWarningKind, format_count

MAX_PRINTABLE_MM = 525
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
        return UnitGuess(_likely_units(longest_mm, "inch", "metre"), f"{question} That would be {would_be}.")
    if longest_mm > _LONGEST_LIKELY_MM:
        would_be = _length(longest_mm * _UNITS_MM["micrometre"])
        question = f"{longest_mm:,.0f} mm long: exported in micrometres?"
        return UnitGuess(_likely_units(longest_mm, "micrometre"), f"{question} That would be {would_be}.")
    return UnitGuess()


def _likely_units(longest: float, *units: str) -> str:
    """Name the units in which the part would be neither tiny nor longer than any printer."""
    likely = (unit for unit in units if _SHORTEST_LIKELY_MM <= longest * _UNITS_MM[unit] <= MAX_PRINTABLE_MM)
    return " or ".join(likely) or "unclear"


def _length(length_mm: float) -> str:
    exact = f"{length_mm:.3g}" if length_mm < 1000 else f"{length_mm:,.0f}"
    return f"{exact} mm" + (" (no printer is so long)" if length_mm > MAX_PRINTABLE_MM else "")


_FARTHEST_MM = 1e6
_LEAST_VOLUME = 1e-9
"""As a part of the cube around the longest side: far below any sheet that can be printed."""


@dataclass(frozen=True, slots=True)
class MeshFindings:
    """What was found in a readable mesh.

    `holes` is None for a mesh that is closed exactly. `shared_edges` have four or more facets and
    `repeated_facets` the corners of another one; None where not counted, like `shells`. `remarks` are the
    reader's.
    """

    measures: Measures
    holes: OpenEdgeSummary | None = None
    shared_edges: int | None = None
    repeated_facets: int | None = None
    remarks: tuple[MeshWarning, ...] = ()
    shells: Shells | None = None

    @property
    def open_edges(self) -> int:
        """Edges that stay open when gaps that no printer sees are closed."""
        return 0 if self.holes is None or self.holes.closing else self.holes.open_edges

    @property
    def flipped_edges(self) -> int:
        """Edges at which facets run the wrong way round."""
        if self.holes is None:
            return 0
        closing = self.holes.closing
        return self.holes.flipped_edges + (closing.flipped_edges if closing else 0)

    @property
    def volume_cm3(self) -> float | None:
        """The volume, also of a mesh that is inside out; None where facets are missing, turned or doubled."""
        if self.open_edges or self.flipped_edges or (self.holes and self.holes.has_repeated_facets):
            return None
        return (self.shells.volume_mm3 if self.shells else abs(self.measures.volume_mm3)) / 1000

    @property
    def inside_out(self) -> bool:
        """Whether the mesh encloses a volume and faces inwards."""
        faces_in = self.shells.is_inside_out if self.shells else self.measures.volume_mm3 < 0
        return faces_in and bool(self.volume_cm3)

    @property
    def unit(self) -> UnitGuess:
        """What the coordinates seem to be in."""
        return guess_unit(max(self.measures.size_mm))


@dataclass(frozen=True, slots=True)
class MeshVerdict:
    """What speaks against printing the mesh (nothing: it is accepted), and what is odd about it."""

    defects: tuple[str, ...]
    remarks: tuple[MeshWarning, ...]

    @property
    def reason(self) -> str | None:
        """The first defect."""
        return self.defects[0] if self.defects else None


def judge_mesh(findings: MeshFindings, policy: MeshPolicy) -> MeshVerdict:
    """Weigh what was found: defects reject, and so do the oddities that the policy refuses."""
    odd = (*findings.remarks, *_find_warnings(findings, policy))
    refused = tuple(remark.words for remark in odd if remark.oddity in policy.refused)
    accepted = tuple(remark for remark in odd if remark.oddity not in policy.refused)
    return MeshVerdict((*_find_defects(findings, policy), *refused), accepted)


def _find_defects(findings: MeshFindings, policy: MeshPolicy) -> Iterator[str]:
    measures = findings.measures
    if measures.bad_facets:
        yield (
            f"{format_count(measures.bad_facets, 'facet')} "
            f"(the first is number {measures.first_bad_facet:,}) with a coordinate that is not a number. "
            "Repair the part in CAD and export it again."
        )
        return
    farthest = max(map(abs, (*measures.low_mm, *measures.high_mm)))
    if farthest > _FARTHEST_MM:
        yield (
            f"{farthest:.3g} mm from the origin: the coordinates are damaged, or in a wrong unit. "
            "Move the part to the origin and export it again in mm."
        )
    if _has_no_volume(findings):
        yield (
            f"{format_count(measures.triangles, 'facet')}, but no volume: this is a surface or a sketch. "
            "Export the solid body."
        )
    if findings.open_edges > policy.open_edges_limit and findings.holes:
        yield _open_mesh_defect(findings.holes)


def _find_warnings(findings: MeshFindings, policy: MeshPolicy) -> Iterator[MeshWarning]:
    measures, holes = findings.measures, findings.holes
    if holes and 0 < findings.open_edges <= policy.open_edges_limit:
        yield MeshWarning(
            MeshWarningKind.SMALL_HOLES, f"{_open_edges_text(holes)}: the slicer has to close them."
        )
    if holes and holes.closing:
        words = f"{holes.closing.gap_mm:.2g} mm wide gaps between facets: slicers close them."
        yield MeshWarning(MeshWarningKind.GAPS, words)
    if findings.flipped_edges:
        edges = format_count(findings.flipped_edges, "edge")
        words = f"{_at_least_text(holes)}{edges} where facets face the wrong way: slicers turn them."
        yield MeshWarning(MeshWarningKind.FLIPPED_EDGES, words)
    if findings.inside_out:
        words = f"-{findings.volume_cm3:.3g} cm³: the mesh is inside out. Slicers turn it."
        yield MeshWarning(MeshWarningKind.INSIDE_OUT, words)
    if findings.shells and findings.shells.turned:
        turned, all_of_them = findings.shells.turned, findings.shells.count
        bodies = format_count(all_of_them, "body", "bodies")
        words = f"{turned:,} of {bodies} inside out: slicers may leave out such."
        yield MeshWarning(MeshWarningKind.INSIDE_OUT, words)
    if findings.shared_edges:
        edges = format_count(findings.shared_edges, "edge")
        yield MeshWarning(
            MeshWarningKind.SHARED_EDGES, f"{edges} with more than two facets: bodies touch or overlap."
        )
    if findings.repeated_facets or (holes and holes.has_repeated_facets):
        facets = (
            format_count(findings.repeated_facets, "facet") if findings.repeated_facets else "Some facets"
        )
        words = f"{facets} lying on another one: surfaces are there twice."
        yield MeshWarning(MeshWarningKind.REPEATED_FACETS, words)
    if measures.degenerate_facets:
        facets = format_count(measures.degenerate_facets, "facet")
        yield MeshWarning(
            MeshWarningKind.DEGENERATE_FACETS, f"{facets} with two equal corners: slicers drop them."
        )
    if findings.unit.doubt:
        yield MeshWarning(MeshWarningKind.UNIT, findings.unit.doubt)


def _has_no_volume(findings: MeshFindings) -> bool:
    measures = findings.measures
    if measures.flat_facets == measures.triangles or min(measures.size_mm) == 0:
        return True
    volume = findings.volume_cm3
    return volume is not None and volume * 1000 < _LEAST_VOLUME * max(measures.size_mm) ** 3


def _open_mesh_defect(holes: OpenEdgeSummary) -> str:
    if holes.exact and holes.crowded_edges == holes.open_edges:
        return (
            f"{format_count(holes.open_edges, 'edge')}{_location_text(holes)} with an odd number of facets: "
            "there are walls inside the part. Merge its bodies in CAD and export it again."
        )
    return (
        f"{_open_edges_text(holes)}: the part is not a closed solid. "
        "Close the holes in CAD and export it again."
    )


def _open_edges_text(holes: OpenEdgeSummary) -> str:
    return f"{_at_least_text(holes)}{format_count(holes.open_edges, 'open edge')}{_location_text(holes)}"


def _at_least_text(holes: OpenEdgeSummary | None) -> str:
    return "" if holes is None or holes.exact else "At least "


def _location_text(holes: OpenEdgeSummary) -> str:
    if not holes.places:
        return ""
    others = len(holes.places) > 1
    return (
        f" ({holes.places[0].edges:,} of them near {holes.places[0]})"
        if others
        else f" near {holes.places[0]}"
    )
