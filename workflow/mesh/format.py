"""What kind of file this is, by its first bytes and its size, and reading it in bounded pieces.

What a header claims is only compared. A file is hashed while it is read: no byte is read twice for it. A
block holds the corners of up to BLOCK_FACETS facets, one row per coordinate: x, y, z of the first, second
and third corner, so shape (9, n), float32, C order. Whole rows are what numpy adds and multiplies fastest,
and a block this small stays in the processor's cache. There is no -0.0 in a block: equal coordinates have
equal bits.
"""

import hashlib
import re
from collections.abc import Iterator
from io import FileIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from stl import Mesh

from workflow.errors import format_count
from workflow.frozen import frozen
from workflow.mesh.warnings import MeshWarning, MeshWarningKind

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
_TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = (  # atomic where a hostile file could make it search on
    (re.compile(rb"(?>\s*(<!--.*?-->\s*)*)<(!doctype html|html|head|body)\b", re.I | re.S), "an HTML page"),
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


@frozen
class BinaryLayout:
    """A binary STL with all its facets there, followed by `trailing_bytes` that belong to none."""

    facets: int
    trailing_bytes: int
    header: bytes


@frozen
class AsciiLayout:
    """An ASCII STL by its beginning, which follows a byte order mark of `start` bytes."""

    start: int


@frozen
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
        short = f"{format_count(size, 'byte')}: too short for an STL, which has at least 84."
        return NotMeasurable(f"{short} {_COPY_AGAIN}")
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


_DRAIN_BYTES = 1 << 18


class HashingStream:
    """The bytes of one open file, in order. `sha256` covers what was read until `drain` ended.

    Raises OSError from every method that reads.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._position = 0

    def head(self) -> bytes:
        """Return the first bytes, and begin again after them at 0."""
        head = self._file.read(HEAD_BYTES)
        self.rewind(0)
        return head or b""

    def rewind(self, position: int) -> None:
        """Go to a position, at or before the furthest that was read."""
        self._file.seek(position)
        self._position = position

    def skip(self, size: int) -> None:
        """Read over a few bytes."""
        self.fill(memoryview(bytearray(size)))

    def fill(self, into: memoryview) -> int:
        """Read until `into` is full or the file ends; gives how many bytes were read."""
        filled = 0
        while filled < len(into):
            count = self._file.readinto(into[filled:])
            if not count:
                break
            filled += count
        self._update_hash(into[:filled])
        self._position += filled
        return filled

    def drain(self) -> None:
        """Read the rest, for the hash alone."""
        self.rewind(self._hashed)
        rest = memoryview(bytearray(_DRAIN_BYTES))
        while self.fill(rest):
            pass

    @property
    def sha256(self) -> str:
        """Return the hash in hex of what was read so far."""
        return self._digest.hexdigest()

    def _update_hash(self, piece: memoryview) -> None:
        unseen = self._position + len(piece) - self._hashed
        if unseen > 0:
            self._digest.update(piece[len(piece) - unseen :])
            self._hashed += unseen


Block: TypeAlias = NDArray[np.float32]
Hashes: TypeAlias = NDArray[np.uint64]

BLOCK_FACETS = 8192


def remove_negative_zeros(block: Block) -> Block:
    """Turn -0.0 into 0.0, in place."""
    block += np.float32(0)
    return block


class UnreadableMesh(Exception):
    """The content can't be read as STL; the message says where and why, in shop words. Caught in the room."""


class BinaryReader:
    """Reads the facets that `layout` counts; `has_colour` tells of attribute bytes or a color header."""

    format = "binary"
    solids = 1

    def __init__(self, stream: HashingStream, layout: BinaryLayout) -> None:
        self._stream = stream
        self._layout = layout
        self.facets_at_least = layout.facets
        self.has_colour = b"COLOR=" in layout.header
        self._only: Block | None = None

    def blocks(self) -> Iterator[Block]:
        """Return all facets from the start; each block is overwritten by the next.

        The layout of a facet is that of numpy-stl's `Mesh.dtype`. Raises Unreadable where room was reserved
        for facets and never filled, as a copy over a share leaves it that breaks off, and OSError.
        """
        if self._only is not None:
            yield self._only
            return
        self._stream.rewind(0)
        self._stream.skip(HEADER_BYTES)
        piece = bytearray(FACET_BYTES * min(BLOCK_FACETS, self._layout.facets))
        corners = np.empty(9 * BLOCK_FACETS, np.float32)
        left = self._layout.facets
        empty = _EmptyFacetDetector()
        while left:
            size = self._stream.fill(memoryview(piece)[: FACET_BYTES * left])
            count = size // FACET_BYTES
            if not count:
                return  # the file became shorter; the caller compares its size
            facets = np.frombuffer(piece, Mesh.dtype, count)
            self.has_colour = self.has_colour or _has_attribute(piece, count)
            block = corners[: 9 * count].reshape(9, count)
            np.copyto(block, facets["vectors"].reshape(count, 9).T)
            empty.look(block, piece)
            if count == self._layout.facets:
                self._only = block
            yield remove_negative_zeros(block)
            left -= count
        empty.finish(self._layout.facets)

    def remarks(self) -> tuple[MeshWarning, ...]:
        """Return what is odd about the file's form."""
        if not (trailing := self._layout.trailing_bytes):
            return ()
        words = f"{format_count(trailing, 'byte')} after the last facet: ignored."
        return (MeshWarning(MeshWarningKind.TRAILING_BYTES, words),)


def _has_attribute(piece: bytearray, facets: int) -> bool:
    """True if a facet has attribute bytes; four times as fast as through the field of the record."""
    words = np.frombuffer(piece, np.uint16, facets * FACET_BYTES // 2)
    return bool(np.count_nonzero(words[FACET_BYTES // 2 - 1 :: FACET_BYTES // 2]))


class _EmptyFacetDetector:
    """Counts facets of zeros only. One may be an exporter's; several in a row, or the last, are no facets."""

    def __init__(self) -> None:
        self._count = 0
        self._last = self._in_a_row = False

    def look(self, block: Block, piece: bytearray) -> None:
        """Count the empty facets among the next ones, by corners and bytes."""
        empty: NDArray[np.bool_] = block[0] == 0
        if empty.any():
            empty[empty] = ~block[:, empty].any(axis=0)
        if empty.any():
            content = np.frombuffer(piece, np.uint8, FACET_BYTES * len(empty)).reshape(-1, FACET_BYTES)
            empty[empty] = ~content[empty].any(axis=1)
        self._count += int(np.count_nonzero(empty))
        self._in_a_row = bool(self._in_a_row or (self._last and empty[0]) or (empty[1:] & empty[:-1]).any())
        self._last = bool(empty[-1])

    def finish(self, facets: int) -> None:
        """Judge at the end of the file. Raises Unreadable."""
        if self._last or self._in_a_row:
            raise UnreadableMesh(
                f"{self._count:,} of {facets:,} facets are empty: room was reserved for them, but the copy "
                f"broke off. Copy the file again."
            )
