"""Inspecting one file: read it once, measure, look for holes if there must be some, judge."""

import math
import os
import stat
import time
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import TypeAlias

import numpy as np

from workflow.mesh.ascii_reader import AsciiReader, make_reader
from workflow.mesh.format import (
    FACET_BYTES,
    HEADER_TEXT_BYTES,
    AsciiLayout,
    BinaryLayout,
    BinaryReader,
    HashingStream,
    NotMeasurable,
    UnreadableMesh,
    detect_format,
)
from workflow.mesh.holes import MAX_HOLE_LOCATIONS, summarize_open_edges
from workflow.mesh.measures import Measures, MeshFindings, measure_mesh
from workflow.mesh.open_edges import count_duplicate_facets, count_nonmanifold_edges
from workflow.mesh.oriented_box import find_oriented_box
from workflow.mesh.shells import Shells, find_shells
from workflow.mesh.verdict import judge_mesh
from workflow.mesh.warnings import MeshPolicy
from workflow.mesh.watertight import CornerHashes
from workflow.model import MeshReport, unmeasured_report

DEFAULT_POLICY = MeshPolicy()

_VANISHING = 1e-6
"""As a part of the box around the mesh: less volume than that may be bodies that face opposite ways."""
_MAX_FACETS_FOR_SHELLS = 5_000_000

_Reader: TypeAlias = BinaryReader | AsciiReader


def inspect_mesh(
    source: Path, shown_as: str | None = None, policy: MeshPolicy = DEFAULT_POLICY
) -> MeshReport:
    """Inspect an STL file of any content and size, in bounded memory.

    `shown_as` is the path in the report. Bad content never raises: it is a verdict. Raises OSError when
    the file can't be read.
    """
    started = time.perf_counter()
    _raise_malloc_thresholds()
    if unread := _reason_to_leave_unread(source.stat(), policy):
        report, sha256 = unmeasured_report("", unread), ""
    else:
        with FileIO(source) as file:
            stream = HashingStream(file)
            report = inspect_open_file(file, stream, policy)
            stream.drain()
        sha256 = stream.sha256
    path = shown_as if shown_as is not None else str(source)
    return replace(report, path=path, sha256=sha256, seconds=time.perf_counter() - started)


def _raise_malloc_thresholds() -> None:
    """Let glibc keep the memory of short-lived arrays instead of returning it to the system after each.

    Freeing one large mapped block raises the sizes from which glibc maps and trims (mallopt(3), dynamic
    mmap threshold), up to 32 MB. This saves up to half of the time. The block itself is never touched, so
    it costs no memory. Other C libraries ignore it.
    """
    with suppress(MemoryError):
        np.empty(31 << 20, np.uint8)


def _reason_to_leave_unread(status: os.stat_result, policy: MeshPolicy) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "This is a folder, a pipe or a device, but no file. Put the STL file itself there."
    if status.st_size > policy.max_bytes:
        size, limit = status.st_size / 2**30, policy.max_bytes / 2**30
        return f"{size:.1f} GB: files above {limit:.1f} GB are not read. Export it with a coarser resolution."
    return None


def inspect_open_file(file: FileIO, stream: HashingStream, policy: MeshPolicy) -> MeshReport:
    """Inspect an open file through `stream`; the report yet lacks path, hash and time. Raises OSError."""
    before = os.fstat(file.fileno())
    head = stream.head()
    layout = detect_format(head, before.st_size)
    if isinstance(layout, NotMeasurable):
        return unmeasured_report("", layout.reason, layout.format)
    reader = make_reader(stream, layout)
    try:
        findings = _gather_findings(reader, before.st_size, _header(head, layout), policy)
    except UnreadableMesh as problem:
        return unmeasured_report("", str(problem), reader.format)
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return unmeasured_report("", "The file changed while it was read. Wait until the export has ended.")
    return _build_report(reader, findings, policy)


