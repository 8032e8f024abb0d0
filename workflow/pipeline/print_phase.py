"""What became of a print: what was seen before and what Eiger shows now give the new phase, and why.

Pure: no clock, no network. A print counts as printed only if Eiger says so of its print job. `Printing` in
the list of print jobs says nothing: it may be months old. What Eiger shows no sign of for a while is lost
track of; a printer that is offline may go on printing, and gets longer.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflow.frozen import frozen
from workflow.model import ENDED_PHASES, Destination, FollowedPrint, PrintPhase

LOST_AFTER = timedelta(hours=2)
"""Without any sign, although the printer is online."""
LOST_AFTER_OFFLINE = timedelta(days=7)
"""Without any sign from a printer that is offline, or that Eiger does not list."""
ENDED_WORDS = {
    "completed": PrintPhase.PRINTED,
    "failed": PrintPhase.FAILED,
    "canceled": PrintPhase.CANCELED,
    "cancelled": PrintPhase.CANCELED,
}
_WAITS_IN = {
    Destination.BACKLOG: "Eiger's backlog",
    Destination.JOB_REQUEST: "Eiger's job requests",
    Destination.PRINT_NOW: "what was sent to {device}",
    Destination.DEVICE_QUEUE: "the queue of {device}",
}


@frozen
class SeenJob:
    """A print job that Eiger shows: running at a device, or in the list of print jobs.

    `is_active`: a device shows it as running. `has_ended`: it has an end, or a state that is one.
    """

    id: str
    build_id: str | None
    state: str
    is_active: bool = False
    has_ended: bool = False
    device_id: str | None = None
    device: str | None = None
    percent: float | None = None
    began_at: datetime | None = None


@frozen
class Sighting:
    """What Eiger shows of one copy at a moment.

    `is_waiting`: its entry is in the queue it was sent to; None if that was not asked. `was_removed`: Eiger
    says that a person took it out. `others`: further copies of its build that the job may belong to.
    """

    at: datetime
    job: SeenJob | None = None
    is_waiting: bool | None = None
    was_removed: bool = False
    is_online: bool = True
    device_state: str | None = None
    last_percent: float | None = None
    others: int = 0
    ahead: tuple[int | None, float | None] = (None, None)
    """How many jobs wait before it, and how many seconds they print."""


def next_print_state(before: FollowedPrint, seen: Sighting) -> FollowedPrint:
    """Return the copy as it is now. Only what Eiger says of its own print job ends it well."""
    if before.phase in ENDED_PHASES:
        return before
    job = seen.job
    if job is not None and job.has_ended:
        return _ended(before, seen, job)
    if job is not None and job.is_active:
        return _printing(before, seen, job)
    if before.phase is PrintPhase.QUEUED and seen.is_waiting:
        jobs, seconds = seen.ahead
        return replace(_found(before), waited_at=seen.at, ahead_jobs=jobs, ahead_seconds=seconds)
    if before.phase is PrintPhase.QUEUED and seen.was_removed:
        where = _waits_in(before)
        return _end(before, seen, PrintPhase.CANCELED, f"A person took it out of {where} in Eiger.")
    return _missing(before, seen)


def _printing(before: FollowedPrint, seen: Sighting, job: SeenJob) -> FollowedPrint:
    since = before.since if before.phase is PrintPhase.PRINTING else seen.at
    return replace(
        _found(before), phase=PrintPhase.PRINTING, since=since, job_id=job.id, percent=None,
        device_id=job.device_id or before.device_id, device=job.device or before.device,
        reason=_which_copy(seen),
    )  # fmt: skip


def _found(before: FollowedPrint) -> FollowedPrint:
    """Return the copy without what belongs to a wait or to a search."""
    return replace(before, missing_since=None, online_since=None, ahead_jobs=None, ahead_seconds=None)


def _ended(before: FollowedPrint, seen: Sighting, job: SeenJob) -> FollowedPrint:
    phase = ENDED_WORDS.get(job.state.strip().casefold(), PrintPhase.LOST)
    device = job.device or before.device
    before = replace(before, job_id=job.id, device_id=job.device_id or before.device_id, device=device)
    at = f" at {device}" if device else ""
    match phase:
        case PrintPhase.PRINTED:
            return _end(before, seen, phase, _which_copy(seen))
        case PrintPhase.LOST:
            return _end(before, seen, phase, f"Eiger shows that the print has ended, and as '{job.state}'.")
    percent = before.percent if before.percent is not None else seen.last_percent
    how_far = f" Last seen at {percent:.0f} %." if percent is not None else ""
    word = "failed" if phase is PrintPhase.FAILED else "was canceled"
    return _end(before, seen, phase, f"The print {word}{at}.{how_far}")


def _missing(before: FollowedPrint, seen: Sighting) -> FollowedPrint:
    """Return the copy without a sign; it is lost track of after a while.

    While its printer is offline nothing can be known; once it is back, it has time to report.
    """
    was_not_asked = before.phase is PrintPhase.QUEUED and seen.is_waiting is None
    if before.missing_since is None and was_not_asked:
        return before
    percent = before.percent if before.missing_since or seen.last_percent is None else seen.last_percent
    missing_since = before.missing_since or seen.at
    online_since = (before.online_since or seen.at) if seen.is_online else None
    missing = replace(before, missing_since=missing_since, online_since=online_since, percent=percent)
    is_lost = seen.at - missing_since >= LOST_AFTER_OFFLINE or (
        online_since is not None and seen.at - online_since >= LOST_AFTER
    )
    return _end(missing, seen, PrintPhase.LOST, _lost_reason(missing, seen)) if is_lost else missing


def _lost_reason(before: FollowedPrint, seen: Sighting) -> str:
    device = before.device or "The printer"
    if before.phase is PrintPhase.QUEUED:
        where = _waits_in(before)
        return f"It is no longer in {where}, and Eiger shows no print of it. Look at the printer."
    far = f"at {before.percent:.0f} %" if before.percent is not None else "printing"
    if not seen.is_online:
        return f"Last seen {far}. {device} is offline since then. Look at the printer."
    shows = f" {device} shows {seen.device_state} now." if seen.device_state else ""
    return f"Last seen {far}. Eiger does not say how the print ended.{shows} Look at the printer."


def _end(before: FollowedPrint, seen: Sighting, phase: PrintPhase, reason: str | None) -> FollowedPrint:
    return replace(_found(before), phase=phase, since=seen.at, reason=reason)


def _waits_in(before: FollowedPrint) -> str:
    return _WAITS_IN[before.destination].format(device=before.device or "the printer")


def _which_copy(seen: Sighting) -> str | None:
    """Return that the print may be that of another copy; Eiger does not tell copies of one build apart."""
    if not seen.others:
        return None
    return f"{seen.others + 1} copies of this build were sent: Eiger does not say which of them this is."
