"""A snapshot of a file, and what its first and last bytes say about whether all of it is there.

A binary STL is 80 bytes of header, a count, and 50 bytes per facet: its size is known from its
start. An ASCII STL ends with `endsolid`. Anything else is unfinished, or no STL at all.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from workflow.frozen import frozen
from workflow.intake.filenames import split_path
from workflow.intake.fs import open_folder, open_regular_file
from workflow.intake.name_patterns import partial_download_names

END_BYTES = 512
"""How many bytes of the start and of the end are read."""

_HEADER_BYTES = 84
_FACET_BYTES = 50
_MOST_FACETS = 100_000_000
"""Five gigabytes: a count beyond that is no count, but some other file's content."""
_TAIL_ZEROS = bytes(23)
_RUN_OF_ZEROS = bytes(58)
"""No whole facet holds more zeros: 2 attribute + 12 + 8 bytes of one, 12 normal + 12 + 11 of the next."""
_SCAN_BYTES = 1 << 20
_FIRST_WORD = re.compile(rb"(\xef\xbb\xbf)?\s*solid\b", re.IGNORECASE)
_LAST_LINE = re.compile(rb"(^|[\r\n])[ \t]*end\s?solid[^\r\n]*\s*$", re.IGNORECASE)
_OTHER_FILES = (b"<", b"PK\x03\x04", b"%PDF", b"ISO-10303", b"version https://git-lfs", b"\x89PNG", b"Rar!")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


class FileShape(StrEnum):
    """How complete a file looks from its ends."""

    BINARY = "a whole binary STL"
    ASCII = "a whole ASCII STL"
    TRAILING = "more bytes than its facets need"
    SHORT = "fewer bytes than its facets need"
    UNENDED = "no `endsolid` yet"
    NO_FACETS = "no facets yet"
    ZEROS = "room reserved, but not filled"
    EMPTY = "empty"
    FOREIGN = "no STL by its content"


@frozen
class FileEnds:
    """The shape of a file, its size, and the size that it announces itself (binary only), in bytes."""

    shape: FileShape
    size: int
    announced: int | None = None


def read_ends(file: FileIO, size: int) -> FileEnds:
    """Read both ends of an open file of `size` bytes. Raises OSError."""
    file.seek(0)
    head = file.read(END_BYTES)
    file.seek(max(0, size - END_BYTES))
    return classify_ends(head, file.read(END_BYTES), size)


def classify_ends(head: bytes, tail: bytes, size: int) -> FileEnds:
    """Return the shape of a file by its first and last bytes, and its size."""
    if size == 0:
        return FileEnds(FileShape.EMPTY, size)
    count = int.from_bytes(head[80:_HEADER_BYTES], "little") if len(head) >= _HEADER_BYTES else None
    if count and size == _HEADER_BYTES + count * _FACET_BYTES:
        shape = FileShape.ZEROS if tail.endswith(_TAIL_ZEROS) else FileShape.BINARY
        return FileEnds(shape, size, size)
    if not any(head):
        return FileEnds(FileShape.ZEROS, size)
    if _FIRST_WORD.match(head) and b"\0" not in head.rstrip(b"\0"):
        return FileEnds(_classify_text(tail), size)
    if head.startswith(_OTHER_FILES) or (count is not None and not _CONTROL.search(head)):
        return FileEnds(FileShape.FOREIGN, size)
    return _classify_binary(count, size)


def _classify_text(tail: bytes) -> FileShape:
    if b"\0" in tail:
        return FileShape.ZEROS
    return FileShape.ASCII if _LAST_LINE.search(tail) else FileShape.UNENDED


def _classify_binary(count: int | None, size: int) -> FileEnds:
    if count is None:
        return FileEnds(FileShape.SHORT, size, _HEADER_BYTES)
    if count in {0, 0xFFFFFFFF}:  # written first by programs that come back to it at the end
        return FileEnds(FileShape.EMPTY if size == _HEADER_BYTES else FileShape.NO_FACETS, size)
    if count > _MOST_FACETS:
        return FileEnds(FileShape.FOREIGN, size)
    announced = _HEADER_BYTES + count * _FACET_BYTES
    return FileEnds(FileShape.SHORT if size < announced else FileShape.TRAILING, size, announced)


def has_unwritten_space(file: FileIO, shape: FileShape) -> bool:
    """True if a whole STL holds room that was reserved and never written. Raises OSError."""
    if shape not in {FileShape.BINARY, FileShape.ASCII}:
        return False
    run = b"\0" if shape is FileShape.ASCII else _RUN_OF_ZEROS
    file.seek(_HEADER_BYTES if shape is FileShape.BINARY else 0)
    carried = b""
    while chunk := file.read(_SCAN_BYTES):
        if run in carried + chunk:
            return True
        carried = chunk[len(chunk) - len(run) + 1 :] if len(run) > 1 else b""
    return False


class FileSignature(NamedTuple):
    """What changes when a file is replaced or written. Inodes are soon used again, so never alone."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@frozen
class FileSnapshot:
    """One snapshot; two equal ones mean that nothing has changed in between."""

    signature: FileSignature
    ends: FileEnds
    links: int = 1

    def without_inode(self) -> "FileSnapshot":
        """Return the snapshot without the inode, which some network mounts change each time."""
        return replace(self, signature=self.signature._replace(inode=0))


@frozen
class OpenSnapshot:
    """Snapshot of an open file: open for reading until the check ends."""

    file: FileIO
    snapshot: FileSnapshot
    download: str | None = None
    """The name of an unfinished download of this very file, when one is beside it."""

    def is_unchanged(self) -> bool:
        """True if nothing has happened to the file since the snapshot."""
        return signature_of(os.fstat(self.file.fileno())) == self.snapshot.signature


def signature_of(seen: os.stat_result) -> FileSignature:
    """Return what matters of a stat result."""
    return FileSignature(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


@contextmanager
def open_snapshot(inbox: Path, path: str) -> Iterator[OpenSnapshot]:
    """Open a file of the inbox for one check.

    Raises FileNotFoundError when it is gone, NotAPlainFile for links, pipes and the like, OSError
    when it can't be read.
    """
    folders, name = split_path(path)
    with open_folder(inbox, folders) as folder, FileIO(open_regular_file(folder, name)) as file:
        seen = os.fstat(file.fileno())
        snapshot = FileSnapshot(signature_of(seen), read_ends(file, seen.st_size), seen.st_nlink)
        beside = next((other for other in partial_download_names(name) if folder.has(other)), None)
        yield OpenSnapshot(file, snapshot, beside)
