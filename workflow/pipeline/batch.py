"""Submitting the files of a folder from their places."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from loguru import logger

from workflow.intake import GateTimes, is_text, readable
from workflow.intake.visit import visit
from workflow.ledger import Ledger
from workflow.model import State, Submission

OPEN_AGAIN = frozenset({State.REJECTED, State.CANCELED})
STALL_SECONDS = 10.0
"""Somebody waits for the end: an unfinished, still file is rejected soon. The next batch tries it again."""
LOOK_SECONDS = 0.25


def submit_folder(ledger: Ledger, home: str, folder: Path, times: GateTimes) -> Iterator[int]:
    """Give the number of the submission of each file, new or known.

    The very same content in the very same place is sent once: a second batch finds the first one's
    submission, and goes on with it if it had not ended. `home` names this machine: the files are on its
    disk alone. Raises ShareError.
    """
    patience = replace(times, stall_seconds=min(times.stall_seconds, STALL_SECONDS))
    for path in visit(folder, patience, wait=_doze):
        if not is_text(path):  # nobody could find it again: its name can't be written down
            logger.error("{} is not taken: its name is no text. Rename it.", readable(path))
            continue
        place = folder / path
        known = _known(ledger, place)
        if known is not None:
            yield known.id
            continue
        number = ledger.open(path)
        ledger.claimed(number, str(place), path=path, left_in_place=True, home=home)
        yield number


def _doze(seconds: float) -> None:
    """Wait, but never so long that the last file is taken and nobody notices."""
    time.sleep(min(seconds, LOOK_SECONDS))


def _known(ledger: Ledger, place: Path) -> Submission | None:
    """Find what an earlier batch made of this file; a rejected one gets another try."""
    earlier = [twin for twin in ledger.claimed_from(str(place)) if twin.state not in OPEN_AGAIN]
    not_hashed = (twin for twin in earlier if twin.sha256 is None)
    return next(not_hashed, None) or _same_content(place, earlier)


def _same_content(place: Path, earlier: list[Submission]) -> Submission | None:
    try:
        with place.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # its own submission will say why it can't be read
        return None
    return next((twin for twin in earlier if twin.sha256 == sha256), None)
