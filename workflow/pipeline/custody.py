"""Taking the bytes into custody: a private copy, whose content is what everything else is about."""

import hashlib
from contextlib import suppress
from pathlib import Path

from workflow.errors import NotAPlainFile, StillChanging
from workflow.feedback import remove_note
from workflow.intake import call_back, take_custody
from workflow.model import Hold, Submission
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.twins import take_over_content
from workflow.pipeline.workshop import Workshop

STILL_CHANGING_SECONDS = 2.0


def take_in(shop: Workshop, submission: Submission) -> Submission:
    """Copy the claimed bytes into the spool and learn their sha256: what is checked is what is sent."""
    spool_file = shop.spool_file(submission)
    if submission.sha256 and _is_copy(spool_file, submission.sha256):
        return submission
    try:
        submission = _back_to_work(shop, submission)
        shop.spool.mkdir(parents=True, exist_ok=True)  # whoever tidied it away is not the file's fault
        custody = take_custody(shop.source(submission), spool_file, root=_root(shop, submission))
    except StillChanging as error:
        return wait_in_line(shop, submission, STILL_CHANGING_SECONDS, str(error))
    except NotAPlainFile as refusal:
        return hold(shop, submission, Hold.FILE, str(refusal))
    except FileNotFoundError:
        return _gone(shop, submission)
    except PermissionError:
        if submission.left_in_place:  # nobody but its owner can change that; a share may come round
            return hold(shop, submission, Hold.FILE, f"{submission.claimed_as} can't be read: no permission.")
        raise
    return take_over_content(shop, submission, custody)


def _root(shop: Workshop, submission: Submission) -> Path | None:
    """Give the folder whose absence means that the share is gone, and not the file."""
    if not submission.left_in_place:
        return shop.share.root
    inbox = shop.share.left_inbox
    inside = inbox is not None and shop.source(submission).is_relative_to(inbox)
    return inbox.parent if inbox is not None and inside else None


def _is_copy(spool_file: Path, sha256: str) -> bool:
    """Tell whether the private copy is here: it is not on another machine, where it may be an old one."""
    try:
        with spool_file.open("rb") as copy:
            return hashlib.file_digest(copy, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _gone(shop: Workshop, submission: Submission) -> Submission:
    again = "Put it back, then retry." if submission.left_in_place else "Drop it into the inbox again."
    gone = f"The file is gone from {submission.claimed_as}. {again}"
    return hold(shop, submission, Hold.FILE, gone)


def _back_to_work(shop: Workshop, submission: Submission) -> Submission:
    """On a retry the file stands in an outcome folder: bring it back to processing/."""
    placed = submission.placed_as if submission.left_in_place else submission.claimed_as
    if placed is None or placed.startswith("processing/"):
        return submission
    with suppress(OSError):
        remove_note(shop.share.root / placed)  # what it says is no longer true
    if submission.left_in_place:
        return shop.ledger.change(submission, placed_as=None)
    claimed_as = call_back(shop.share, placed, submission.id, submission.path)
    return shop.ledger.change(submission, claimed_as=claimed_as, placed_as=None)
