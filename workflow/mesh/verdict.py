"""From what was found in a mesh to a verdict and its words. Pure."""

from collections.abc import Iterator

from workflow.errors import format_count
from workflow.frozen import frozen
from workflow.mesh.components import SmallShell
from workflow.mesh.cracks import Crack
from workflow.mesh.holes import Hole, HoleKind, OpenEdgeSummary, format_location
from workflow.mesh.measures import FARTHEST_MM, Measures, MeshFindings
from workflow.mesh.shells import Shells
from workflow.mesh.warnings import MeshPolicy, MeshWarning, MeshWarningKind, format_size

LEAST_TOLD_MM = 0.001
"""Gaps and cracks below this are in no message: no printer sees them."""
LONGEST_CRACK_MM = 1.0
"""A slicer may leave out part of the solid at a longer crack: PrusaSlicer 2.5 loses 17 % of such a box."""
LONGEST_COUNTED_HOLE_MM = 10.0
"""`open_edges_limit` lets no longer hole pass."""
LEAST_WALL_MM2 = 10.0
"""Walls without thickness with less area are in no message."""
LEAST_LAYER_MM = 0.1
"""The finest layer of the desktop printers; a part whose walls are thinner on average may come out empty."""
_LEAST_VOLUME = 1e-9
"""As a share of the cube around the longest side: far below any sheet that can be printed."""


@frozen
class MeshVerdict:
    """Why nobody can print the mesh, why a person should see it first, and what is odd about it."""

    rejections: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    remarks: tuple[MeshWarning, ...] = ()

    @property
    def word(self) -> str:
        """Return "reject", "hold" or "accept"."""
        return "reject" if self.rejections else "hold" if self.holds else "accept"

    @property
    def defects(self) -> tuple[str, ...]:
        """Return everything that speaks against printing the mesh, the worst first."""
        return (*self.rejections, *self.holds)

    @property
    def reason(self) -> str | None:
        """Return the first defect."""
        return self.defects[0] if self.defects else None


def judge_mesh(findings: MeshFindings, policy: MeshPolicy) -> MeshVerdict:
    """Return the verdict. Oddities that the policy names hold the mesh, the others are warnings."""
    measures = findings.measures
    if measures.bad_facets:
        return MeshVerdict(rejections=(_damage_text(measures),))
    odd = (*findings.remarks, *_find_warnings(findings, policy))
    named = tuple(remark.words for remark in odd if remark.oddity in policy.held)
    others = tuple(remark for remark in odd if remark.oddity not in policy.held)
    rejections = tuple(_find_rejections(findings))
    return MeshVerdict(rejections, (*_find_holds(findings, policy), *named), others)


def _damage_text(measures: Measures) -> str:
    first = "" if measures.bad_facets == 1 else "the first is "
    return (
        f"{format_count(measures.bad_facets, 'facet')} ({first}number {measures.first_bad_facet:,}) with a "
        f"coordinate that is not a number or beyond {FARTHEST_MM:,.0f} mm. The file is damaged. "
        "Export it again."
    )


def _find_rejections(findings: MeshFindings) -> Iterator[str]:
    measures = findings.measures
    farthest = max(map(abs, (*measures.low_mm, *measures.high_mm)))
    if farthest > FARTHEST_MM:
        yield (
            f"{farthest:.3g} mm from the origin: the coordinates are damaged, or in a wrong unit. "
            "Move the part to the origin and export it again in mm."
        )
    if _has_no_volume(findings):
        yield (
            f"{format_count(measures.triangles, 'facet')}, but no volume: this is a surface or a sketch. "
            "Export the solid body."
        )


def _find_holds(findings: MeshFindings, policy: MeshPolicy) -> Iterator[str]:
    summary = findings.holes
    if summary is None:
        return
    if findings.open_edges and not summary.count.is_exact:
        yield (
            f"At least {format_count(summary.count.open_edges, 'open edge')}: the part is "
            "not a closed solid. Close the holes in CAD and export it again."
        )
    stopping = [hole for hole in summary.holes if not _may_pass(hole, findings, policy)]
    for kind in HoleKind:
        if of_kind := [hole for hole in stopping if hole.kind is kind]:
            yield _hole_text(of_kind)
    if long := [crack for crack in summary.all_cracks if crack.length_mm > LONGEST_CRACK_MM]:
        yield (
            f"{_crack_text(long, summary)}: a slicer may leave out part of the solid. "
            "Export it with a finer resolution, or repair the mesh."
        )


