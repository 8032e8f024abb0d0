"""A snapshot of a file: its identity, its times, and the shape of its ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from workflow.intake.completeness import FileEnds, read_ends
from workflow.intake.filenames import split_path
from workflow.intake.fs import open_folder, open_regular_file
from workflow.intake.name_patterns import partial_download_names


class FileSignature(NamedTuple):
    """What changes when a file is replaced or written. Inodes are soon used again, so never alone."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """One snapshot; two equal ones mean that nothing has changed in between."""

    signature: FileSignature
    ends: FileEnds
    links: int = 1

    def without_inode(self) -> "FileSnapshot":
        """Return the snapshot without the inode, which some network mounts change each time."""
        return replace(self, signature=self.signature._replace(inode=0))


@dataclass(frozen=True, slots=True)
class OpenSnapshot:
    """Snapshot of an open file: open for reading until the check ends."""

    file: FileIO
    look: FileSnapshot
    download: str | None = None
    """The name of an unfinished download of this very file, when one is beside it."""

    def is_unchanged(self) -> bool:
        """True if nothing has happened to the file since the snapshot."""
        return signature_of(os.fstat(self.file.fileno())) == self.look.signature


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
        look = FileSnapshot(signature_of(seen), read_ends(file, seen.st_size), seen.st_nlink)
        beside = next((other for other in partial_download_names(name) if folder.has(other)), None)
        yield OpenSnapshot(file, look, beside)
