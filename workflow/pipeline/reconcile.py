"""Asking the cloud whether a send was done: the answer to every lost reply.

A build belongs to one submission, or to several whose parts lie on one bed. So any trace of it that is not
older than the upload is the effect of our own call, or of a person who was quicker; in both cases sending
again would be once too often. A build that a person attached may have been printed long before: that does
not count. With several copies, a trace counts for this one only if all earlier copies are seen by their
receipts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from workflow.eiger import EigerClient, PrintJobFilter
from workflow.model import Destination, Submission

CLOCK_SLACK = timedelta(minutes=5)
"""Between this machine's clock and the cloud's."""
ON_A_DEVICE = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})


@dataclass(frozen=True, slots=True)
class Unclear:
    """There are traces of the build, and they can't be told apart; `seen` says it in words."""

    seen: str


def already_sent(
    client: EigerClient, submission: Submission, earlier: Sequence[str] = ()
) -> str | Unclear | None:
    """Give the cloud's id of what was sent before, or None. `earlier` are the receipts of other copies.

    Raises CloudError.
    """
    if not earlier:
        return next(_traces(client, submission, most_jobs=1), None)
    seen = list(dict.fromkeys(_traces(client, submission, most_jobs=len(earlier) + 2)))
    fresh = [trace for trace in seen if trace not in earlier]
    if not fresh:
        return None
    if len(fresh) == 1 and set(earlier) <= set(seen):
        return fresh[0]
    return Unclear(f"{len(earlier)} copies were sent for certain, and Eiger shows {len(seen)}")


def _traces(client: EigerClient, submission: Submission, most_jobs: int) -> Iterator[str]:
    build_id = submission.build_id or ""
    if submission.destination in ON_A_DEVICE:
        yield from _on_device(client, submission.device_id or "", build_id)
    yield from islice(_print_jobs(client, build_id, traces_since(submission), most_jobs), most_jobs)


def traces_since(submission: Submission) -> datetime:
    """Nothing of ours is older than the upload, which bears the cloud's own time."""
    return (submission.uploaded_at or submission.opened_at) - CLOCK_SLACK


def _on_device(client: EigerClient, device_id: str, build_id: str) -> Iterator[str]:
    listed = client.list_device_queue(device_id)
    yield from (entry.id for entry in listed.queue if entry.build.id == build_id)
    active = listed.device.active_job
    if active is not None and active.build is not None and active.build.id == build_id:
        yield active.id


def _print_jobs(client: EigerClient, build_id: str, since: datetime, page_size: int) -> Iterator[str]:
    """Backlog and job requests show up as print jobs of the build; older ones are not of our doing."""
    ours = PrintJobFilter(build=build_id, created_from=since)
    newest_first = client.list_print_jobs(ours, order="desc", page_size=page_size)
    return (print_job.id for print_job in newest_first)
