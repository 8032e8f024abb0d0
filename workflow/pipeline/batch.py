"""Submitting the files of a folder from their places."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from workflow.intake import GateTimes
from workflow.intake.visit import visit
from workflow.ledger import Ledger
from workflow.model import State, Submission

OPEN_AGAIN = frozenset({State.REJECTED, State.CANCELED})


def submit_folder(ledger: Ledger, folder: Path, times: GateTimes) -> Iterator[int]:
    """Give the number of the submission of each file, new or known.

    The very same content in the very same place is sent once: a second batch finds the first one's
    submission, and goes on with it if it had not ended. Raises ShareError.
    """
    for path in visit(folder, times):
        place = folder / path
        known = _known(ledger, place)
        if known is not None:
            yield known.id
            continue
        number = ledger.open(path)
        ledger.claimed(number, str(place), left_in_place=True)
        yield number


def _known(ledger: Ledger, place: Path) -> Submission | None:
    """Find what an earlier batch made of this file; a rejected one gets another try."""
    with place.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    same = (twin for twin in ledger.with_content(sha256) if twin.claimed_as == str(place))
    return next((twin for twin in same if twin.state not in OPEN_AGAIN), None)
