"""After a crash: files and rows that lost each other between the claim and the ledger find back."""

import re
from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.intake import Share, is_part_file
from workflow.ledger import Ledger
from workflow.model import Step
from workflow.pipeline.clock import now

NUMBERED = re.compile(r"^(\d+)~(.+)$")


def adopt(ledger: Ledger, share: Share) -> None:
    """Give every file in processing/ its submission, and drop rows whose file was never taken."""
    unclaimed = {submission.id for submission in ledger.unclaimed()}
    known = {submission.id: submission.claimed_as for submission in ledger.all()}
    for claimed_as in _claimed_files(share):
        number, path = _read_name(share, claimed_as)
        if number in known:
            _give_back_to_row(ledger, number, claimed_as)
            continue
        if number in unclaimed:
            unclaimed.discard(number)
        else:
            number = ledger.open(path)
        ledger.claimed(number, claimed_as)
        logger.info("{} was claimed before a stop: it goes on.", path)
    for number in unclaimed:
        ledger.forget(number)


def _give_back_to_row(ledger: Ledger, number: int, claimed_as: str) -> None:
    """The file bears the number of a submission: it is that one's, wherever the ledger last saw it."""
    submission = ledger.get(number)
    if submission.claimed_as == claimed_as:
        return
    submission = ledger.change(submission, claimed_as=claimed_as, placed_as=None)
    if submission.step is None:  # nothing goes on by itself: put the file where its end says
        ledger.next_turn(submission, Step.FINISH, now())


def _claimed_files(share: Share) -> list[str]:
    files = (found for found in share.processing.rglob("*") if _is_claimed(found))
    return sorted(found.relative_to(share.root).as_posix() for found in files)


def _is_claimed(found: Path) -> bool:
    return is_part_file(found.name) and found.is_file() and not found.is_symlink()


def _read_name(share: Share, claimed_as: str) -> tuple[int | None, str]:
    under_processing = PurePosixPath(claimed_as).relative_to(
        share.processing.relative_to(share.root).as_posix()
    )
    numbered = NUMBERED.match(under_processing.name)
    if numbered is None:
        return None, str(under_processing)
    return int(numbered[1]), str(under_processing.with_name(numbered[2]))
