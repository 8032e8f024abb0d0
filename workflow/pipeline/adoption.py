"""After a crash: files and rows that lost each other between the claim and the ledger find back."""

import re
from pathlib import PurePosixPath

from loguru import logger

from workflow.intake import Share
from workflow.ledger import Ledger

NUMBERED = re.compile(r"^(\d+)~(.+)$")


def adopt(ledger: Ledger, share: Share) -> None:
    """Give every file in processing/ its submission, and drop rows whose file was never taken."""
    unclaimed = {submission.id for submission in ledger.unclaimed()}
    known = {submission.claimed_as for submission in ledger.all()}
    for claimed_as in _claimed_files(share):
        if claimed_as in known:
            continue
        number, path = _read_name(share, claimed_as)
        if number in unclaimed:
            unclaimed.discard(number)
            ledger.claimed(number, claimed_as)
        else:
            ledger.claimed(ledger.open(path), claimed_as)
        logger.info("{} was claimed before a stop: it goes on.", path)
    for number in unclaimed:
        ledger.forget(number)


def _claimed_files(share: Share) -> list[str]:
    files = (found for found in share.processing.rglob("*") if found.is_file() and not found.is_symlink())
    return sorted(found.relative_to(share.root).as_posix() for found in files)


def _read_name(share: Share, claimed_as: str) -> tuple[int | None, str]:
    under_processing = PurePosixPath(claimed_as).relative_to(
        share.processing.relative_to(share.root).as_posix()
    )
    numbered = NUMBERED.match(under_processing.name)
    if numbered is None:
        return None, str(under_processing)
    return int(numbered[1]), str(under_processing.with_name(numbered[2]))