def _may_pass(hole: Hole, findings: MeshFindings, policy: MeshPolicy) -> bool:
    """True if the shop lets such a hole pass; never where a side is missing, or at a wall or a fin."""
    if hole.kind is not HoleKind.HOLE or hole.is_missing_side:
        return False
    is_counted = findings.open_edges <= policy.open_edges_limit and hole.length_mm <= LONGEST_COUNTED_HOLE_MM
    return is_counted or hole.length_mm <= policy.largest_hole_mm


def _hole_text(holes: list[Hole]) -> str:
    """Return what is wrong at holes of one kind, by the largest of them."""
    largest, many = holes[0], f" (the largest of {len(holes):,})" if len(holes) > 1 else ""
    extent = _extent_text(largest.length_mm, largest.width_mm)
    match largest.kind:
        case HoleKind.WALL_INSIDE:
            edges = format_count(largest.edges, "edge")
            return (
                f"A wall inside the part at {largest}{many}: {edges} with three facets. "
                "Delete the wall, or merge the bodies, in CAD and export the part again."
            )
        case HoleKind.FIN:
            return (
                f"A surface without thickness, {extent}, at {largest}{many}. "
                "Delete the surface in CAD and export the part again."
            )
        case HoleKind.LOOSE:
            return (
                f"A loose surface, {extent}, at {largest}{many}: it is part of no body. "
                "Delete the surface in CAD and export the part again."
            )
    if largest.is_missing_side:
        what = f"A side is missing: {extent} at {largest}{many}"
    else:
        what = f"Hole {extent} at {largest}{many}"
    return f"{what}. Close the part in CAD and export it again."


def _extent_text(length_mm: float, width_mm: float) -> str:
    return f"{length_mm:.3g} × {width_mm:.2g} mm" if width_mm < 1 else f"{length_mm:.3g} × {width_mm:.3g} mm"


def _crack_text(cracks: list[Crack], summary: OpenEdgeSummary) -> str:
    longest, many = cracks[0], f" (the longest of {len(cracks):,})" if len(cracks) > 1 else ""
    width_mm = longest.width_mm if longest.width_mm >= LEAST_TOLD_MM / 10 else 0
    place = format_location(longest.center_mm, summary.decimals)
    return f"Crack {longest.length_mm:.3g} × {width_mm:.1g} mm at {place}{many}"


def _find_warnings(findings: MeshFindings, policy: MeshPolicy) -> Iterator[MeshWarning]:
    summary = findings.holes
    if summary:
        yield from _warnings_of_open_edges(findings, summary, policy)
    if findings.inside_out:
        words = f"-{findings.volume_cm3:.3g} cm³: the mesh is inside out. Slicers turn it."
        yield MeshWarning(MeshWarningKind.INSIDE_OUT, words)
    if findings.shells:
        yield from _warnings_of_bodies(findings, findings.shells)
    for remark in _count_warnings(findings):
        if remark.oddity in policy.held:  # closed all the same, and no slicer minds: only for who asks
            yield remark
    if sentence := findings.unit.sentence(findings.measures.size_mm, findings.wall_mm):
        yield MeshWarning(MeshWarningKind.UNIT, sentence)
    elif findings.wall_mm is not None and findings.wall_mm < LEAST_LAYER_MM:
        what = f"Walls of {findings.wall_mm:.2g} mm on average are thinner than a layer"
        words = f"{what}: they may not be printed. Make them thicker in CAD."
        yield MeshWarning(MeshWarningKind.FLAT_WALLS, words)


