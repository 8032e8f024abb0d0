"""Uploading, and asking how far the slicing is."""

import hashlib
import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import BinaryIO

from loguru import logger

from workflow.eiger import Upload
from workflow.errors import CloudError, OutcomeUnknown
from workflow.model import Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.earlier import Earlier, find_earlier, tried_since
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.patience import CallAPerson, after_cloud_error, backoff
from workflow.pipeline.workshop import Workshop

LONGEST_STEM = 120
SIGNATURE = re.compile(r"~(\d{1,9})-([0-9a-f]{6})(?![0-9a-f])")
"""What `upload_name` ends with: number and content of a submission."""
LOST_UPLOADS = 2
"""After so many replies that never came, a person looks before another part is made."""


def upload(shop: Workshop, submission: Submission) -> Submission:
    """Send the spooled bytes with the preset; from then on a row waits for the slice job, not a thread."""
    if submission.part_version_id is not None:
        return submission
    history = shop.ledger.events(submission.id)
    begun_at = tried_since(history)
    if begun_at is not None:
        earlier = find_earlier(shop.client, upload_name(submission), begun_at, history)
        if earlier is not None:
            return _found(shop, submission, earlier)
    with shop.spool_file(submission).open("rb") as spooled:
        if hashlib.file_digest(spooled, "sha256").hexdigest() != submission.sha256:
            return hold(
                shop, submission, Hold.FILE, "The copy in the spool is damaged. Retry takes a new one."
            )
        spooled.seek(0)
        shop.ledger.record(submission, "uploading", upload_name(submission))
        try:
            sent = _send(shop, submission, spooled)
        except OutcomeUnknown as error:
            return _reply_lost(shop, submission, error)
    return _uploaded(shop, submission, sent)


def _uploaded(shop: Workshop, submission: Submission, sent: Upload) -> Submission:
    uploaded = shop.ledger.next_turn(
        submission,
        Step.POLL,
        now() + timedelta(seconds=shop.patience.first_poll_seconds),
        "uploaded",
        f"part version {sent.part_version_id}, slice job {sent.slice_job_id}",
        state=State.SLICING,
        part_version_id=sent.part_version_id,
        slice_job_id=sent.slice_job_id,
        uploaded_at=min(sent.server_time or now(), now()),
        waiting_since=now(),
        reason=None,
        tries=0,
    )
    shop.spool_file(submission).unlink(missing_ok=True)
    return uploaded


def _found(shop: Workshop, submission: Submission, earlier: Earlier) -> Submission:
    """The upload had arrived, and is sliced: what made its reply get lost does not matter any more."""
    found = shop.ledger.next_turn(
        submission,
        Step.DELIVER,
        now(),
        "uploaded",
        f"part version {earlier.part_version_id}, found in the cloud by its build {earlier.build_title}",
        state=State.SLICED,
        part_version_id=earlier.part_version_id,
        uploaded_at=min(earlier.seen_at or now(), now()),
        waiting_since=now(),
        reason=None,
        tries=0,
    )
    shop.spool_file(submission).unlink(missing_ok=True)
    return found


def _send(shop: Workshop, submission: Submission, spooled: BinaryIO) -> Upload:
    return shop.client.upload_stl(
        spooled,
        upload_name(submission),
        settings_preset_id=submission.preset_id,
        user_id=submission.owner_id,
        folder_id=submission.folder_id,
        on_progress=lambda done, total: shop.on_progress(submission.id, done, total),
    )


def _reply_lost(shop: Workshop, submission: Submission, error: OutcomeUnknown) -> Submission:
    """An upload may be repeated, for a second part in Eiger prints nothing; but not again and again."""
    submission = shop.ledger.record(submission, "upload lost", str(error))
    lost = [event for event in shop.ledger.events(submission.id) if event.event == "upload lost"]
    if len(lost) % LOST_UPLOADS == 0:
        advice = f"Look in Eiger for {upload_name(submission)}, then retry."
        return hold(shop, submission, Hold.UPLOAD, f"{len(lost)} uploads without a reply. {advice} {error}")
    return wait_in_line(shop, submission, backoff(submission.tries), str(error))


def upload_name(submission: Submission) -> str:
    """Give a file name that is unique in the cloud and still says whose part it is."""
    stem = PurePosixPath(submission.path).stem[:LONGEST_STEM]
    return f"{stem}~{submission.id}-{(submission.sha256 or '')[:6]}.stl"


def signed(title: str) -> tuple[int, str] | None:
    """Give the submission, and how its sha256 begins, that a title in the cloud names; None without.

    The cloud takes titles from file names, as far as is known: so this tells where to look, and no more.
    """
    found = SIGNATURE.findall(title)
    return (int(found[-1][0]), found[-1][1]) if found else None


def poll(shop: Workshop, submission: Submission, parked: int = 0) -> None:
    """Ask once for the slice job; ended, or older than the limit: the next stage takes over.

    `parked` is how many wait beside it: the more, the longer until it is asked for again.
    """
    age = now() - (submission.waiting_since or now())
    try:
        slice_status = shop.client.get_slice_status(submission.slice_job_id or "")
    except CloudError as error:
        _ask_later(shop, submission, error)
        return
    if slice_status.completed:
        shop.ledger.next_turn(
            submission,
            Step.DELIVER,
            now(),
            "sliced",
            f"after {age.total_seconds():.0f} s",
            state=State.SLICED,
            slice_status=slice_status.status,
            waiting_since=now(),
            tries=0,
        )
    elif slice_status.ended or age.total_seconds() > shop.patience.slice_limit_seconds:
        shop.ledger.next_turn(submission, Step.DELIVER, now(), slice_status=slice_status.status, tries=0)
    else:
        wait = timedelta(seconds=shop.patience.next_poll(age.total_seconds(), parked))
        due = {"due_at": now() + wait, "worker": None}
        shop.ledger.change(submission, slice_status=slice_status.status, tries=0, **due)


def not_sliced(shop: Workshop, submission: Submission) -> Submission:
    """Hold a submission whose slice job did not end well: the cloud does not say why."""
    status = submission.slice_status or "no answer"
    advice = "Open the part in Eiger to see why, correct it, and drop it again; or retry."
    return hold(shop, submission, Hold.SLICE, f"Eiger did not slice the part ({status}). {advice}")


def _ask_later(shop: Workshop, submission: Submission, error: CloudError) -> None:
    """A slice job that the cloud can't tell about is asked for again, until a person is needed."""
    verdict = after_cloud_error(error, submission.tries)
    if isinstance(verdict, CallAPerson):
        shop.ledger.next_turn(submission, Step.DELIVER, now(), slice_status=verdict.reason, tries=0)
        return
    logger.debug("Slice job of submission {}: {}", submission.id, verdict.reason)
    due_at = now() + timedelta(seconds=verdict.seconds)
    shop.ledger.change(submission, due_at=due_at, worker=None, tries=submission.tries + 1)
