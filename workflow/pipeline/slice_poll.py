"""Asking Eiger for one slice job, and what its answer means for the submission."""

from datetime import timedelta

from loguru import logger

from workflow.eiger import SliceStatus
from workflow.errors import CloudError
from workflow.ledger import Draft, NextPoll, draft_of
from workflow.model import EventKind, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.context import Context, now
from workflow.pipeline.retry import NeedsOperator, classify_cloud_error
from workflow.pipeline.transitions import held


def check_slicing(context: Context, draft: Draft) -> Draft:
    """Return the draft sliced, held or polled later. Right after an upload the slice job is polled here."""
    submission = draft.submission
    if submission.slice_status is not None:
        return _held_unsliced(draft)
    try:
        slice_status = context.client.get_slice_status(submission.slice_job_id or "")
    except CloudError as error:
        logger.debug("Slice job of submission {}: {}", submission.id, error)
        return draft.end_turn(Step.POLL, now())
    if slice_status.completed:
        return _sliced(draft, slice_status)
    if slice_status.ended:
        return _held_unsliced(draft.change(slice_status=slice_status.status))
    return draft.end_turn(Step.POLL, now() + timedelta(seconds=context.retry_schedule.poll_delay(0)))


def _sliced(draft: Draft, slice_status: SliceStatus) -> Draft:
    age = now() - (draft.submission.waiting_since or now())
    return draft.record(
        EventKind.SLICED,
        f"after {age.total_seconds():.0f} s",
        state=SubmissionState.SLICED,
        slice_status=slice_status.status,
        waiting_since=now(),
        tries=0,
    )


def poll_slice_job(context: Context, submission: Submission, parked: int = 0) -> NextPoll | None:
    """Poll a slice job once, and return when to do so again.

    None: it has ended or is older than the limit, and the next stage follows. `parked` is how many wait for
    slicing: the more, the longer until the next poll. Raises Superseded, StateFolderError.
    """
    age = now() - (submission.waiting_since or now())
    try:
        slice_status = context.client.get_slice_status(submission.slice_job_id or "")
    except CloudError as error:
        return _poll_later(context, submission, error)
    if slice_status.completed:
        sliced = _sliced(draft_of(submission), slice_status).end_turn(Step.DELIVER, now())
        context.ledger.write(sliced, durable=False)
        return None
    if slice_status.ended or age.total_seconds() > context.retry_schedule.slice_limit_seconds:
        context.ledger.schedule_next_step(
            submission, Step.DELIVER, now(), slice_status=slice_status.status, tries=0
        )
        return None
    wait = timedelta(seconds=context.retry_schedule.poll_delay(age.total_seconds(), parked))
    return NextPoll(submission, now() + wait, slice_status.status)


def _held_unsliced(draft: Draft) -> Draft:
    """Return the draft held: its slice job did not end well, and the cloud does not say why."""
    status = draft.submission.slice_status or "no answer"
    advice = "Open the part in Eiger to see why, correct it, and drop it again; or retry."
    return held(draft, HoldReason.SLICE, f"Eiger did not slice the part ({status}). {advice}")


def _poll_later(context: Context, submission: Submission, error: CloudError) -> NextPoll | None:
    """Return the next poll after an error; None where a person is needed, and the next stage holds it."""
    verdict = classify_cloud_error(error, submission.tries)
    if isinstance(verdict, NeedsOperator):
        context.ledger.schedule_next_step(
            submission, Step.DELIVER, now(), slice_status=verdict.reason, tries=0
        )
        return None
    logger.debug("Slice job of submission {}: {}", submission.id, verdict.reason)
    due_at = now() + timedelta(seconds=verdict.seconds)
    return NextPoll(submission, due_at, submission.slice_status, submission.tries + 1)
