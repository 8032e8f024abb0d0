"""Asking the cloud whether a send was done: the answer to every lost reply.

A build belongs to one submission, so any trace of it that is not older than the submission is the
effect of our own call, or of a person who was quicker; in both cases sending again would be once too
often. A build that a person attached may have been printed long before: that does not count.
"""

from datetime import datetime, timedelta

from workflow.eiger import EigerClient, PrintJobFilter
from workflow.model import Destination, Submission

CLOCK_SLACK = timedelta(minutes=5)
"""Between this machine's clock and the cloud's."""


def already_sent(client: EigerClient, submission: Submission) -> str | None:
    """Give the cloud's id of what was sent before, or None. Raises CloudError."""
    build_id = submission.build_id or ""
    if submission.destination is Destination.DEVICE_QUEUE:
        queued = _in_device_queue(client, submission.device_id or "", build_id)
        if queued is not None:
            return queued
    return _as_print_job(client, build_id, submission.opened_at - CLOCK_SLACK)


def _in_device_queue(client: EigerClient, device_id: str, build_id: str) -> str | None:
    listed = client.list_device_queue(device_id)
    for entry in listed.queue:
        if entry.build.id == build_id:
            return entry.id
    active = listed.device.active_job
    return (
        active.id if active is not None and active.build is not None and active.build.id == build_id else None
    )


def _as_print_job(client: EigerClient, build_id: str, since: datetime) -> str | None:
    """Backlog and job requests show up as print jobs of the build; older ones are not of our doing."""
    ours = PrintJobFilter(build=build_id, created_from=since)
    newest_first = client.list_print_jobs(ours, order="desc", page_size=1)
    return next((print_job.id for print_job in newest_first), None)