def _header(head: bytes, layout: BinaryLayout | AsciiLayout) -> bytes:
    """Return what an exporter writes about itself: 80 bytes, or the first line of a text."""
    if isinstance(layout, BinaryLayout):
        return head[:HEADER_TEXT_BYTES]
    return (head[layout.start :].lstrip().splitlines() or [b""])[0]


def _gather_findings(reader: _Reader, size: int, header: bytes, policy: MeshPolicy) -> MeshFindings:
    """Measure, and look more closely at what the measures leave open. Raises Unreadable, OSError."""
    limit = policy.count_limit_facets
    kept_facets = min(limit, size // FACET_BYTES)
    corners = CornerHashes(reader.blocks, kept_facets if reader.facets_at_least <= kept_facets else 0)
    measures = measure_mesh(reader.blocks(), corners).without_stray_facets()
    facets, is_countable = measures.triangles, measures.triangles <= policy.overlap_limit_facets
    shared = count_nonmanifold_edges(corners.pieces(), facets) if is_countable and measures.closed else None
    holes = None
    if not (measures.closed or measures.bad_facets):
        with_shells = facets <= policy.count_limit_facets
        holes = summarize_open_edges(corners, facets, measures.size_mm, with_shells=with_shells)
    repeats = shared or (holes and holes.count.has_repeated_facets)
    repeated = count_duplicate_facets(corners.pieces(), facets) if repeats and is_countable else None
    shells = (
        _find_shells(corners, measures, policy, may_have_walls=bool(repeated)) if measures.closed else None
    )
    box = None
    if not (measures.bad_facets or policy.fits_all(measures.size_mm)):
        box = find_oriented_box(reader.blocks, facets, measures.size_mm)
    return MeshFindings(measures, holes, shared, repeated, reader.remarks(), shells, header, box)


def _find_shells(
    corners: CornerHashes, measures: Measures, policy: MeshPolicy, *, may_have_walls: bool
) -> Shells | None:
    """Return the bodies of a closed mesh apart if it is not too large, or if their volumes cancel out."""
    box_mm3 = math.prod(measures.size_mm)
    vanishes = (
        abs(measures.volume_mm3) < _VANISHING * box_mm3 and measures.triangles <= _MAX_FACETS_FOR_SHELLS
    )
    if measures.triangles > policy.count_limit_facets and not vanishes:
        return None
    return find_shells(corners, measures.triangles, measures.volume_mm3, may_have_walls=may_have_walls)


def _build_report(reader: _Reader, findings: MeshFindings, policy: MeshPolicy) -> MeshReport:
    """Return the report, yet without path, hash and time."""
    verdict, measures, holes = judge_mesh(findings, policy), findings.measures, findings.holes
    readable, unit = measures.bad_facets == 0, findings.unit
    return MeshReport(
        path="",
        verdict=verdict.word,
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
        closes_at_mm=holes.cracks.gap_mm if holes and holes.cracks and not holes.holes else None,
        open_places=tuple(map(str, holes.holes[:MAX_HOLE_LOCATIONS])) if holes else (),
        flipped_edges=findings.flipped_edges,
        shared_edges=findings.shared_edges,
        repeated_facets=findings.repeated_facets,
        degenerate_facets=measures.degenerate_facets,
        has_colour=reader.has_colour,
        defects=verdict.defects,
        oddities=tuple(remark.oddity.value for remark in verdict.remarks),
        flat_facets=measures.flat_facets,
        inside_out=findings.inside_out,
        unit_guess=unit.guess,
        unit_doubt=unit.reason,
        unit_sizes=unit.sizes(measures.size_mm),
        shells=findings.shells.count if findings.shells else None,
        cavities=findings.shells.cavities if findings.shells else None,
        turned_shells=findings.shells.turned if findings.shells else None,
        bodies=findings.shells.bodies if findings.shells else None,
        oriented_mm=findings.oriented_mm,
    )
