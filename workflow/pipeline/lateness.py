"""Due dates of prints: when a part is ready by queue and estimate, and whether that is too late. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from workflow.eiger import Device
from workflow.frozen import frozen
from workflow.model import ENDED_PHASES, Destination, FollowedPrint, PrintPhase

SAME_DAY = timedelta(hours=3)
"""An estimate that moves by so little over midnight is no news."""


@frozen
class PrintTimes:
    """How long one copy prints, if that is known, and how long an operator takes between two prints."""

    print_seconds: float | None
    changeover_seconds: float


def ready_at(
    copies: Sequence[FollowedPrint], devices: Mapping[str, Device], times: PrintTimes, moment: datetime
) -> datetime | None:
    """Return when the last copy is ready at the earliest; None if nothing is known of it.

    It is never in the past: what is not printed now is not ready before now.
    """
    ready = [
        max(moment, at)
        for copy in copies
        if copy.phase not in ENDED_PHASES and (at := _ready_at(copy, devices, times, moment)) is not None
    ]
    return max(ready, default=None)


def late_day(due: date | None, ready: datetime | None, said: date | None, zone: tzinfo | None) -> date | None:
    """Return the day on which it is ready if that is after its due date; None if it is in time.

    `said` is the day that was said last. It stays while the estimate moves around midnight.
    """
    if due is None or ready is None:
        return None
    days = [(ready + shift).astimezone(zone).date() for shift in (timedelta(0), -SAME_DAY, SAME_DAY)]
    if said is not None and said > due and said in days:
        return said
    return days[0] if days[0] > due else None


def lateness_text(due: date, late_on: date | None, copies: Iterable[FollowedPrint]) -> str:
    """Return in words that a due date is missed, and by which queue; or that it no longer is."""
    if late_on is None:
        return f"Due {due:%a %d %b %Y}. By queue and estimate it is ready by then."
    places = sorted({each.device for each in copies if each.device and each.phase not in ENDED_PHASES})
    where = f" of {', '.join(places)}" if places else ""
    how = f"queue{where} and estimate" if where else "estimate, if an operator starts it now"
    return f"Due {due:%a %d %b %Y}. By {how} it is ready on {late_on:%a %d %b %Y} at the earliest."


def _ready_at(
    copy: FollowedPrint, devices: Mapping[str, Device], times: PrintTimes, moment: datetime
) -> datetime | None:
    device = devices.get(copy.device_id or "")
    job = None if device is None else device.active_job
    if copy.phase is PrintPhase.PRINTING:
        if job is not None and job.id == copy.job_id and job.estimated_seconds_remaining is not None:
            return moment + timedelta(seconds=job.estimated_seconds_remaining)
        return None if times.print_seconds is None else copy.since + timedelta(seconds=times.print_seconds)
    if times.print_seconds is None:
        return None
    wait = 0.0
    if copy.destination is Destination.DEVICE_QUEUE:
        running = 0.0 if job is None else job.estimated_seconds_remaining or 0.0
        changes = ((copy.ahead_jobs or 0) + 1) * times.changeover_seconds
        wait = running + (copy.ahead_seconds or 0.0) + changes
    return moment + timedelta(seconds=wait + times.print_seconds)
