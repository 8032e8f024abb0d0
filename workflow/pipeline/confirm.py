"""Looking whether a printer took what it was told to print: a 201 alone does not say so.

What a printer really does is only in its `active_job`; a print that has ended meanwhile shows as an
ended print job. A printer that does neither in time leaves the outcome open, and a person looks.
"""

from datetime import datetime, timedelta

from workflow.errors import NotFound
from workflow.model import Hold, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.outcome import hold
from workflow.pipeline.workshop import Workshop

TOLD = "printer told"
ENDED_WELL = "completed"
ENDED_BADLY = frozenset({"failed", "canceled", "cancelled"})


def confirm(shop: Workshop, submission: Submission, receipt_id: str) -> Submission | None:
    """Give None once the printer is seen at work on it, else the submission that waits or is held."""
    told_at = _told_at(shop, submission)
    if told_at is None:
        told_at, detail = now(), f"{submission.device}: print job {receipt_id}"
        submission = shop.ledger.record(submission, "printer told", detail)
    if _is_active(shop, submission, receipt_id):
        return None
    ended = _ended_as(shop, receipt_id)
    if ended == ENDED_WELL:
        return None
    age = (now() - told_at).total_seconds()
    if ended in ENDED_BADLY or age > shop.patience.print_now_seconds:
        return hold(shop, submission, Hold.SEND, _in_words(submission, receipt_id, ended, age))
    due_at = now() + timedelta(seconds=shop.patience.next_poll(age))
    return shop.ledger.next_turn(submission, Step.DELIVER, due_at)


def _told_at(shop: Workshop, submission: Submission) -> datetime | None:
    told = (event.at for event in shop.ledger.events(submission.id) if event.event == TOLD)
    return next(told, None)


def _is_active(shop: Workshop, submission: Submission, receipt_id: str) -> bool:
    active = shop.client.read_device(submission.device_id or "").active_job
    if active is None:
        return False
    return active.id == receipt_id or (active.build is not None and active.build.id == submission.build_id)


def _ended_as(shop: Workshop, receipt_id: str) -> str | None:
    """Give how the print job ended, in small letters; `Printing` in a print job says nothing."""
    try:
        state = shop.client.read_print_job(receipt_id).state.lower()
    except NotFound:
        return None
    return state if state == ENDED_WELL or state in ENDED_BADLY else None


def _in_words(submission: Submission, receipt_id: str, ended: str | None, age: float) -> str:
    if ended is not None:
        seen = f"{submission.device} was told to print it, and the print has {ended}"
    else:
        seen = (
            f"Outcome unknown: {submission.device} was told to print it {age:.0f} s ago, and does not show it"
        )
    return (
        f"{seen} (print job {receipt_id}). Nothing is sent again. Look at the printer: "
        f"`stlflow retry {submission.id}` looks once more, `stlflow cancel {submission.id}` leaves it."
    )
