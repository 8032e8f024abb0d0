"""A read-only inbox: nothing is moved, and a memory of what was taken keeps it from being taken again."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from workflow.errors import StlflowError
from workflow.intake.folders import open_part, opened
from workflow.intake.names import is_text, readable, split
from workflow.intake.share import Share
from workflow.intake.sight import Signature
from workflow.intake.taking import CantTake, in_words

BEING_READ = "what was taken from this place is being read: then it shows whether this is new"
NO_TEXT = "its name, or that of its folder, holds bytes that are no UTF-8: rename it"


class Left(NamedTuple):
    """How a file looked when it was taken: size in bytes, and its times. Inodes mean nothing on mounts."""

    size: int
    mtime_ns: int
    ctime_ns: int


class Before(NamedTuple):
    """What was last taken from a path: by which submission, how it looked, and its content.

    `left` is None where only the submission remembers it; `unread`: its content is about to be read.
    """

    number: int
    left: Left | None
    sha256: str | None
    unread: bool


class LeftRegister(Protocol):
    """What a read-only inbox asks of the ledger. All may raise StlflowError or OSError."""

    def left(self) -> Mapping[str, Left]:
        """Give every file that was taken and left, by its path, as it looked."""

    def left_before(self, path: str) -> Before | None:
        """Give what was last taken from this path, on whatever machine; None where nothing was."""

    def take_left(self, path: str, left: Left, before: Before | None) -> bool:
        """Begin a submission for a file in its place; False when `before` is no longer what is known."""

    def still_left(self, path: str, left: Left, before: Before) -> None:
        """The file has new times, but its content is what was taken before."""


class Leaving:
    """Takes files of a read-only inbox where they are."""

    def __init__(self, share: Share, register: LeftRegister) -> None:
        self._share, self._register = share, register
        self._known: dict[str, Left] | None = None

    def news(self, paths: Collection[str]) -> frozenset[str]:
        """Give what was not taken before as it is now. Raises StlflowError, OSError."""
        known = self._memory()
        return frozenset(path for path in paths if not self._is_known(path, known))

    def take(self, path: str, seen: Signature) -> bool:
        """Begin a submission, unless only the file's times are new. Raises CantTake."""
        if not is_text(path):  # nobody could find it again: its name can't be written down
            raise CantTake(NO_TEXT)
        left = Left(seen.size, seen.mtime_ns, seen.ctime_ns)
        try:
            taken = self._take(path, left)
        except (StlflowError, OSError) as error:
            raise CantTake(in_words(error)) from error
        self._memory()[path] = left
        return taken

    def record_the_rest(self) -> bool:
        """A file is taken and written down in one step: nothing is left to write."""
        return True

    def _memory(self) -> dict[str, Left]:
        if self._known is None:
            self._known = dict(self._register.left())
        return self._known

    def _is_known(self, path: str, known: Mapping[str, Left]) -> bool:
        return path in known and looks_like(self._share.inbox / path, known[path])

    def _take(self, path: str, left: Left) -> bool:
        """Another machine may see the same file with other times: then its content decides."""
        name = readable(path)
        before = self._register.left_before(name)
        if before is not None and before.left == left:
            return False
        if before is not None and before.unread:
            raise CantTake(BEING_READ)
        if before is not None and before.sha256 == _sha256(self._share.inbox, path):
            self._register.still_left(name, left, before)
            return False
        if not self._register.take_left(name, left, before):
            raise CantTake(BEING_READ)
        return True


def looks_like(place: Path, left: Left) -> bool:
    """Tell whether a file is there and looks as it did when it was taken."""
    try:
        now = place.lstat()
    except OSError:
        return False
    return left == Left(now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _sha256(inbox: Path, path: str) -> str:
    folders, name = split(path)
    with opened(inbox, folders) as folder, open(open_part(folder, name), "rb") as file:  # noqa: PTH123  # by descriptor
        return hashlib.file_digest(file, "sha256").hexdigest()
