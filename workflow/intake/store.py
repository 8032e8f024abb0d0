"""What the inbox asks of the ledger, and what it reports to it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from workflow.intake.completeness import FileSignature
from workflow.intake.scan import InboxScan


class FileStamp(NamedTuple):
    """How a file looked when it was taken: size in bytes, and its times. Inodes mean nothing on mounts."""

    size: int
    mtime_ns: int
    ctime_ns: int


class PreviousSubmission(NamedTuple):
    """What was last taken from a path: by which submission, how it looked, and its content.

    `left` is None where only the submission remembers it; `unread`: its content is about to be read.
    """

    number: int
    left: FileStamp | None
    sha256: str | None
    unread: bool


class FileTaker(Protocol):
    """What takes the files of a watched folder once they are complete.

    All methods may raise StlflowError or OSError.
    """

    def new_paths(self, paths: frozenset[str]) -> frozenset[str]:
        """Return the paths that are not taken yet, of all that a scan found."""

    def submit_file(self, path: str, seen: FileSignature) -> bool:
        """Take a file that looks as it was seen; False if it changed since. Raises NotTakenYet."""

    def record_pending_claims(self) -> bool:
        """Record what could not be recorded before; True if nothing is left."""


class IntakeStore(Protocol):
    """The record of what the inbox does. All methods may raise StlflowError or OSError."""

    # -- files that are moved out of the inbox

    def open(self, path: str) -> int:
        """Begin a submission before its file is touched; return its number."""

    def claimed(self, number: int, claimed_as: str) -> None:
        """Record that the file is in processing/."""

    def forget(self, number: int) -> None:
        """Undo `open`: the file could not be taken after all."""

    # -- files that stay in a read-only inbox

    def left(self) -> Mapping[str, FileStamp]:
        """Return every file that was taken and left, by its path, as it looked."""

    def previous_submission(self, path: str) -> PreviousSubmission | None:
        """Return what was last taken from this path, on any machine; None where nothing was."""

    def submit_in_place(self, path: str, left: FileStamp, before: PreviousSubmission | None) -> bool:
        """Begin a submission for a file in its place; False when `before` is no longer what is known."""

    def record_unchanged(self, path: str, left: FileStamp, before: PreviousSubmission) -> None:
        """Record that the file at `path` is what `before` took, with these times."""

    # -- many files at once

    def mass_arrival_paths(self) -> Mapping[str, bool]:
        """Return the paths that were set aside, each with whether a person has accepted it by now."""

    def record_mass_arrival(self, paths: Collection[str]) -> None:
        """Record that these came with too many others, and wait for a person."""

    def remove_mass_arrival(self, paths: Collection[str]) -> None:
        """Remove paths that are no longer in the inbox: taken after all, or taken away."""

    # -- what a scan found

    def on_share_available(self) -> None:
        """The share is there, at the start or again: claims that a crash cut off are recovered."""

    def on_untaken_file(self, path: str, why: str) -> None:
        """A file or folder has been in the inbox for a while and is not taken."""

    def on_scan(self, found: InboxScan, settled: Collection[str]) -> None:
        """The inbox was walked through; what kept the paths in `settled` keeps them no longer."""
