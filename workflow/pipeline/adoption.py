"""After a crash: files and rows that lost each other between the claim and the ledger find back."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.intake import OWNED, Share, is_part_file
from workflow.ledger import Ledger
from workflow.model import Step
from workflow.pipeline.clock import now

NUMBERED = re.compile(r"^(\d+)~(.+)$")


def adopt(ledger: Ledger, share: Share) -> None:
    """Before any stage runs: every claimed file finds its submission, wherever the ledger last saw it."""
    adopt_stray_claims(ledger, share)
    known = {submission.id: submission.claimed_as for submission in ledger.all()}
    for claimed_as in _claimed_files(share):
        number, _path = _read_name(share, claimed_as)
        if number in known and known[number] != claimed_as:
            _give_back_to_row(ledger, number, claimed_as)


def adopt_stray_claims(ledger: Ledger, share: Share) -> None:
    """Give claimed files without a submission theirs, and drop rows whose file was never taken.

    May run beside the stages: it touches no submission that has begun.
    """
    unclaimed = {submission.id for submission in ledger.unclaimed()}
    known = {submission.id for submission in ledger.all()}
    for claimed_as in _claimed_files(share):
        number, path = _read_name(share, claimed_as)
        if number in known:
            continue
        if number in unclaimed:
            unclaimed.discard(number)
        else:
            number = ledger.open(path)
        ledger.claimed(number, claimed_as)
        logger.info("{} was claimed before a stop: it goes on.", path)
    for number in unclaimed:
        ledger.forget(number)
    _name_others(share)


def _give_back_to_row(ledger: Ledger, number: int, claimed_as: str) -> None:
    """The file bears the number of a submission: it is that one's, wherever the ledger last saw it."""
    submission = ledger.change(ledger.get(number), claimed_as=claimed_as, placed_as=None)
    if submission.step is None:  # nothing goes on by itself: put the file where its end says
        ledger.next_turn(submission, Step.FINISH, now())


def _claimed_files(share: Share) -> list[str]:
    """Give our own claims, and those from before claims had an owner."""
    files = (found for found in share.processing.rglob("*") if _is_claimed(found))
    places = (found.relative_to(share.root).as_posix() for found in files)
    return sorted(place for place in places if _is_ours(share, place))


def _is_claimed(found: Path) -> bool:
    return is_part_file(found.name) and found.is_file() and not found.is_symlink()


def _is_ours(share: Share, place: str) -> bool:
    return place.startswith(f"{share.claims}/") or not place.startswith(f"processing/{OWNED}")


def _name_others(share: Share) -> None:
    for owner, count in _claims_of_others(share):
        logger.info(
            "processing/{} holds {} files of another stlflow. If that one is gone for good, "
            "drag them into the inbox.", owner, count,
        )  # fmt: skip


def _claims_of_others(share: Share) -> Iterator[tuple[str, int]]:
    for folder in sorted(share.processing.glob(f"{OWNED}*")):
        count = sum(map(_is_claimed, folder.rglob("*")))
        if count and folder.name != PurePosixPath(share.claims).name:
            yield folder.name, count


def _read_name(share: Share, claimed_as: str) -> tuple[int | None, str]:
    ours = claimed_as.startswith(f"{share.claims}/")
    below = PurePosixPath(claimed_as).relative_to(share.claims if ours else "processing")
    numbered = NUMBERED.match(below.name)
    if numbered is None:
        return None, str(below)
    return int(numbered[1]), str(below.with_name(numbered[2]))
