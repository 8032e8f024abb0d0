"""What to say of a file that is gone from its place: whether it may be dropped again, or was sent already.

A database that was restored from a backup may know less than what happened: then the file is in done/, its
build is sent, and "drop it again" would print it twice.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from workflow.errors import NotAPlainFile
from workflow.frozen import frozen
from workflow.intake import (
    APPROVED_FOLDER,
    INBOX_FOLDER,
    FileRoots,
    Outcome,
    Share,
    exists_in_share,
    hash_file,
)
from workflow.ledger import Ledger
from workflow.model import ENDED_STATES, HoldReason, Submission, SubmissionState

LOOK_FIRST = "Look in Eiger before you drop it again, or it is printed twice."
MAX_COPIES_READ = 20
UNSENT_ENDS = frozenset({SubmissionState.REJECTED, SubmissionState.CANCELED})


_MOVED_TEXT = {
    APPROVED_FOLDER: "It goes on from there.",
    Outcome.REJECTED: "That cancels it.",
    INBOX_FOLDER: "It is checked again as a new submission.",
}
"""What happens by itself with a file that a person has moved to one of these folders."""
_NOT_HELD = {
    APPROVED_FOLDER: "Only a file from held/ can be approved. Move it to inbox/ to have it checked again."
}


@frozen
class MissingFile:
    """What to say of a file that is gone; `decides`: what becomes of it is decided elsewhere."""

    text: str
    decides: bool = False


def find_missing_file(ledger: Ledger, number: int, share: Share | None) -> MissingFile | None:
    """Return that the file of a submission was taken away; None if it is there or nobody can tell."""
    submission = ledger.get(number)
    missing = _find_missing(ledger, submission, share)
    if missing is None or ledger.get(number) == submission:
        return missing
    return find_missing_file(ledger, number, share)  # a worker has moved it meanwhile


def _find_missing(ledger: Ledger, submission: Submission, share: Share | None) -> MissingFile | None:
    if share is None or submission.left_in_place or not share.is_reachable():
        return None
    place = submission.claimed_as or ""
    there = exists_in_share(share, place) and not belongs_to_newer(ledger, submission)
    others = (share.claimed_path(submission.path, submission.id), submission.placed_as)
    if there or any(exists_in_share(share, each) for each in others if each):
        return None
    moved = find_moved_file(ledger, share, submission)
    if moved is None:
        gone_on = any(each.state not in UNSENT_ENDS for each in _dropped_again(ledger, submission))
        return MissingFile(missing_file_text(ledger, share, submission), gone_on)
    folder, ended = moved.partition("/")[0], submission.state in ENDED_STATES
    if folder == APPROVED_FOLDER and not ended:
        return None  # the approval is about to be seen, and the file taken from there
    is_new = folder == INBOX_FOLDER and submission.hold is not HoldReason.SEND
    cancels = folder == Outcome.REJECTED and not ended
    return MissingFile(_moved_text(submission, moved), is_new or cancels)


def belongs_to_newer(ledger: Ledger, submission: Submission) -> bool:
    """True if the file at the place of a submission came there later, with a submission of its own.

    The file of this one was dragged out of its folder then, and perhaps back to the inbox. Look whether there
    is a file before this is asked: the place of a newer one is written down before its file comes there.
    """
    place = submission.claimed_as or ""
    if place.startswith("processing/") or submission.left_in_place:
        return False
    return any(each.id > submission.id and each.reused is None for each in ledger.list_at_path(place))


def find_moved_file(ledger: Ledger, share: Share, submission: Submission, *folders: str) -> str | None:
    """Return where a person has moved the file of a submission; None if it is in none of the folders.

    It has the same content and name, and is not the file of another submission.
    """
    if submission.left_in_place or submission.sha256 is None:
        return None
    decisions = tuple(_MOVED_TEXT) if share.decides_by_moving else (INBOX_FOLDER,)
    for place in _possible_places(submission, folders or decisions):
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError, NotAPlainFile):
            file = share.root / place
            same_size = submission.size in {None, file.lstat().st_size}
            is_alike = same_size and hash_file(file, FileRoots(share=share.root)) == submission.sha256
            if is_alike and not ledger.list_at_path(place):
                return place
    return None


def _possible_places(submission: Submission, folders: tuple[str, ...]) -> Iterator[str]:
    """Yield the places in these folders: below them as it was dropped or put away, or with its name alone."""
    put_away = PurePosixPath((submission.claimed_as or submission.path).partition("/")[2])
    below = (put_away, PurePosixPath(submission.path), PurePosixPath(put_away.name))
    for folder in folders:
        yield from dict.fromkeys(f"{folder}/{each}" for each in below if each.name)


def _moved_text(submission: Submission, moved: str) -> str:
    folder = moved.partition("/")[0]
    then = (_NOT_HELD if submission.state in ENDED_STATES else {}).get(folder, _MOVED_TEXT[folder])
    return f"The file of submission {submission.id} was moved to {moved}. {then}"


def missing_file_text(ledger: Ledger, share: Share, submission: Submission) -> str:
    """Return that the file is gone, and what to do. Raises StateFolderError."""
    gone = f"The file of submission {submission.id} is no longer at {submission.claimed_as}."
    if submission.left_in_place:
        return f"{gone} Put it back, then retry."
    if (moved := find_moved_file(ledger, share, submission)) is not None:
        return _moved_text(submission, moved)
    alike = ledger.list_with_content(submission.sha256) if submission.sha256 else ()
    again = next((each for each in alike if each.id > submission.id), None)
    if again is not None:
        return f"{gone} It was dropped again, and is submission {again.id} ({again.state})."
    sent = next((each for each in alike if each.receipt_id is not None), None)
    if sent is not None:
        return f"{gone} The same file was sent as submission {sent.id}. {LOOK_FIRST}"
    if (copy := find_in_done(share, submission)) is not None:
        return f"{gone} It is in {copy}, so it was probably sent. {LOOK_FIRST}"
    return f"{gone} Drop it into the inbox again: it becomes a new submission."


def find_in_done(share: Share, submission: Submission) -> str | None:
    """Return where in done/ the file of a submission is; None if it is not there.

    By its content; where that is not known, by a name that came there after the submission began.
    """
    stem, suffix = PurePosixPath(submission.path).stem, PurePosixPath(submission.path).suffix
    named = (each for each in share.done.rglob(f"*{suffix}") if each.stem.startswith(stem))
    for found, _ in zip(sorted(named), range(MAX_COPIES_READ), strict=False):
        if found.is_file() and not found.is_symlink() and _is_file_of(found, submission):
            return found.relative_to(share.root).as_posix()
    return None


def _dropped_again(ledger: Ledger, submission: Submission) -> Iterator[Submission]:
    """Yield the newer submissions of the same file: it was dragged back to the inbox, where it had been."""
    alike = ledger.list_with_content(submission.sha256) if submission.sha256 else ()
    return (each for each in alike if each.id > submission.id and each.path == submission.path)


def _is_file_of(found: Path, submission: Submission) -> bool:
    if submission.sha256 is None:
        return found.stat().st_ctime >= submission.opened_at.timestamp()
    with found.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == submission.sha256
