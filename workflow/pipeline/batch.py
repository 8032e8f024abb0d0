"""Submitting the files of a folder from their places."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from socket import gethostname

from workflow.errors import ShareError, error_reason
from workflow.intake import FolderFiles, StabilityTimes, folder_origin, is_utf8
from workflow.ledger import InPlaceFile, Ledger, Superseded
from workflow.model import Submission, SubmissionState

RETRIED_STATES = frozenset({SubmissionState.REJECTED, SubmissionState.CANCELED})
STALL_SECONDS = 10.0
"""Someone waits for the end: an unfinished, still file is rejected soon. The next batch tries it again."""
POLL_SECONDS = 0.25


def folder_files(folder: Path, times: StabilityTimes) -> FolderFiles:
    """Return the part files of a folder, for someone who waits for the end."""
    shorter = replace(times, stall_seconds=min(times.stall_seconds, STALL_SECONDS))
    return FolderFiles(folder, shorter, wait=_wait_briefly)


def submit_folder(ledger: Ledger, home: str, folder: Path, files: FolderFiles) -> Iterator[int]:
    """Yield the number of the submission of each file, new or known.

    The very same content in the very same place is sent once: a second batch finds the first one's
    submission, and goes on with it if it had not ended; so does one on another machine that sees the same
    share. `home` names this machine. Raises ShareError.
    """
    origin = _origin(folder)
    for path in files:
        if not is_utf8(path):  # nobody could find it again: its name can't be written down
            files.give_up(path, "Its name holds bytes that are no UTF-8. Rename it.")
            continue
        yield _submit_file(ledger, InPlaceFile(origin, path, str(folder / path), home))


def _submit_file(ledger: Ledger, file: InPlaceFile) -> int:
    """Return what an earlier batch, on whatever machine, made of the very same file, or begin again."""
    while True:
        earlier = ledger.in_place.list_submissions(file)
        known = _find_earlier_submission(Path(file.place), earlier)
        if known is not None:
            return _move_to_this_machine(ledger, known, file).id
        number = ledger.in_place.begin(file, after=max((twin.id for twin in earlier), default=0))
        if number is not None:
            return number


def _move_to_this_machine(ledger: Ledger, known: Submission, file: InPlaceFile) -> Submission:
    """What another machine has not read yet can be read here as well, should that one be gone for good."""
    if known.sha256 is not None or known.home == file.home:
        return known
    with suppress(Superseded):
        return ledger.update_submission(known, claimed_as=file.place, home=file.home)
    return known


def find_earlier_submission(ledger: Ledger, folder: Path, path: str) -> Submission | None:
    """Return what an earlier batch made of the very same file. Raises ShareError."""
    file = InPlaceFile(_origin(folder), path, str(folder / path), home="")
    return _find_earlier_submission(Path(file.place), ledger.in_place.list_submissions(file))


def _origin(folder: Path) -> str:
    try:
        return folder_origin(folder, gethostname())
    except OSError as error:
        raise ShareError(f"{folder} can't be read: {error_reason(error)}.") from None


def _wait_briefly(seconds: float) -> None:
    """Wait, but never so long that the last file is taken and nobody notices."""
    time.sleep(min(seconds, POLL_SECONDS))


def _find_earlier_submission(place: Path, made: Sequence[Submission]) -> Submission | None:
    """Find what an earlier batch made of this file; a rejected one gets another try."""
    earlier = [twin for twin in made if twin.state not in RETRIED_STATES]
    not_hashed = (twin for twin in earlier if twin.sha256 is None)
    return next(not_hashed, None) or _same_content(place, earlier)


def _same_content(place: Path, earlier: list[Submission]) -> Submission | None:
    try:
        with place.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # its own submission will say why it can't be read
        return None
    return next((twin for twin in earlier if twin.sha256 == sha256), None)
