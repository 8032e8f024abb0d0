"""What a file is, from its first bytes and its size alone; what its header claims is only compared."""

import re
from dataclasses import dataclass

from workflow.mesh.foreign import foreign_kind, is_utf16
from workflow.mesh.phrases import counted

HEADER_BYTES = 84
"""80 bytes of any content and the number of facets."""
FACET_BYTES = 50
"""Normal and three corners as 12 little-endian float32, and two attribute bytes."""
HEAD_BYTES = 4096
"""How much of the start `detect` wants to see."""

_BOM = b"\xef\xbb\xbf"
_SOLID = re.compile(rb"\s*solid\b", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_COPY_AGAIN = "Export it again, or wait until the copy has ended."


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary STL with all its facets there, followed by `trailing_bytes` that belong to none."""

    facets: int
    trailing_bytes: int
    header: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """An ASCII STL by its beginning, which stands behind a byte order mark of `start` bytes."""

    start: int


@dataclass(frozen=True, slots=True)
class NotMesh:
    """Nothing that can be measured, and why, in shop words."""

    reason: str
    format: str | None = None


def detect(head: bytes, size: int) -> Binary | Text | NotMesh:
    """Tell what a file of `size` bytes is whose first HEAD_BYTES are `head`.

    A size that fits the announced facets makes it binary whatever the header says: many programs begin
    binary headers with the word `solid`.
    """
    if size == 0:
        return NotMesh("0 bytes: the file is empty. Export the part again.")
    if size >= HEADER_BYTES and size == HEADER_BYTES + FACET_BYTES * _announced(head):
        return _whole_binary(head, size)
    if _is_text(head):
        return Text(start=len(_BOM) if head.startswith(_BOM) else 0)
    if kind := foreign_kind(head):
        return NotMesh(_foreign_reason(head, kind))
    if size < HEADER_BYTES:
        return NotMesh(f"{counted(size, 'byte')}: too short for an STL, which has at least 84. {_COPY_AGAIN}")
    return _uneven_binary(head, size)


def _announced(head: bytes) -> int:
    return int.from_bytes(head[80:HEADER_BYTES], "little")


def _is_text(head: bytes) -> bool:
    """Tell text from a binary file whose header begins with `solid`: its count has a zero byte."""
    return bool(_SOLID.match(head.removeprefix(_BOM))) and not _CONTROL.search(head[80:HEADER_BYTES])


def _foreign_reason(head: bytes, kind: str) -> str:
    if is_utf16(head):
        return "The file is text in UTF-16, which no slicer reads. Save it as plain ASCII or as binary STL."
    return f"The file is no STL but {kind}. Export the part as STL."


def _whole_binary(head: bytes, size: int) -> Binary | NotMesh:
    if size == HEADER_BYTES:
        return NotMesh("The file has no facets: nothing was selected when it was exported.", "binary")
    return Binary(_announced(head), 0, head[:80])


def _uneven_binary(head: bytes, size: int) -> Binary | NotMesh:
    """Judge a binary file whose size does not fit its header."""
    if not any(head):
        reason = f"{size:,} bytes, and they begin with zeros only: the copy failed. Copy the file again."
        return NotMesh(reason)
    announced, (there, rest) = _announced(head), divmod(size - HEADER_BYTES, FACET_BYTES)
    if announced > there:
        return NotMesh(_cut_off(head, announced, there, size), "binary")
    extra = there - announced
    if announced == 0 or (extra and rest == 0):
        reason = (
            f"The header announces {announced:,} facets, but the file has {there:,}: the export broke off."
        )
        return NotMesh(f"{reason} Export it again.", "binary")
    return Binary(announced, size - HEADER_BYTES - announced * FACET_BYTES, head[:80])


def _cut_off(head: bytes, announced: int, there: int, size: int) -> str:
    if size == HEADER_BYTES + FACET_BYTES * int.from_bytes(head[80:HEADER_BYTES], "big"):
        return "The numbers are in big-endian order, which no slicer reads. Export it again as binary STL."
    return f"{there:,} of {announced:,} facets are there: the file is cut off. {_COPY_AGAIN}"
