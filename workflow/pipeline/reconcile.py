"""Asking the cloud whether a send was done: the answer to every lost reply.

A build belongs to one submission, or to several whose parts lie on one bed. It holds a part version that our
upload made: so any trace of it, whatever its time, is the effect of our own call, or of a person who was
quicker; in both cases sending again would be once too often. With several copies, a trace counts for this one
only if all earlier copies are seen by their receipts. A build that a person attached may have a past of its
own: see `attached`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from workflow.eiger import EigerClient, PrintJobFilter
from workflow.model import Destination, Submission

ON_A_DEVICE = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Unclear:
    """There are traces of the build, and they can't be told apart; `seen` says it in words."""

    seen: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing in the cloud that a send of the build leaves; when it was made, None if unsaid."""

    id: str
    made_at: datetime | None


def already_sent(
    client: EigerClient, submission: Submission, earlier: Sequence[str] = ()
) -> str | Unclear | None:
    """Give the cloud's id of what was sent before, or None. `earlier` are the receipts of other copies.

    Raises CloudError.
    """
    newest = len(earlier) + 2 if earlier else 1
    return judge(traces(client, submission, newest), earlier)


def judge(seen: Sequence[Trace], earlier: Sequence[str]) -> str | Unclear | None:
    """Return which trace is the send in question, None if there is none, and Unclear if nobody can tell."""
    ids = list(dict.fromkeys(trace.id for trace in seen))
    fresh = [each for each in ids if each not in earlier]
    if not fresh:
        return None
    if not earlier or (len(fresh) == 1 and set(earlier) <= set(ids)):
        return fresh[0]
    return Unclear(f"{len(earlier)} copies were sent for certain, and Eiger shows {len(ids)}")


def traces(client: EigerClient, submission: Submission, newest: int | None = None) -> tuple[Trace, ...]:
    """Return what Eiger shows of the build: at the device it goes to, and the newest print jobs (None: all).

    Raises CloudError.
    """
    build_id = submission.build_id or ""
    at_device: tuple[Trace, ...] = ()
    if submission.destination in ON_A_DEVICE:
        at_device = tuple(_on_device(client, submission.device_id or "", build_id))
        if at_device and newest == 1:
            return at_device
    return (*at_device, *islice(_print_jobs(client, build_id, newest or PAGE_SIZE), newest))


def _on_device(client: EigerClient, device_id: str, build_id: str) -> Iterator[Trace]:
    listed = client.list_device_queue(device_id)
    yield from (Trace(entry.id, entry.queued_at) for entry in listed.queue if entry.build.id == build_id)
    active = listed.device.active_job
    if active is not None and active.build is not None and active.build.id == build_id:
        yield Trace(active.id, active.created_at)


def _print_jobs(client: EigerClient, build_id: str, page_size: int) -> Iterator[Trace]:
    """Backlog and job requests show up as print jobs of the build."""
    newest_first = client.list_print_jobs(PrintJobFilter(build=build_id), order="desc", page_size=page_size)
    return (Trace(print_job.id, print_job.created_at) for print_job in newest_first)
