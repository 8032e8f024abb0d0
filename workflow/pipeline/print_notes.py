"""How far prints are, for people: in the note beside a sent file, and for lists."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from loguru import logger

from workflow.errors import StateFolderError, catch_faults, error_reason
from workflow.ledger import Ledger
from workflow.model import Submission
from workflow.notes import PrintStatus, has_note_of, running_by_job
from workflow.pipeline.context import Context
from workflow.pipeline.submission_notes import write_submission_note


def write_print_notes(context: Context) -> None:
    """Update the notes of submissions whose print has news; what fails is tried again the next time.

    A note that a person took away is not written again. Raises StateFolderError.
    """
    due = context.ledger.prints.list_unnoted()
    if not due or not context.share.is_reachable():
        return
    for submission in due:
        update = partial(_update_note, context, submission)
        if catch_faults(update, _log_fault, but=(StateFolderError,)):
            context.ledger.prints.mark_noted(submission)


def _update_note(context: Context, submission: Submission) -> bool:
    """Write the note of one submission; False to try it again the next time."""
    place = _file_place(context, submission)
    try:
        if place is not None and has_note_of(place, submission.id):
            write_submission_note(context, submission, place)
    except OSError as error:
        logger.debug("The note of submission {} waits: {}", submission.id, error_reason(error))
        return False
    return True


def _log_fault(fault: Exception) -> bool:
    """Log a fault, and return True: it costs this one note, and is not tried, nor logged, every minute."""
    logger.opt(exception=fault).error("A fault of stlflow while writing the note of a print: {}", fault)
    return True


def _file_place(context: Context, submission: Submission) -> Path | None:
    """Return where the file is that the note is beside; None for a batch, which writes no notes."""
    place = submission.placed_as if submission.left_in_place else submission.claimed_as
    return None if place is None else context.share.root / place


def read_print_status(ledger: Ledger, submissions: Sequence[Submission]) -> Mapping[int, PrintStatus]:
    """Return how far the print of each submission is, by number; nothing for those that are not followed."""
    known = ledger.prints.read(submissions)
    running = running_by_job(ledger.printers.latest()) if known else {}
    return {number: PrintStatus(copies, running) for number, copies in known.items() if copies}
