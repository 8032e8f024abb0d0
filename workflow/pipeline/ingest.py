"""Taking the bytes into custody: a private copy, whose content is what everything else is about."""

import hashlib
from contextlib import suppress
from pathlib import Path

from workflow.errors import NotAPlainFile, StillChanging
from workflow.intake import FileRoots, copy_to_spool, hash_file, reclaim_file
from workflow.model import HoldReason, Submission
from workflow.notes import remove_note
from workflow.pipeline.context import Context
from workflow.pipeline.duplicates import deduplicate_submission
from workflow.pipeline.missing_file import missing_file_text
from workflow.pipeline.transitions import hold, schedule_retry

STILL_CHANGING_SECONDS = 2.0


def ingest_file(context: Context, submission: Submission) -> Submission:
    """Copy the claimed bytes into the spool and learn their sha256: what is checked is what is sent."""
    spool_file = context.spool_path(submission)
    if submission.sha256 and _is_copy(spool_file, submission.sha256):
        return submission
    try:
        submission = _return_to_processing(context, submission)
        context.spool.mkdir(parents=True, exist_ok=True)  # a missing spool folder is not the file's fault
        custody = copy_to_spool(context.source(submission), spool_file, _roots(context, submission))
    except StillChanging as error:
        return schedule_retry(context, submission, STILL_CHANGING_SECONDS, str(error))
    except NotAPlainFile as refusal:
        return hold(context, submission, HoldReason.FILE, str(refusal))
    except FileNotFoundError:
        return _hold_missing_file(context, submission)
    except PermissionError:
        if submission.left_in_place:  # nobody but its owner can change that; a share may come round
            return hold(
                context, submission, HoldReason.FILE, f"{submission.claimed_as} can't be read: no permission."
            )
        raise
    return deduplicate_submission(context, submission, custody)


def is_still_as_taken(context: Context, submission: Submission) -> bool:
    """True if the file still has the content that was copied, or is gone. Raises OSError.

    Where the system can't tell who writes, a program may have gone on after the file was taken: then what
    is wrong with the copy says nothing about the part.
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


def _hold_missing_file(context: Context, submission: Submission) -> Submission:
    return hold(
        context, submission, HoldReason.FILE, missing_file_text(context.ledger, context.share, submission)
    )


def _return_to_processing(context: Context, submission: Submission) -> Submission:
    """On a retry the file stands in an outcome folder: bring it back to processing/."""
    placed = submission.placed_as if submission.left_in_place else submission.claimed_as
    if placed is None or placed.startswith("processing/"):
        return submission
    with suppress(OSError):
        remove_note(context.share.root / placed)  # what it says is no longer true
    if submission.left_in_place:
        return context.ledger.update_submission(submission, placed_as=None)
    claimed_as = reclaim_file(context.share, placed, submission.id, submission.path)
    return context.ledger.update_submission(submission, claimed_as=claimed_as, placed_as=None)