def _walls_text(walls: SmallShell, decimals: int) -> str:
    what = f"without thickness, {walls.area_mm2:.3g} mm², at {format_location(walls.center_mm, decimals)}"
    if walls.count == 1:
        return f"Wall {what}: it will not be printed. Give it a thickness in CAD."
    return (
        f"{walls.count:,} walls {what} (the largest): they will not be printed. Give them a thickness in CAD."
    )


def _warnings_of_bodies(findings: MeshFindings, shells: Shells) -> Iterator[MeshWarning]:
    bodies = format_count(shells.bodies or shells.count, "body", "bodies")
    if turned := shells.turned:
        words = (
            f"{turned:,} of {bodies} {'is' if turned == 1 else 'are'} inside out: a slicer may leave it out."
        )
        yield MeshWarning(MeshWarningKind.INSIDE_OUT, f"{words} Flip its normals in CAD.")
    walls, crumbs = shells.walls, shells.crumbs
    if walls and walls.area_mm2 >= LEAST_WALL_MM2:
        yield MeshWarning(MeshWarningKind.FLAT_WALLS, _walls_text(walls, findings.decimals))
    if crumbs and not findings.unit.reason:
        extent, place = format_size(crumbs.size_mm), format_location(crumbs.center_mm, findings.decimals)
        what = f"{crumbs.count:,} of {bodies} {'is' if crumbs.count == 1 else 'are'} a crumb"
        words = f"{what}: {extent} at {place}. If it was left over, delete it in CAD."
        yield MeshWarning(MeshWarningKind.CRUMBS, words)


def _warnings_of_open_edges(
    findings: MeshFindings, summary: OpenEdgeSummary, policy: MeshPolicy
) -> Iterator[MeshWarning]:
    passing = [hole for hole in summary.holes if _may_pass(hole, findings, policy)]
    if passing:
        extent = _extent_text(passing[0].length_mm, passing[0].width_mm)
        many = f" (the largest of {len(passing):,})" if len(passing) > 1 else ""
        words = f"Hole {extent} at {passing[0]}{many}: the slicer has to close it."
        yield MeshWarning(MeshWarningKind.SMALL_HOLES, words)
    cracks = summary.all_cracks
    short = [crack for crack in cracks if LEAST_TOLD_MM <= crack.length_mm <= LONGEST_CRACK_MM]
    if short:
        yield MeshWarning(MeshWarningKind.CRACKS, f"{_crack_text(short, summary)}: slicers close it.")
    if summary.cracks and not cracks and summary.cracks.gap_mm >= LEAST_TOLD_MM:
        words = f"{summary.cracks.gap_mm:.2g} mm wide gaps between facets: slicers close them."
        yield MeshWarning(MeshWarningKind.GAPS, words)
    if findings.flipped_edges:
        edges = format_count(findings.flipped_edges, "edge")
        at_least = "" if summary.count.is_exact else "At least "
        words = f"{at_least}{edges} where facets face the wrong way: slicers turn them."
        yield MeshWarning(MeshWarningKind.FLIPPED_EDGES, words)


def _count_warnings(findings: MeshFindings) -> Iterator[MeshWarning]:
    if findings.shared_edges:
        edges = format_count(findings.shared_edges, "edge")
        words = f"{edges} with more than two facets: bodies touch or overlap."
        yield MeshWarning(MeshWarningKind.SHARED_EDGES, words)
    if findings.repeated_facets or (findings.holes and findings.holes.count.has_repeated_facets):
        number = findings.repeated_facets
        facets = format_count(number, "facet") if number else "Some facets"
        words = f"{facets} lying on another one: a surface is in the file twice."
        yield MeshWarning(MeshWarningKind.REPEATED_FACETS, words)
    if degenerate := findings.measures.degenerate_facets:
        words = f"{format_count(degenerate, 'facet')} with two equal corners: slicers drop them."
        yield MeshWarning(MeshWarningKind.DEGENERATE_FACETS, words)


def _has_no_volume(findings: MeshFindings) -> bool:
    measures = findings.measures
    if measures.flat_facets == measures.triangles or min(measures.size_mm) == 0:
        return True
    volume = findings.volume_cm3
    return volume is not None and volume * 1000 < _LEAST_VOLUME * max(measures.size_mm) ** 3
