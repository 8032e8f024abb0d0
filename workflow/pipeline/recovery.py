"""Recovery of claims that a crash interrupted: files without a row, and rows without a file.

Several services may do this side by side, and others may be claiming files meanwhile: a file is looked
at again after its row was read, and a row whose step is in progress is left alone. What nobody has
claimed goes to the inbox: there one rename decides who takes it, once it is complete.
"""

import os
import stat
from collections.abc import Sequence

from loguru import logger

from workflow.errors import error_reason
from workflow.intake import (
    CLAIMS_FOLDER_PREFIX,
    INBOX_FOLDER,
    Outcome,
    Share,
    exists_in_share,
    is_part_file,
    paths_below,
    plan_and_move,
    printable_path,
)
from workflow.ledger import RESTORED_KEY, Ledger, Superseded, list_abandoned_claims
from workflow.model import Step, Submission
from workflow.pipeline.context import now
from workflow.pipeline.orphans import (
    ADVICE,
    list_orphaned_claims,
    orphans_text,
    parse_claim_name,
    update_orphan_notes,
)
from workflow.pipeline.reorder import read_order_beside

CLAIMS_AT_ONCE = 200
"""Thousands may wait for slicing, and all their rows at once would be the most that a service ever needs."""


def recover_claims(ledger: Ledger, share: Share) -> None:
    """Return every claimed file its submission, and drop rows whose file was never taken."""
    finish_abandoned_claims(ledger, share)
    restored = ledger.metadata.read(RESTORED_KEY)
    claims = _claimed_files(share)
    for begin in range(0, len(claims), CLAIMS_AT_ONCE):
        _recover_some(ledger, share, claims[begin : begin + CLAIMS_AT_ONCE], restored)
    if restored:
        ledger.metadata.write(RESTORED_KEY, "")
    _log_claims_of_others(share)


def _recover_some(ledger: Ledger, share: Share, claims: Sequence[str], restored: str | None) -> None:
    found = {claimed_as: _parse_claim_name(share, claimed_as) for claimed_as in claims}
    numbers = [number for number, _ in found.values() if number is not None]
    known = {submission.id: submission for submission in ledger.among(numbers)}
    for claimed_as, (number, path) in found.items():
        if not exists_in_share(share, claimed_as):
            continue
        row = None if number is None else known.get(number)
        if number is None or not (_is_our_claim(share, claimed_as) or _belongs_to(row, path)):
            _return_to_inbox(share, claimed_as, path)
        elif row is None and restored:
            _hold_unknown_claim(ledger, share, claimed_as, path, restored)
        elif row is None:
            ordered = read_order_beside(ledger, share, claimed_as, number)
            ledger.claimed(number, claimed_as, path=path, ordered=ordered, arrived_as=printable_path(path))
            logger.info("{} was in processing/ unknown: it continues as submission {}.", path, number)
        elif row.claimed_as is not None and (row.step is None or row.due_at is not None):
            _reattach_file(ledger, row, claimed_as)


def _hold_unknown_claim(ledger: Ledger, share: Share, claimed_as: str, path: str, restored: str) -> None:
    """Hold a file that was claimed after the backup was made: it may have been sent since."""
    try:
        placed = plan_and_move(share, claimed_as, path, Outcome.HELD)
    except FileNotFoundError:  # another worker that starts now was quicker
        return
    reason = (
        f"The database was restored from a backup ({restored}) that does not know this file. It may have "
        "been sent already: look in Eiger. If it was sent, take the file away; if not, retry it."
    )
    number = ledger.adopt(path, placed, reason)
    logger.warning("{} was claimed after the backup was made: held as submission {}.", path, number)


def finish_abandoned_claims(ledger: Ledger, share: Share) -> None:
    """Finish claims whose worker is gone: its file was taken, or was not."""
    for opened in list_abandoned_claims(ledger):
        if not share.is_reachable():
            return
        place = share.claimed_path(opened.path, opened.id)
        if exists_in_share(share, place):
            ordered = read_order_beside(ledger, share, place, opened.id)
            ledger.claimed(opened.id, place, ordered=ordered, arrived_as=printable_path(opened.path))
            logger.info("{} was claimed before a stop: it goes on.", opened.path)
        else:
            ledger.forget(opened.id)


def _return_to_inbox(share: Share, claimed_as: str, path: str) -> None:
    """Return a file without a row to the inbox: it is handled like any other file."""
    if share.left_inbox is not None:
        logger.warning("{} was put there by hand: nobody takes it.", printable_path(claimed_as))
        return
    try:
        put = plan_and_move(share, claimed_as, path, INBOX_FOLDER)
    except FileNotFoundError:  # another service was quicker
        return
    except OSError as error:
        logger.warning(
            "{} was put there by hand, and stays: {}.", printable_path(claimed_as), error_reason(error)
        )
        return
    logger.info("{} was put there by hand: it goes to {}.", printable_path(claimed_as), put)


def _belongs_to(row: Submission | None, path: str) -> bool:
    """True if a file of a release that gave claims no owner is that of a submission of ours."""
    return row is not None and row.path == path


def _reattach_file(ledger: Ledger, submission: Submission, claimed_as: str) -> None:
    """Record the place of a file whose name has the number of its submission."""
    if submission.claimed_as == claimed_as and submission.step is not None:
        return
    try:
        submission = ledger.update_submission(submission, claimed_as=claimed_as, placed_as=None)
        if submission.step is None:  # nothing goes on by itself: put the file where its end says
            ledger.schedule_next_step(submission, Step.FINISH, now())
    except Superseded:  # another service was quicker, or another file has the same number
        logger.warning("{} stays until the next start.", printable_path(claimed_as))


def _claimed_files(share: Share) -> list[str]:
    """Return our own claims, and those from before claims had an owner."""
    places = (f"processing/{below}" for below in paths_below(share.processing))
    others = f"processing/{CLAIMS_FOLDER_PREFIX}"
    ours = (each for each in places if _is_our_claim(share, each) or not each.startswith(others))
    return sorted(each for each in ours if is_part_file(each.rpartition("/")[2]) and _is_plain(share, each))


def _is_plain(share: Share, place: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(f"{share.root}/{place}").st_mode)
    except OSError:
        return False


def _is_our_claim(share: Share, place: str) -> bool:
    return place.startswith(f"{share.claims_folder}/")


def _log_claims_of_others(share: Share) -> None:
    orphans = list_orphaned_claims(share)
    update_orphan_notes(share, orphans)
    if orphans:
        logger.warning("{} {}", orphans_text(orphans), ADVICE)


def _parse_claim_name(share: Share, claimed_as: str) -> tuple[int | None, str]:
    return parse_claim_name(
        share.claims_folder if _is_our_claim(share, claimed_as) else "processing", claimed_as
    )
