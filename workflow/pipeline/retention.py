"""Upkeep now and then: what has ended and is old makes room. What is unfinished is never touched."""

import hashlib
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from socket import gethostname

from loguru import logger

from workflow.errors import error_reason
from workflow.frozen import frozen
from workflow.intake import (
    APPROVED_FOLDER,
    Outcome,
    Share,
    folder_origin,
    is_part_file,
    paths_below,
    scan_inbox,
    signature_of,
)
from workflow.intake.filenames import is_utf8
from workflow.ledger import Ledger
from workflow.model import ENDED_STATES, Submission, SubmissionState
from workflow.notes import remove_notes_left
from workflow.pipeline.context import Context, now

RETENTION_INTERVAL_SECONDS = 3600.0
FORGET_MISSING_SECONDS = 30 * 86_400.0
"""So long a file of a read-only inbox may be gone, and is not taken again when it comes back unchanged."""
LEFTOVER_SECONDS = 86_400.0
"""An unfinished file of stlflow that is older than this is of a process that was killed."""
_LEFTOVER = re.compile(r"\.stlflow-(echo-|probe-)?([0-9a-f]{8}|[0-9a-f]{12})(\.tmp)?")
"""How files are called until they are written, and those that test a folder."""
NEEDS_COPY = frozenset({SubmissionState.CLAIMED, SubmissionState.INSPECTED})
CLEANED_FOLDERS = (Outcome.DONE, Outcome.REJECTED)


@frozen
class RetentionPolicy:
    """How much of the past is kept; None keeps all of it."""

    submissions: int | None = None
    submission_days: float | None = None
    file_days: float | None = None


def clean_spool(ledger: Ledger, spool: Path) -> int:
    """Delete private copies that are not needed any more; return how many.

    Only at the start, and while no stage runs that could need one: no other process uses this spool.
    """
    copies = {int(found.stem): found for found in spool.glob("*.stl") if found.stem.isdecimal()}
    needed = {each.id for each in ledger.among(list(copies)) if each.state in NEEDS_COPY}
    stale = [
        *spool.glob("*.tmp"),
        *spool.glob("*.png"),
        *(found for number, found in copies.items() if number not in needed),
    ]
    for found in stale:
        found.unlink(missing_ok=True)
    return len(stale)


def remove_leftovers(share: Share, before: float) -> int:
    """Delete unfinished notes, pictures, pages and uploads from before a time, in seconds; return how many.

    A process that is killed leaves them. Only plain files of these names, in the folders of the share.
    """
    count = 0
    folders = [share.decisions / APPROVED_FOLDER, *(share.root / each for each in Outcome)]
    folders += [] if share.left_inbox is not None else [share.inbox]
    found = (folder / path for folder in folders for path in paths_below(folder))
    for place in chain(share.root.glob(".stlflow-*"), found) if share.is_reachable() else ():
        if _LEFTOVER.fullmatch(place.name):
            with suppress(OSError):
                seen = place.lstat()
                if stat.S_ISREG(seen.st_mode) and seen.st_mtime < before:
                    place.unlink()
                    count += 1
    return count


def delete_expired(context: Context, keep: RetentionPolicy) -> None:
    """Delete old files from done/ and rejected/, and old submissions with their events, by the policy.

    A file is deleted only if its submission ended that long ago; a file of no submission stays.
    Raises StateFolderError, OSError.
    """
    _forget_missing_files(context)
    if keep.file_days is not None:
        files = _delete_old_files(context, now() - timedelta(days=keep.file_days))
        if files:
            logger.info("{} files older than {:g} days deleted.", files, keep.file_days)
    before = None if keep.submission_days is None else now() - timedelta(days=keep.submission_days)
    if before is not None or keep.submissions is not None:
        count = context.ledger.retention.delete_ended(before, keep.submissions)
        if count:
            logger.info("{} old submissions forgotten.", count)


def _forget_missing_files(context: Context) -> None:
    """Files that were taken from a read-only inbox and have long been gone need no memory."""
    inbox = context.share.left_inbox
    if inbox is None or not context.share.is_reachable():
        return
    seen = scan_inbox(inbox)
    if not seen.unreadable:
        context.ledger.in_place.forget_missing(
            folder_origin(inbox, gethostname()), seen.paths, FORGET_MISSING_SECONDS
        )


def _delete_old_files(context: Context, before: datetime) -> int:
    deleted = 0
    for place in _outcome_files(context.share):
        try:
            deleted += _delete_if_old(context, place, before)
        except OSError as error:  # one that can't be deleted, or was by another worker, keeps no other
            logger.debug("{} stays: {}", place, error_reason(error))
    return deleted


def _delete_if_old(context: Context, place: Path, before: datetime) -> bool:
    """Delete a file whose submissions all ended before a time, with its note; True if it is gone."""
    seen = signature_of(place.lstat())
    owners = context.ledger.list_at_path(place.relative_to(context.share.root).as_posix())
    old = [each for each in owners if each.state in ENDED_STATES and each.ended_at and each.ended_at < before]
    ended = len(old) == len(owners) and all(each.step is None for each in owners)
    if not (owners and ended and _is_unchanged(place, owners)):
        return False
    if signature_of(place.lstat()) != seen:  # a newer one has the name by now
        return False
    place.unlink(missing_ok=True)
    remove_notes_left(place)
    return True


def _is_unchanged(place: Path, owners: Sequence[Submission]) -> bool:
    """A file that someone has put in the place of ours, or changed, is theirs."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() in {each.sha256 for each in owners}


def _outcome_files(share: Share) -> Iterator[Path]:
    if not share.is_reachable():
        return
    for outcome in CLEANED_FOLDERS:
        for found in (share.root / outcome).rglob("*"):
            ours = is_part_file(found.name) and is_utf8(str(found))  # names that we give are text
            if ours and found.is_file() and not found.is_symlink():
                yield found
