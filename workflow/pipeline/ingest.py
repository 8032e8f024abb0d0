"""The private copy of a claimed file: what is inspected and uploaded."""

import hashlib
from contextlib import suppress
from pathlib import Path

from workflow.errors import NotAPlainFile, StillChanging
from workflow.intake import FileRoots, copy_to_spool, exists_in_share, hash_file, reclaim_file
from workflow.ledger import Draft, draft_of
from workflow.model import HoldReason, Submission
from workflow.notes import remove_note, remove_notes_left
from workflow.pipeline.context import Context
from workflow.pipeline.duplicates import record_content
from workflow.pipeline.missing_file import belongs_to_newer, find_moved_file, missing_file_text
from workflow.pipeline.transitions import held, retried

STILL_CHANGING_SECONDS = 2.0
MOVES_AWAITED = 30
"""How many times a file that a person has moved on is waited for: the watchers of the folders see it soon."""


def ingest_file(context: Context, draft: Draft) -> Draft:
    """Copy the claimed bytes into the spool and compute their sha256: what is checked is what is sent."""
    submission = draft.submission
    spool_file = context.spool_path(submission)
    if submission.sha256 and _is_copy(spool_file, submission.sha256):
        return draft
    try:
        submission = _return_to_processing(context, submission)
        draft = draft_of(submission)
        context.spool.mkdir(parents=True, exist_ok=True)  # a missing spool folder is not the file's fault
        spooled = copy_to_spool(context.source(submission), spool_file, _roots(context, submission))
    except StillChanging as error:
        return retried(draft, STILL_CHANGING_SECONDS, str(error))
    except NotAPlainFile as refusal:
        return held(draft, HoldReason.FILE, str(refusal))
    except FileNotFoundError:
        return _after_move(context, draft)
    except PermissionError:
        if submission.left_in_place:  # only its owner can change that; a share may recover
            return held(draft, HoldReason.FILE, f"{submission.claimed_as} can't be read: no permission.")
        raise
    return record_content(context, draft, spooled)


def _after_move(context: Context, draft: Draft) -> Draft:
    """Wait while a person has moved the file to decide and nobody has seen that; otherwise hold."""
    submission, share = draft.submission, context.share
    why = missing_file_text(context.ledger, share, submission)
    is_moved = find_moved_file(context.ledger, share, submission) is not None
    is_back = exists_in_share(share, share.claimed_path(submission.path, submission.id))  # from approved/
    if is_back or (is_moved and submission.tries < MOVES_AWAITED):
        return retried(draft, 0.0 if is_back else STILL_CHANGING_SECONDS, why)
    return held(draft, HoldReason.FILE, why)


def is_still_as_taken(context: Context, submission: Submission) -> bool:
    """True if the file still has the content that was copied, or is gone. Raises OSError.

    Where the system can't tell who writes, a program may have written more after the file was taken. Then
    a defect of the copy says nothing about the part.
    """
    try:
        return hash_file(context.source(submission), _roots(context, submission)) == submission.sha256
    except (FileNotFoundError, NotAPlainFile):
        return True


def _roots(context: Context, submission: Submission) -> FileRoots:
    """Return the folder whose absence means that the share is gone, and not the file."""
    if not submission.left_in_place:
        return FileRoots(share=context.share.root)
    inbox = context.share.left_inbox
    inside = inbox is not None and context.source(submission).is_relative_to(inbox)
    return FileRoots(inbox=inbox if inside else None)


def _is_copy(spool_file: Path, sha256: str) -> bool:
    """True if the private copy is here: it is not on another machine, where it may be an old one."""
    try:
        with spool_file.open("rb") as copy:
            return hashlib.file_digest(copy, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _return_to_processing(context: Context, submission: Submission) -> Submission:
    """Move the file of a retry from its outcome folder back to processing/."""
    placed = submission.placed_as if submission.left_in_place else submission.claimed_as
    if placed is not None and placed.startswith("processing/"):
        placed = _put_away_meanwhile(context, submission)
    if placed is None:
        return submission
    claimed_as = context.share.claimed_path(submission.path, submission.id)
    is_there = exists_in_share(context.share, placed)
    if belongs_to_newer(context.ledger, submission):
        raise FileNotFoundError(f"{placed} is another submission's by now")
    if not (is_there or submission.left_in_place or exists_in_share(context.share, claimed_as)):
        raise FileNotFoundError(f"{placed} is gone")  # what comes there meanwhile is another submission's
    if is_there and not submission.left_in_place:
        reclaim_file(context.share, placed, submission.id, submission.path)
    with suppress(OSError):  # what it says is no longer true
        (remove_note if submission.left_in_place else remove_notes_left)(context.share.root / placed)
    if submission.left_in_place:
        return context.ledger.update_submission(submission, placed_as=None)
    return context.ledger.update_submission(submission, claimed_as=claimed_as, placed_as=None)


def _put_away_meanwhile(context: Context, submission: Submission) -> str | None:
    """Return where the file was put just when a command came, so that its place was not recorded."""
    planned = submission.placed_as
    if planned is None or exists_in_share(context.share, submission.claimed_as or ""):
        return None
    return planned if exists_in_share(context.share, planned) else None
