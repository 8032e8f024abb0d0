"""What holds for the report on any bytes whatever, checked by other means than the inspection's own."""

import math
import re
from dataclasses import asdict
from pathlib import Path

from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.worker import decode_reply, encode_reply
from workflow.model import MeshReport

MOST_SECONDS = 20
"""Generous: the machine may be busy, and a fuzzer slows everything down."""


def checked(file: Path, content: bytes) -> MeshReport:
    """Inspect some bytes; fails if the report can't be right."""
    file.write_bytes(content)
    report = inspect_mesh(file)
    assert report.seconds < MOST_SECONDS
    assert (report.verdict != "accept") == (report.reason is not None) == bool(report.defects)
    assert all(words.endswith(".") and words.isprintable() for words in (*report.defects, *report.warnings))
    assert len(report.warnings) == len(report.oddities)
    assert decode_reply(encode_reply(report)) == report
    assert all(math.isfinite(value) for value in _numbers(report))
    if report.verdict == "accept":
        assert is_whole(content, report)
    return report


def is_whole(content: bytes, report: MeshReport) -> bool:
    """True if everything is there that the file announces."""
    if report.triangles == 0:
        return False
    if report.format == "binary":
        announced = int.from_bytes(content[80:84], "little")
        return announced == report.triangles and len(content) >= 84 + 50 * announced
    text = content.lower()
    last_facet = text.rfind(b"endfacet")
    return text.count(b"endfacet") >= report.triangles and bool(
        re.search(rb"end[\s]*solid", text[last_facet:])
    )


def _numbers(report: MeshReport) -> list[float]:
    fields = asdict(report)
    return [*report.size_mm, *(value for value in fields.values() if isinstance(value, float))]
