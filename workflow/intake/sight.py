"""One look at a file: its identity, its times, and the shape of its ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from workflow.intake.folders import open_part, opened
from workflow.intake.kinds import download_names
from workflow.intake.names import split
from workflow.intake.shape import Ends, read_ends


class Signature(NamedTuple):
    """What changes when a file is replaced or written. Inodes are soon used again, so never alone."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw; two equal looks mean that nothing has changed in between."""

    signature: Signature
    ends: Ends
    links: int = 1

    def on_a_mount(self) -> "Look":
        """Leave out the inode, which some network mounts make up anew for each look."""
        return replace(self, signature=self.signature._replace(inode=0))


@dataclass(frozen=True, slots=True)
class InSight:
    """A file that is being looked at: open for reading, until the look ends."""

    file: FileIO
    look: Look
    download: str | None = None
    """The name of an unfinished download of this very file, when one stands beside it."""

    def is_unchanged(self) -> bool:
        """Tell whether nothing has happened to the file since the look began."""
        return signature_of(os.fstat(self.file.fileno())) == self.look.signature


def signature_of(seen: os.stat_result) -> Signature:
    """Take what matters from a stat result."""
    return Signature(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


@contextmanager
def looking_at(inbox: Path, path: str) -> Iterator[InSight]:
    """Open a file of the inbox for one look.

    Raises FileNotFoundError when it is gone, NotAPlainFile for links, pipes and the like, OSError
    when it can't be read.
    """
    folders, name = split(path)
    with opened(inbox, folders) as folder, FileIO(open_part(folder, name)) as file:
        seen = os.fstat(file.fileno())
        look = Look(signature_of(seen), read_ends(file, seen.st_size), seen.st_nlink)
        beside = next((other for other in download_names(name) if folder.has(other)), None)
        yield InSight(file, look, beside)
