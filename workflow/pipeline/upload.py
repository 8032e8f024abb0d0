"""Uploading a part, polling its slice job, and reusing the build of an earlier upload.

If the reply to an upload was lost, its build is searched before another upload. The name of an upload is
unique (number and content of the submission), so a part version of that name is that upload, unless one with
another preset may have arrived. If that can't be told, the part is uploaded again: a second part in Eiger
prints nothing, but a wrong one prints wrongly.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import BinaryIO

from loguru import logger

from workflow.eiger import BuildFilter, EigerClient, UploadResult
from workflow.errors import NotFound, OutcomeUnknown
from workflow.frozen import frozen
from workflow.ledger import draft_of
from workflow.model import EventKind, HoldReason, Step, Submission, SubmissionEvent, SubmissionState
from workflow.pipeline.build_search import holds_part_version, search_builds_by
from workflow.pipeline.context import Context, now
from workflow.pipeline.retry import backoff_seconds
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.transitions import hold, schedule_retry

MAX_BUILDS_READ = 5


@frozen
class ArrivedUpload:
    """An upload that arrived, found by the build that holds it."""

    part_version_id: str
    build_title: str
    seen_at: datetime | None


def first_upload_attempt(history: Sequence[SubmissionEvent]) -> datetime | None:
    """Return when an upload with the present preset was first begun.

    None if none was, if it is answered, or if one with another preset may have arrived as well.
    """
    decided, tried = "", dict[str, datetime]()
    for event in history:
        if event.event == EventKind.DECIDED:
            decided = event.detail
        elif event.event == EventKind.UPLOADING:
            tried.setdefault(decided, event.at)
        elif event.event == EventKind.UPLOADED:
            tried.clear()
    return tried.get(decided) if len(tried) == 1 else None


def find_arrived_upload(
    client: EigerClient, name: str, since: datetime, history: Sequence[SubmissionEvent] = ()
) -> ArrivedUpload | None:
    """Return the part, in a sliced build, that an upload of this name made since, by this machine's clock.

    What `history` says of answered uploads is not it. Raises CloudError.
    """
    answered = " ".join(event.detail for event in history if event.event == EventKind.UPLOADED)
    titles = (name.removesuffix(".stl"), name)
    for title in titles:
        wanted = BuildFilter(title=title, created_from=not_before(since))
        for build in search_builds_by(client, wanted, MAX_BUILDS_READ):
            for version in build.part_versions:
                if build.sliced and version.title in titles and version.id not in answered:
                    return ArrivedUpload(version.id, build.title, build.created_at)
    return None


LONGEST_STEM = 120
SIGNATURE = re.compile(r"~(\d{1,9})-([0-9a-f]{6})(?![0-9a-f])")
"""What `upload_name` ends with: number and content of a submission."""
SENT_ELSEWHERE_SECONDS = 5.0
LOST_UPLOADS = 2
"""After so many replies that never came, a person looks before another part is made."""


def upload_part(context: Context, submission: Submission) -> Submission:
    """Upload the private copy with its preset; then the row waits for the slice job, not a thread."""
    if submission.part_version_id is not None:
        return submission
    history = context.ledger.events(submission.id)
    begun_at = first_upload_attempt(history)
    if begun_at is not None:
        earlier = find_arrived_upload(context.client, upload_name(submission), begun_at, history)
        if earlier is not None:
            return _record_arrived_upload(context, submission, earlier)
    with context.spool_path(submission).open("rb") as spooled:
        if hashlib.file_digest(spooled, "sha256").hexdigest() != submission.sha256:
            return hold(
                context,
                submission,
                HoldReason.FILE,
                "The copy in the spool is damaged. Retry takes a new one.",
            )
        spooled.seek(0)
        context.ledger.record_event(submission, EventKind.UPLOADING, upload_name(submission))
        try:
            sent = _post_part(context, submission, spooled)
        except OutcomeUnknown as error:
            return _retry_or_hold_upload(context, submission, error)
    return _record_upload(context, submission, sent)


def _record_upload(context: Context, submission: Submission, sent: UploadResult) -> Submission:
    """Record the upload; the row waits for its first poll, or is polled at once by this thread."""
    draft = draft_of(submission).record(
        EventKind.UPLOADED,
        f"part version {sent.part_version_id}, slice job {sent.slice_job_id}",
        state=SubmissionState.SLICING,
        part_version_id=sent.part_version_id,
        slice_job_id=sent.slice_job_id,
        slice_status=None,
        uploaded_at=min(sent.server_time or now(), now()),
        waiting_since=now(),
        reason=None,
        tries=0,
    )
    if context.polls_at_once:
        ahead = draft.end_turn(Step.DELIVER, None)
    else:
        first_poll_at = now() + timedelta(seconds=context.retry_schedule.first_poll_seconds)
        ahead = draft.end_turn(Step.POLL, first_poll_at)
    uploaded = context.ledger.write(ahead)
    context.spool_path(submission).unlink(missing_ok=True)
    return uploaded


def _record_arrived_upload(context: Context, submission: Submission, earlier: ArrivedUpload) -> Submission:
    """Record an upload whose reply was lost, and whose build was found."""
    found = context.ledger.schedule_next_step(
        submission,
        Step.DELIVER,
        now(),
        EventKind.UPLOADED,
        f"part version {earlier.part_version_id}, found in the cloud by its build {earlier.build_title}",
        state=SubmissionState.SLICED,
        part_version_id=earlier.part_version_id,
        uploaded_at=min(earlier.seen_at or now(), now()),
        waiting_since=now(),
        reason=None,
        tries=0,
    )
    context.spool_path(submission).unlink(missing_ok=True)
    return found


def _post_part(context: Context, submission: Submission, spooled: BinaryIO) -> UploadResult:
    return context.client.upload_stl(
        spooled,
        upload_name(submission),
        settings_preset_id=submission.preset_id,
        user_id=submission.owner_id,
        folder_id=submission.folder_id,
        on_progress=lambda done, total: context.on_progress(submission.id, done, total),
    )


def _retry_or_hold_upload(context: Context, submission: Submission, error: OutcomeUnknown) -> Submission:
    """Retry an upload whose reply was lost; after several in a row, hold the submission."""
    submission = context.ledger.record_event(submission, EventKind.UPLOAD_LOST, str(error))
    lost = [event for event in context.ledger.events(submission.id) if event.event == EventKind.UPLOAD_LOST]
    if len(lost) % LOST_UPLOADS == 0:
        advice = f"Look in Eiger for {upload_name(submission)}, then retry."
        return hold(
            context, submission, HoldReason.UPLOAD, f"{len(lost)} uploads without a reply. {advice} {error}"
        )
    return schedule_retry(context, submission, backoff_seconds(submission.tries), str(error))


def upload_name(submission: Submission) -> str:
    """Return a file name that is unique in the cloud and still says whose part it is."""
    return f"{signed_title(submission.path, submission.id, submission.sha256 or '')}.stl"


def signed_title(path: str, number: int, sha256: str) -> str:
    """Return the title of a part in the cloud: whose it is, and how its content begins."""
    return f"{PurePosixPath(path).stem[:LONGEST_STEM]}~{number}-{sha256[:6]}"


def parse_signature(title: str) -> tuple[int, str] | None:
    """Return the submission, and how its sha256 begins, that a title in the cloud names; None without.

    Eiger probably takes titles from file names. So this says where to search, and proves nothing.
    """
    found = SIGNATURE.findall(title)
    return (int(found[-1][0]), found[-1][1]) if found else None


def reuse_sliced_build(context: Context, submission: Submission) -> Submission:
    """Skip upload and slicing if Eiger still has the build of the same part and settings.

    A note that came with the file orders that, whatever the settings say.
    """
    ordered = submission.reused
    if not (context.reuses_builds or ordered) or submission.part_version_id is not None:
        return submission
    if submission.taken_as is not None:  # retried because of its units: another upload may have others
        return submission
    earlier = next(iter(context.ledger.among([ordered] if ordered else [])), None)
    earlier = earlier if ordered else context.ledger.duplicates.find_sent_build(submission)
    if earlier is None or earlier.sha256 != submission.sha256 or not is_build_there(context, earlier):
        return submission if not ordered else context.ledger.update_submission(submission, reused=None)
    taken = context.ledger.duplicates.reuse_build(submission, earlier,
        state=SubmissionState.SLICED,
        part_version_id=earlier.part_version_id, slice_job_id=earlier.slice_job_id,
        uploaded_at=earlier.uploaded_at, waiting_since=now(), reused=earlier.id, tries=0,
        step=Step.DELIVER, due_at=now(), turn=submission.turn + 1,
    )  # fmt: skip
    submission = context.ledger.get(submission.id)
    if not taken and ordered:
        return schedule_retry(
            context, submission, SENT_ELSEWHERE_SECONDS, "Its build is being sent just now."
        )
    if not taken:
        return submission
    logger.info("Submission {}: the build of submission {} is sent once more", submission.id, earlier.id)
    context.spool_path(submission).unlink(missing_ok=True)
    return submission


def is_build_there(context: Context, earlier: Submission) -> bool:
    """True if Eiger has the sliced build, and it holds the part: an attached build may hold another one."""
    try:
        build = context.catalog.build(earlier.build_id or "")
    except NotFound:
        return False
    return build.sliced and holds_part_version(build, earlier.part_version_id or "")
