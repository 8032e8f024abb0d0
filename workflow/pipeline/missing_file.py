"""What to say of a file that is gone from its place: whether it may be dropped again, or was sent already.

A database that was restored from a backup may know less than what happened: then the file is in done/, its
build is sent, and "drop it again" would print it twice.
"""

import hashlib
from pathlib import Path, PurePosixPath

from workflow.intake import Share
from workflow.ledger import Ledger
from workflow.model import Submission

LOOK_FIRST = "Look in Eiger before you drop it again, or it is printed twice."
MAX_COPIES_READ = 20


def missing_file_text(ledger: Ledger, share: Share, submission: Submission) -> str:
    """Return that the file is gone, and what to do. Raises StateFolderError."""
    gone = f"The file of submission {submission.id} is no longer at {submission.claimed_as}."
    if submission.left_in_place:
        return f"{gone} Put it back, then retry."
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


def _is_file_of(found: Path, submission: Submission) -> bool:
    if submission.sha256 is None:
        return found.stat().st_ctime >= submission.opened_at.timestamp()
    with found.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == submission.sha256
