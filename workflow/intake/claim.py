"""The claim: one rename takes a file out of the inbox, for exactly one service; and the record it keeps.

A submission is opened first, then the file is moved, then the claim is recorded.
"""

import errno
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from loguru import logger

from workflow.errors import StlflowError, error_reason
from workflow.intake.completeness import FileSignature, signature_of
from workflow.intake.filenames import printable_path, split_path
from workflow.intake.moves import exists_in_share, move_file
from workflow.intake.scan import InboxScan
from workflow.intake.share import Share, account_name


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

    def prepare(self, paths: Sequence[str]) -> None:
        """Get ready to take these files, one after the other. Raises NotTakenYet."""

    def submit_file(self, path: str, seen: FileSignature) -> bool:
        """Take a file that looks as it was seen; False if it changed since. Raises NotTakenYet."""

    def record_pending_claims(self) -> bool:
        """Record what could not be recorded before; True if nothing is left."""


class IntakeStore(Protocol):
    """The record of what the inbox does. All methods may raise StlflowError or OSError."""

    # -- files that are moved out of the inbox

    def open_all(self, paths: Sequence[str]) -> Sequence[int]:
        """Begin submissions before their files are touched, in one transaction; return their numbers."""

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


def claim_file(share: Share, path: str, number: int) -> str | None:
    """Move `path` (under the inbox) into processing/ as `number`; return its new place under the share.

    None: another service has taken it. `copy_to_spool` makes the rename durable. Raises OSError.
    """
    claimed_as = share.claimed_path(path, number)
    return claimed_as if _try_claim_move(share, f"inbox/{path}", claimed_as, durable=False) else None


def reclaim_file(share: Share, placed: str, number: int, path: str) -> str:
    """Bring a file back from an outcome folder into processing/; return its new place under the share.

    May be repeated after a crash. Raises FileNotFoundError when the file is gone, OSError when it
    can't be moved now.
    """
    claimed_as = share.claimed_path(path, number)
    if not _try_claim_move(share, placed, claimed_as, durable=True):
        raise FileNotFoundError(f"{placed} is gone")
    return claimed_as


def undo_claim(share: Share, claimed_as: str, path: str) -> bool:
    """Undo a claim, if the name in the inbox is still free. Raises OSError."""
    try:
        move_file(share, claimed_as, f"inbox/{path}")
    except FileExistsError:
        return False
    return True


def _try_claim_move(share: Share, here: str, claimed_as: str, *, durable: bool) -> bool:
    try:
        move_file(share, here, claimed_as, durable=durable)
    except FileNotFoundError:
        # A server may repeat a rename whose reply was lost: then the first one won, and it was ours.
        return exists_in_share(share, claimed_as)
    return True


class NotTakenYet(Exception):
    """The file stays in the inbox for now; the message says why."""


def move_refusal_text(error: OSError, path: str) -> str:
    """Return why a file can't be moved out of its folder, and what to do."""
    folder = "/".join(("inbox", *split_path(printable_path(path))[0]))
    if error.errno == errno.EXDEV:
        return (
            f"{folder} is another disk or mount than the share, so the file can't be moved. "
            f"Move it to a folder of the share itself"
        )
    if error.errno == errno.EPERM:
        return (
            f"stlflow may not move it out of {folder}: only its owner may (the sticky bit is set), or "
            f"the file is locked. Remove the bit or the lock: `chmod -t` or `chattr -i`"
        )
    if isinstance(error, PermissionError):
        return f"stlflow may not move it out of {folder}. Give {account_name()} the right to write there"
    return error_reason(error)


class FileClaimer:
    """Claims files of a share, and writes each claim down as soon as the ledger allows it."""

    def __init__(self, share: Share, store: IntakeStore) -> None:
        self._share, self._store = share, store
        self._opened: dict[str, int] = {}
        """Numbers of files that could not be moved yet: each keeps its number until it is taken or gone."""
        self._unrecorded: dict[int, str] = {}
        self._record_trouble = False

    def new_paths(self, paths: frozenset[str]) -> frozenset[str]:
        """Return the paths that were not taken before: what was taken is no longer in the inbox."""
        for path in self._opened.keys() - paths:
            self._discard_submission(self._opened.pop(path))
        return paths

    def submit_file(self, path: str, seen: FileSignature) -> bool:
        """Move a file whose submission is open: a crash in between leaves the file where it was.

        False: another service took it, or it was swapped since it was seen. Raises NotTakenYet.
        """
        self.prepare((path,))
        number = self._opened[path]
        try:
            claimed_as = claim_file(self._share, path, number)
        except OSError as error:
            raise NotTakenYet(move_refusal_text(error, path)) from error
        if claimed_as is None:
            self._discard_submission(self._opened.pop(path))
            return False
        if self._was_replaced(path, claimed_as, seen):
            return False
        del self._opened[path]
        self._unrecorded[number] = claimed_as
        self._record_claim(number)
        return True

    def prepare(self, paths: Sequence[str]) -> None:
        """Open the submissions of these files; a number is used up by a file, not by an attempt."""
        news = [path for path in paths if path not in self._opened]
        try:
            numbers = self._store.open_all([printable_path(path) for path in news]) if news else ()
        except (StlflowError, OSError) as error:
            raise NotTakenYet(error_reason(error)) from error
        self._opened.update(zip(news, numbers, strict=True))

    def record_pending_claims(self) -> bool:
        """Record claims that could not be recorded when they were made; True if none is left."""
        for number in tuple(self._unrecorded):
            self._record_claim(number)
        return not self._unrecorded

    def _was_replaced(self, path: str, claimed_as: str, seen: FileSignature) -> bool:
        """True if another file took the name since it was checked; that one settles in the inbox first."""
        try:
            taken = signature_of((self._share.root / claimed_as).lstat())
            expected = seen._replace(ctime_ns=taken.ctime_ns)  # the rename itself changes it
            same = expected in {taken, taken._replace(inode=0)}  # 0: a mount, where inodes mean nothing
            return not same and undo_claim(self._share, claimed_as, path)
        except OSError:
            return False

    def _record_claim(self, number: int) -> None:
        try:
            self._store.claimed(number, self._unrecorded[number])
        except (StlflowError, OSError) as error:
            if not self._record_trouble:
                logger.warning(
                    "Submission {} is taken, but can't be written down yet: {}.", number, error_reason(error)
                )
            self._record_trouble = True
        else:
            del self._unrecorded[number]
            self._record_trouble = False

    def _discard_submission(self, number: int) -> None:
        try:
            self._store.forget(number)
        except (StlflowError, OSError) as error:
            logger.debug("Submission {} was not forgotten: {}", number, error_reason(error))
