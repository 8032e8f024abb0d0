"""From what was found in a mesh to a verdict and its words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from workflow.mesh.holes import Holes
from workflow.mesh.measures import Measures
from workflow.mesh.oddities import Oddity, Remark
from workflow.mesh.phrases import counted
from workflow.mesh.policy import MeshPolicy
from workflow.mesh.shells import Shells
from workflow.mesh.units import UnitGuess, guess_unit

_FARTHEST_MM = 1e6
_LEAST_VOLUME = 1e-9
"""As a part of the cube around the longest side: far below any sheet that can be printed."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a readable mesh.

    `holes` is None for a mesh that is closed exactly. `shared_edges` have four or more facets and
    `repeated_facets` the corners of another one; None where not counted, like `shells`. `remarks` are the
    reader's.
    """

    measures: Measures
    holes: Holes | None = None
    shared_edges: int | None = None
    repeated_facets: int | None = None
    remarks: tuple[Remark, ...] = ()
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
class Verdict:
    """What speaks against printing the mesh (nothing: it is accepted), and what is odd about it."""

    defects: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def reason(self) -> str | None:
        """The first defect."""
        return self.defects[0] if self.defects else None


def judge(findings: Findings, policy: MeshPolicy) -> Verdict:
    """Weigh what was found: defects reject, and so do the oddities that the policy refuses."""
    odd = (*findings.remarks, *_oddities(findings, policy))
    refused = tuple(remark.words for remark in odd if remark.oddity in policy.refused)
    accepted = tuple(remark for remark in odd if remark.oddity not in policy.refused)
    return Verdict((*_defects(findings, policy), *refused), accepted)


def _defects(findings: Findings, policy: MeshPolicy) -> Iterator[str]:
    measures = findings.measures
    if measures.bad_facets:
        yield (
            f"{counted(measures.bad_facets, 'facet')} (the first is number {measures.first_bad_facet:,}) "
            "with a coordinate that is not a number. Repair the part in CAD and export it again."
        )
        return
    farthest = max(map(abs, (*measures.low_mm, *measures.high_mm)))
    if farthest > _FARTHEST_MM:
        yield (
            f"{farthest:.3g} mm from the origin: the coordinates are damaged, or in a wrong unit. "
            "Move the part to the origin and export it again in mm."
        )
    if _is_flat(findings):
        yield (
            f"{counted(measures.triangles, 'facet')}, but no volume: this is a surface or a sketch. "
            "Export the solid body."
        )
    if findings.open_edges > policy.open_edges_limit and findings.holes:
        yield _open(findings.holes)


def _oddities(findings: Findings, policy: MeshPolicy) -> Iterator[Remark]:
    measures, holes = findings.measures, findings.holes
    if holes and 0 < findings.open_edges <= policy.open_edges_limit:
        yield Remark(Oddity.SMALL_HOLES, f"{_open_edges(holes)}: the slicer has to close them.")
    if holes and holes.closing:
        words = f"{holes.closing.gap_mm:.2g} mm wide gaps between facets: slicers close them."
        yield Remark(Oddity.GAPS, words)
    if findings.flipped_edges:
        edges = counted(findings.flipped_edges, "edge")
        words = f"{_at_least(holes)}{edges} where facets face the wrong way: slicers turn them."
        yield Remark(Oddity.FLIPPED_EDGES, words)
    if findings.inside_out:
        words = f"-{findings.volume_cm3:.3g} cm³: the mesh is inside out. Slicers turn it."
        yield Remark(Oddity.INSIDE_OUT, words)
    if findings.shells and findings.shells.turned:
        turned, all_of_them = findings.shells.turned, findings.shells.count
        words = (
            f"{turned:,} of {counted(all_of_them, 'body', 'bodies')} inside out: slicers may leave out such."
        )
        yield Remark(Oddity.INSIDE_OUT, words)
    if findings.shared_edges:
        edges = counted(findings.shared_edges, "edge")
        yield Remark(Oddity.SHARED_EDGES, f"{edges} with more than two facets: bodies touch or overlap.")
    if findings.repeated_facets or (holes and holes.has_repeated_facets):
        facets = counted(findings.repeated_facets, "facet") if findings.repeated_facets else "Some facets"
        words = f"{facets} lying on another one: surfaces are there twice."
        yield Remark(Oddity.REPEATED_FACETS, words)
    if measures.degenerate_facets:
        facets = counted(measures.degenerate_facets, "facet")
        yield Remark(Oddity.DEGENERATE_FACETS, f"{facets} with two equal corners: slicers drop them.")
    if findings.unit.doubt:
        yield Remark(Oddity.UNIT, findings.unit.doubt)


def _is_flat(findings: Findings) -> bool:
    measures = findings.measures
    if measures.flat_facets == measures.triangles or min(measures.size_mm) == 0:
        return True
    volume = findings.volume_cm3
    return volume is not None and volume * 1000 < _LEAST_VOLUME * max(measures.size_mm) ** 3


def _open(holes: Holes) -> str:
    if holes.exact and holes.crowded_edges == holes.open_edges:
        return (
            f"{counted(holes.open_edges, 'edge')}{_near(holes)} with an odd number of facets: there are "
            "walls inside the part. Merge its bodies in CAD and export it again."
        )
    return (
        f"{_open_edges(holes)}: the part is not a closed solid. Close the holes in CAD and export it again."
    )


def _open_edges(holes: Holes) -> str:
    return f"{_at_least(holes)}{counted(holes.open_edges, 'open edge')}{_near(holes)}"


def _at_least(holes: Holes | None) -> str:
    return "" if holes is None or holes.exact else "At least "


def _near(holes: Holes) -> str:
    if not holes.places:
        return ""
    others = len(holes.places) > 1
    return (
        f" ({holes.places[0].edges:,} of them near {holes.places[0]})"
        if others
        else f" near {holes.places[0]}"
    )
