"""What kind of file this is, from its first bytes and its size; what its header claims is only compared."""

import re
from dataclasses import dataclass

from workflow.mesh.warnings import format_count

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive, or a 3MF file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0", "a CAD or Office document (SolidWorks, Inventor)"),
    (b"ISO-10303-21", "a STEP file"),
    (b"ply\n", "a PLY mesh"),
    (b"ply\r", "a PLY mesh"),
    (b"OFF\n", "an OFF mesh"),
    (b"OFF\r", "an OFF mesh"),
    (b"glTF", "a glTF model"),
    (b"\x00\x05\x16\x07", "a macOS companion file (AppleDouble)"),
    (b"version https://git-lfs", "a Git LFS pointer: the part itself was not downloaded"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
)
_TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b", re.I | re.S), "an HTML page"),
    (re.compile(rb"\s*<\?xml\b|\s*<\w", re.I), "an XML file"),
    (re.compile(rb"\s*[\[{]\s*[\"\[{}\]]"), "a JSON file"),
    (re.compile(rb"(\s*(#[^\n]*|mtllib [^\n]*|o [^\n]*|g [^\n]*)\n)*\s*v +[-+.\d]", re.I), "an OBJ mesh"),
    (re.compile(rb"(\s*;[^\n]*\n)*\s*([GM]\d+\b[^\n]*\n\s*){1,}", re.I), "G-code"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF16_SOLID = ("solid".encode("utf-16-le"), "solid".encode("utf-16-be"))


def foreign_file_type(head: bytes) -> str | None:
    """Return the kind of file that begins like this, or None when it is not known."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if is_utf16(head):
        return "text in UTF-16"
    text = head.removeprefix(b"\xef\xbb\xbf")
    return next((kind for pattern, kind in _TEXTS if pattern.match(text)), None)


def is_utf16(head: bytes) -> bool:
    """True if this is text with two bytes per character, marked or beginning with `solid`."""
    return head.startswith(_UTF16_MARKS) or head.lower().startswith(_UTF16_SOLID)


HEADER_TEXT_BYTES = 80
HEADER_BYTES = 84
"""80 bytes of any content and the number of facets."""
FACET_BYTES = 50
"""Normal and three corners as 12 little-endian float32, and two attribute bytes."""
HEAD_BYTES = 4096
"""How much of the start `detect_format` needs."""

_BOM = b"\xef\xbb\xbf"
_SOLID = re.compile(rb"\s*solid\b", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_PRINTABLE = re.compile(rb"[\t\r\n\x20-\x7e]")
_LEAST_PRINTABLE = 0.95
_TABLE_LINES = 20
_COPY_AGAIN = "Export it again, or wait until the copy has ended."


@dataclass(frozen=True, slots=True)
class BinaryLayout:
    """A binary STL with all its facets there, followed by `trailing_bytes` that belong to none."""

    facets: int
    trailing_bytes: int
    header: bytes


@dataclass(frozen=True, slots=True)
class AsciiLayout:
    """An ASCII STL by its beginning, which follows a byte order mark of `start` bytes."""

    start: int


@dataclass(frozen=True, slots=True)
class NotMeasurable:
    """Nothing that can be measured, and why, in shop words."""

    reason: str
    format: str | None = None


def detect_format(head: bytes, size: int) -> BinaryLayout | AsciiLayout | NotMeasurable:
    """Return what a file of `size` bytes is whose first HEAD_BYTES are `head`.

    A size that fits the announced facets makes it binary whatever the header says: many programs begin
    binary headers with the word `solid`.
    """
    if size == 0:
        return NotMeasurable("0 bytes: the file is empty. Export the part again.")
    if size >= HEADER_BYTES and size == HEADER_BYTES + FACET_BYTES * _announced(head):
        return _whole_binary(head, size)
    if _is_ascii_stl(head):
        return AsciiLayout(start=len(_BOM) if head.startswith(_BOM) else 0)
    if kind := foreign_file_type(head) or (_plain_text_type(head) if size >= HEADER_BYTES else None):
        return NotMeasurable(_foreign_reason(head, kind))
    if size < HEADER_BYTES:
        return NotMeasurable(
            f"{format_count(size, 'byte')}: too short for an STL, which has at least 84. {_COPY_AGAIN}"
        )
    return _uneven_binary(head, size)


def _announced(head: bytes) -> int:
    return int.from_bytes(head[80:HEADER_BYTES], "little")


def _is_ascii_stl(head: bytes) -> bool:
    """True for text, not for a binary file whose header begins with `solid`: its count has a zero byte."""
    return bool(_SOLID.match(head.removeprefix(_BOM))) and not _CONTROL.search(head[80:HEADER_BYTES])


def _foreign_reason(head: bytes, kind: str) -> str:
    if is_utf16(head):
        return "The file is text in UTF-16, which no slicer reads. Save it as plain ASCII or as binary STL."
    return f"The file is no STL but {kind}. Export the part as STL."


def _plain_text_type(head: bytes) -> str | None:
    """Name the kind of a text that is nothing better known, or return None for other bytes."""
    printable = len(_PRINTABLE.findall(head))
    if _CONTROL.search(head) or printable < _LEAST_PRINTABLE * len(head):
        return None
    lines = head.split(b"\n")[:_TABLE_LINES]
    separators = [{line.count(mark) for line in lines[:-1] or lines} for mark in (b",", b";", b"\t")]
    is_table = any(len(counts) == 1 and min(counts) > 1 for counts in separators)
    return "a table in text (CSV)" if is_table else "plain text"


def _whole_binary(head: bytes, size: int) -> BinaryLayout | NotMeasurable:
    if size == HEADER_BYTES:
        return NotMeasurable("The file has no facets: nothing was selected when it was exported.", "binary")
    return BinaryLayout(_announced(head), 0, head[:80])


def _uneven_binary(head: bytes, size: int) -> BinaryLayout | NotMeasurable:
    """Return the layout of a binary file whose size does not fit its header, or what is wrong with it."""
    if not any(head):
        reason = f"{size:,} bytes, and they begin with zeros only: the copy failed. Copy the file again."
        return NotMeasurable(reason)
    announced, (there, rest) = _announced(head), divmod(size - HEADER_BYTES, FACET_BYTES)
    if announced > there:
        return NotMeasurable(_truncation_reason(head, announced, there, size), "binary")
    extra = there - announced
    if announced == 0 or (extra and rest == 0):
        reason = (
            f"The header announces {announced:,} facets, but the file has {there:,}: the export broke off."
        )
        return NotMeasurable(f"{reason} Export it again.", "binary")
    return BinaryLayout(announced, size - HEADER_BYTES - announced * FACET_BYTES, head[:80])


def _truncation_reason(head: bytes, announced: int, there: int, size: int) -> str:
    if size == HEADER_BYTES + FACET_BYTES * int.from_bytes(head[80:HEADER_BYTES], "big"):
        return "The numbers are in big-endian order, which no slicer reads. Export it again as binary STL."
    return f"{there:,} of {announced:,} facets are there: the file is cut off. {_COPY_AGAIN}"
