"""Asking Eiger whether a send was done: the answer to every lost reply.

A build belongs to one submission, or to several whose parts are on one bed. It holds a part version that our
upload made. So any trace of it is the effect of our own call, or of a person who was quicker: in both cases
another send would be one too many. With several copies, a trace is this one's only if all earlier copies are
seen by their receipts. A build that a person attached may have been printed before: see `attached_builds.py`.

A 201 reply is not proof of a print. What a printer does is only in its `active_job`; a print that has ended
meanwhile is an ended print job. If the printer shows neither in time, the submission is held.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from workflow.eiger import Build, Device, DeviceQueue, EigerClient, PrintJobFilter
from workflow.errors import NotFound
from workflow.frozen import frozen
from workflow.model import Destination, EventKind, HoldReason, Step, Submission
from workflow.pipeline.context import Context, now
from workflow.pipeline.transitions import hold

DEVICE_DESTINATIONS = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})
PAGE_SIZE = 100


@frozen
class AmbiguousTraces:
    """Traces of the build that can't be told apart; `seen` describes them."""

    seen: str


@frozen
class Trace:
    """One thing in the cloud that a send of the build leaves; when it was made, None if unsaid."""

    id: str
    made_at: datetime | None


def find_earlier_send(
    client: EigerClient, submission: Submission, earlier: Sequence[str] = ()
) -> str | AmbiguousTraces | None:
    """Return the cloud's id of what was sent before, or None. `earlier` are the receipts of other copies.

    Raises CloudError.
    """
    newest = len(earlier) + 2 if earlier else 1
    return judge(traces(client, submission, newest), earlier)


def judge(seen: Sequence[Trace], earlier: Sequence[str]) -> str | AmbiguousTraces | None:
    """Return the trace of the send in question, None without one, AmbiguousTraces if it can't be told."""
    ids = list(dict.fromkeys(trace.id for trace in seen))
    fresh, missing = [each for each in ids if each not in earlier], set(earlier) - set(ids)
    if not fresh:
        return None
    if not earlier or (len(fresh) == 1 and not missing):
        return fresh[0]
    return AmbiguousTraces(f"{len(earlier)} copies were sent for certain, and Eiger shows {len(ids)}")


def traces(client: EigerClient, submission: Submission, newest: int | None = None) -> tuple[Trace, ...]:
    """Return what Eiger shows of the build: at the device it goes to, and the newest print jobs (None: all).

    Raises CloudError.
    """
    build_id = submission.build_id or ""
    at_device: tuple[Trace, ...] = ()
    if submission.destination in DEVICE_DESTINATIONS:
        at_device = tuple(traces_at_device(client.list_device_queue(submission.device_id or ""), build_id))
        if at_device and newest == 1:
            return at_device
    return (*at_device, *islice(_print_jobs(client, build_id, newest or PAGE_SIZE), newest))


def traces_at_device(shown: DeviceQueue, build_id: str) -> Iterator[Trace]:
    """Return what waits for a device of this build, and what it prints of it."""
    yield from (Trace(entry.id, entry.queued_at) for entry in shown.queue if entry.build.id == build_id)
    active = shown.device.active_job
    if active is not None and _is_same(active.build, build_id):
        yield Trace(active.id, active.created_at)


def _is_same(build: Build | None, build_id: str) -> bool:
    return build is not None and build.id == build_id


def _print_jobs(client: EigerClient, build_id: str, page_size: int) -> Iterator[Trace]:
    """Backlog and job requests show up as print jobs of the build."""
    newest_first = client.list_print_jobs(PrintJobFilter(build=build_id), order="desc", page_size=page_size)
    return (Trace(print_job.id, print_job.created_at) for print_job in newest_first)


ENDED_WELL = "completed"
ENDED_BADLY = frozenset({"failed", "canceled", "cancelled"})


def confirm_print_started(context: Context, submission: Submission, receipt_id: str) -> Submission | None:
    """Return None once the printer shows the print; otherwise the submission that waits or is held."""
    told_at = _told_at(context, submission)
    if told_at is None:
        told_at, detail = now(), f"{submission.device}: print job {receipt_id}"
        submission = context.ledger.record_event(submission, EventKind.PRINTER_TOLD, detail)
    device = context.client.read_device(submission.device_id or "")
    if shows_print(device, receipt_id, submission.build_id or ""):
        return None
    state = _state_of(context, receipt_id)
    if state == ENDED_WELL:
        return None
    age = (now() - told_at).total_seconds()
    if state in ENDED_BADLY or age > context.retry_schedule.print_now_seconds:
        reason = _print_problem_text(submission, receipt_id, state, age)
        return hold(context, submission, HoldReason.SEND, reason)
    due_at = now() + timedelta(seconds=context.retry_schedule.poll_delay(age))
    return context.ledger.schedule_next_step(submission, Step.DELIVER, due_at)


def _told_at(context: Context, submission: Submission) -> datetime | None:
    events = context.ledger.events(submission.id)
    return next((event.at for event in events if event.event == EventKind.PRINTER_TOLD), None)


def shows_print(device: Device, receipt_id: str, build_id: str) -> bool:
    """True if a device prints what it was told to: the job of this receipt, or another one of the build."""
    active = device.active_job
    return active is not None and (active.id == receipt_id or _is_same(active.build, build_id))


def _state_of(context: Context, receipt_id: str) -> str | None:
    """Return the state of a print job in small letters; only an end is believed: `Printing` says nothing."""
    try:
        return context.client.read_print_job(receipt_id).state.lower()
    except NotFound:
        return None


def _print_problem_text(submission: Submission, receipt_id: str, state: str | None, age: float) -> str:
    if state in ENDED_BADLY:
        seen = f"{submission.device} was told to print it, and the print has {state}"
    else:
        seen = (
            f"Outcome unknown: {submission.device} was told to print it {age:.0f} s ago, and does not show it"
        )
    return (
        f"{seen} (print job {receipt_id}). Nothing is sent again. Look at the printer: "
        f"`stlflow retry {submission.id}` looks once more, `stlflow cancel {submission.id}` leaves it."
    )
