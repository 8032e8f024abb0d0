"""Inspecting one file: read it once, measure, look for holes if there must be some, judge."""

import math
import os
import stat
import time
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import TypeAlias

from workflow.mesh.ascii import AsciiReader
from workflow.mesh.binary import BinaryReader
from workflow.mesh.corners import CornerHashes
from workflow.mesh.detect import FACET_BYTES, Binary, NotMesh, detect
from workflow.mesh.holes import find_holes
from workflow.mesh.measures import Measures, measure
from workflow.mesh.overlaps import repeated_facets, shared_edges
from workflow.mesh.policy import MeshPolicy
from workflow.mesh.shells import Shells, find_shells
from workflow.mesh.stream import ByteStream
from workflow.mesh.unreadable import Unreadable
from workflow.mesh.verdict import Findings, judge
from workflow.model import MeshReport, unmeasured

DEFAULT_POLICY = MeshPolicy()

_VANISHING = 1e-6
"""As a part of the box around the mesh: less volume than that may be bodies that face opposite ways."""
_MOST_FACETS = 5_000_000

_Reader: TypeAlias = BinaryReader | AsciiReader


def inspect_mesh(
    source: Path, shown_as: str | None = None, policy: MeshPolicy = DEFAULT_POLICY
) -> MeshReport:
    """Inspect an STL file of any content and size, in bounded memory.

    `shown_as` is the path in the report. Bad content never raises: it is a verdict. Raises OSError when
    the file can't be read.
    """
    started = time.perf_counter()
    if unread := _reason_to_leave_unread(source.stat(), policy):
        report, sha256 = unmeasured("", unread), ""
    else:
        with FileIO(source) as file:
            stream = ByteStream(file)
            report = inspect_open_file(file, stream, policy)
            stream.drain()
        sha256 = stream.sha256
    path = shown_as if shown_as is not None else str(source)
    return replace(report, path=path, sha256=sha256, seconds=time.perf_counter() - started)


def _reason_to_leave_unread(status: os.stat_result, policy: MeshPolicy) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "This is a folder, a pipe or a device, but no file. Put the STL file itself there."
    if status.st_size > policy.max_bytes:
        size, limit = status.st_size / 2**30, policy.max_bytes / 2**30
        return f"{size:.1f} GB: files above {limit:.1f} GB are not read. Export it with a coarser resolution."
    return None


def inspect_open_file(file: FileIO, stream: ByteStream, policy: MeshPolicy) -> MeshReport:
    """Inspect an open file through `stream`; the report yet lacks path, hash and time. Raises OSError."""
    before = os.fstat(file.fileno())
    layout = detect(stream.head(), before.st_size)
    if isinstance(layout, NotMesh):
        return unmeasured("", layout.reason, layout.format)
    reader = BinaryReader(stream, layout) if isinstance(layout, Binary) else AsciiReader(stream, layout)
    try:
        findings = _find(reader, before.st_size, policy)
    except Unreadable as problem:
        return unmeasured("", str(problem), reader.format)
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return unmeasured("", "The file changed while it was read. Wait until the export has ended.")
    return _report(reader, findings, policy)


def _find(reader: _Reader, size: int, policy: MeshPolicy) -> Findings:
    """Measure, and look more closely at what the measures leave open. Raises Unreadable, OSError."""
    limit = policy.overlap_limit_facets
    kept_facets = min(max(limit, policy.shell_limit_facets), size // FACET_BYTES)
    corners = CornerHashes(reader.blocks, kept_facets if reader.facets_at_least <= kept_facets else 0)
    measures = measure(reader.blocks(), corners)
    facets, is_countable = measures.triangles, measures.triangles <= limit
    shared = shared_edges(corners.pieces(), facets) if is_countable and measures.closed else None
    holes = None
    if not (measures.closed or measures.bad_facets):
        holes = find_holes(corners, facets, math.dist(measures.low_mm, measures.high_mm))
    repeats = shared or (holes and holes.has_repeated_facets)
    repeated = repeated_facets(corners.pieces(), facets) if repeats and is_countable else None
    shells = _find_shells(corners, measures, policy) if measures.closed else None
    return Findings(measures, holes, shared, repeated, reader.remarks(), shells)


def _find_shells(corners: CornerHashes, measures: Measures, policy: MeshPolicy) -> Shells | None:
    """Tell the bodies of a closed mesh apart if it is not too large, or if their volumes cancel out."""
    box_mm3 = math.prod(measures.size_mm)
    vanishes = abs(measures.volume_mm3) < _VANISHING * box_mm3 and measures.triangles <= _MOST_FACETS
    if measures.triangles > policy.shell_limit_facets and not vanishes:
        return None
    return find_shells(corners, measures.triangles, measures.volume_mm3)


def _report(reader: _Reader, findings: Findings, policy: MeshPolicy) -> MeshReport:
    """Give the report, yet without path, hash and time."""
    verdict, measures, holes = judge(findings, policy), findings.measures, findings.holes
    readable = measures.bad_facets == 0
    return MeshReport(
        path="",
        verdict="reject" if verdict.reason else "accept",
        reason=verdict.reason,
        warnings=tuple(remark.words for remark in verdict.remarks),
        format=reader.format,
        triangles=measures.triangles,
        size_mm=measures.size_mm,
        volume_cm3=findings.volume_cm3 if readable else None,
        area_cm2=measures.area_mm2 / 100,
        watertight=readable and findings.open_edges == 0,
        open_edges=findings.open_edges,
        seconds=0.0,
        sha256="",
        solids=reader.solids,
        closes_at_mm=holes.closing.gap_mm if holes and holes.closing else None,
        open_places=tuple(map(str, holes.places)) if holes and findings.open_edges else (),
        flipped_edges=findings.flipped_edges,
        shared_edges=findings.shared_edges,
        repeated_facets=findings.repeated_facets,
        degenerate_facets=measures.degenerate_facets,
        has_colour=reader.has_colour,
        defects=verdict.defects,
        oddities=tuple(remark.oddity.value for remark in verdict.remarks),
        flat_facets=measures.flat_facets,
        inside_out=findings.inside_out,
        unit_guess=findings.unit.unit,
        shells=findings.shells.count if findings.shells else None,
        cavities=findings.shells.cavities if findings.shells else None,
        turned_shells=findings.shells.turned if findings.shells else None,
    )
