"""The print of one copy that was sent, as far as it was followed. Times are aware and in UTC."""

from datetime import datetime
from enum import StrEnum

from workflow.frozen import frozen
from workflow.model.states import Destination


class PrintPhase(StrEnum):
    """How far the print of a copy is. The values are stored."""

    QUEUED = "queued"
    """It waits: in the queue of a printer, among the job requests, or in the backlog."""
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    CANCELED = "canceled"
    """At the printer, or taken out of its queue."""
    LOST = "lost track"
    """What became of it can't be known."""


ENDED_PHASES = frozenset({PrintPhase.PRINTED, PrintPhase.FAILED, PrintPhase.CANCELED, PrintPhase.LOST})


@frozen
class FollowedPrint:
    """One copy of a submission and its print. `receipt_id` is what the send returned.

    `device` and `device_id` are None while nobody has chosen a printer. `job_id` is the print job that
    prints it, once that was seen. `missing_since`: no sign of it was seen since then; `percent` is how far it
    was before that. `ahead_jobs` and `ahead_seconds` are what waits before it in the queue.
    """

    submission: int
    copy: int
    build_id: str
    receipt_id: str
    destination: Destination
    sent_at: datetime
    since: datetime
    """When the present phase was first seen."""
    phase: PrintPhase = PrintPhase.QUEUED
    device_id: str | None = None
    device: str | None = None
    job_id: str | None = None
    percent: float | None = None
    missing_since: datetime | None = None
    online_since: datetime | None = None
    """Since when its printer has been online without showing it; None while it is offline."""
    waited_at: datetime | None = None
    """When its entry was last seen waiting: a print that began before that is not its own."""
    ahead_jobs: int | None = None
    ahead_seconds: float | None = None
    reason: str | None = None
