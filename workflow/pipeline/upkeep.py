"""Upkeep now and then: what has ended and is old makes room. What is unfinished is never touched."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from socket import gethostname

from loguru import logger

from workflow.feedback import remove_note
from workflow.intake import Outcome, Share, is_part_file, origin_of, walk
from workflow.intake.names import is_text
from workflow.ledger import Ledger, forget_ended, forget_gone, stand_in_place
from workflow.model import ENDED, State, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.workshop import Workshop

EVERY_SECONDS = 3600.0
ENGINE_ROWS_SECONDS = 86_400.0
"""The engine's own rows are of no use once a stage has ended; a day of them helps whoever looks into it."""
GONE_SECONDS = 30 * 86_400.0
"""So long a file of a read-only inbox may be gone, and is not taken again when it comes back unchanged."""
NEEDS_COPY = frozenset({State.CLAIMED, State.INSPECTED})
PUT_AWAY = (Outcome.DONE, Outcome.REJECTED)


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of the past is kept; None keeps all of it."""

    submissions: int | None = None
    submission_days: float | None = None
    file_days: float | None = None


def tidy_spool(ledger: Ledger, spool: Path) -> int:
    """Delete private copies that nothing here will look at again; gives how many.

    Only at the start, and while nothing runs that could need one: the spool is this process's alone.
    """
    copies = {int(found.stem): found for found in spool.glob("*.stl") if found.stem.isdecimal()}
    needed = {each.id for each in ledger.among(list(copies)) if each.state in NEEDS_COPY}
    stale = [*spool.glob("*.tmp"), *(found for number, found in copies.items() if number not in needed)]
    for found in stale:
        found.unlink(missing_ok=True)
    return len(stale)


def retire(shop: Workshop, keep: Keep) -> None:
    """Delete old files from done/ and rejected/, and old submissions with their events, as far as asked for.

    A file goes only if its submission has ended, so long ago; a file that no submission knows stays.
    Raises StateError, OSError.
    """
    _forget_gone(shop)
    if keep.file_days is not None:
        files = _delete_old_files(shop, now() - timedelta(days=keep.file_days))
        if files:
            logger.info("{} files older than {:g} days deleted.", files, keep.file_days)
    before = None if keep.submission_days is None else now() - timedelta(days=keep.submission_days)
    if before is not None or keep.submissions is not None:
        count = forget_ended(shop.ledger, before, keep.submissions)
        if count:
            logger.info("{} old submissions forgotten.", count)


def _forget_gone(shop: Workshop) -> None:
    """Files that were taken from a read-only inbox and have long been gone need no memory."""
    inbox = shop.share.left_inbox
    if inbox is None or not shop.share.is_there():
        return
    seen = walk(inbox)
    if not seen.unreadable:
        forget_gone(shop.ledger, origin_of(inbox, gethostname()), seen.paths, GONE_SECONDS)


def _delete_old_files(shop: Workshop, before: datetime) -> int:
    deleted = 0
    for place in _outcome_files(shop.share):
        owners = stand_in_place(shop.ledger, place.relative_to(shop.share.root).as_posix())
        old = [each for each in owners if each.state in ENDED and each.ended_at and each.ended_at < before]
        ended = len(old) == len(owners) and all(each.step is None for each in owners)
        if owners and ended and _is_what_was_put(place, owners):
            place.unlink(missing_ok=True)
            remove_note(place)
            deleted += 1
    return deleted


def _is_what_was_put(place: Path, owners: Sequence[Submission]) -> bool:
    """A file that somebody has put in the place of ours, or changed, is theirs."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() in {each.sha256 for each in owners}


def _outcome_files(share: Share) -> Iterator[Path]:
    if not share.is_there():
        return
    for outcome in PUT_AWAY:
        for found in (share.root / outcome).rglob("*"):
            ours = is_part_file(found.name) and is_text(str(found))  # names that we give are text
            if ours and found.is_file() and not found.is_symlink():
                yield found
