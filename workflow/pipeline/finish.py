"""Giving the file back to a folder that a person looks into, with a note that says why it is there."""

from contextlib import suppress
from datetime import datetime, timedelta

from workflow.intake import (
    Outcome,
    exists_in_share,
    in_place_note_path,
    make_outcome_folders,
    move_to_outcome,
    plan_outcome_path,
)
from workflow.model import (
    ENDED_STATES,
    SELF_RESOLVING_HOLDS,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionState,
)
from workflow.notes import remove_note
from workflow.pipeline.context import Context, now
from workflow.pipeline.submission_notes import write_submission_note


def finish_submission(context: Context, submission: Submission) -> Submission:
    """Move the file to the folder that says how it ended, with a note beside it."""
    outcome = _outcome(submission)
    if outcome is None:
        return submission
    if not submission.left_in_place:
        submission = _move(context, submission, outcome)
    elif context.share.left_inbox is not None:
        submission = _write_separate_note(context, submission, outcome)
    context.spool_path(submission).unlink(missing_ok=True)
    return context.ledger.schedule_next_step(submission, *_next_search(context, submission))


def _outcome(submission: Submission) -> Outcome | None:
    if submission.state is SubmissionState.HELD:
        return Outcome.HELD
    if submission.state in {SubmissionState.REJECTED, SubmissionState.CANCELED}:
        return Outcome.REJECTED
    return Outcome.DONE if submission.state in ENDED_STATES else None


def _next_search(context: Context, submission: Submission) -> tuple[Step | None, datetime | None]:
    """A missing build or device is looked for even while the file is held: it may come by itself."""
    if submission.state is not SubmissionState.HELD or submission.hold not in SELF_RESOLVING_HOLDS:
        return None, None
    age = now() - (submission.waiting_since or now())
    for_device = submission.hold is HoldReason.DEVICE
    next_look = context.patience.device_search_delay if for_device else context.patience.next_look
    return Step.DELIVER, now() + timedelta(seconds=next_look(age.total_seconds()))


def _move(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """Write down where the file will stand, move it there, write down that it stands there."""
    submission = _find_returned_file(context, submission)
    here = submission.claimed_as or ""
    try:
        submission = _move_as_planned(context, submission, outcome)
    except FileNotFoundError:
        return _record_missing_file(context, submission, here)
    with suppress(OSError):
        remove_note(context.share.root / here)
    target = submission.placed_as or here
    submission = context.ledger.update_submission(submission, claimed_as=target, placed_as=None)
    write_submission_note(context, submission, context.share.root / target)
    return submission


def _find_returned_file(context: Context, submission: Submission) -> Submission:
    """A retry that was cut off or canceled may have left the file in processing/."""
    place = context.share.claimed_path(submission.path, submission.id)
    if submission.claimed_as == place or not exists_in_share(context.share, place):
        return submission
    return context.ledger.update_submission(submission, claimed_as=place, placed_as=None)


def _move_as_planned(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """A plan is made again, and written down again, when someone took the name meanwhile."""
    here = submission.claimed_as or ""
    while True:
        if submission.placed_as is None:
            day = datetime.now(context.zone).date() if context.date_folders else None
            target = plan_outcome_path(context.share, here, submission.path, outcome, day)
            submission = context.ledger.update_submission(submission, placed_as=target)
        try:
            move_to_outcome(context.share, here, submission.placed_as or "")
        except FileExistsError:
            submission = context.ledger.update_submission(submission, placed_as=None)
        else:
            return submission


def _write_separate_note(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """The file stays in its read-only inbox: the note stands in the outcome folder, with the number."""
    target = in_place_note_path(outcome, submission.path, submission.id)
    if submission.placed_as not in {None, target}:
        with suppress(OSError):
            remove_note(context.share.root / (submission.placed_as or ""))
    submission = context.ledger.update_submission(submission, placed_as=target)
    make_outcome_folders(context.share, target)
    write_submission_note(context, submission, context.share.root / target)
    return submission


def _record_missing_file(context: Context, submission: Submission, here: str) -> Submission:
    submission = context.ledger.update_submission(submission, placed_as=None)
    if any(event.event == EventKind.FILE_GONE for event in context.ledger.events(submission.id)):
        return submission
    lost = f"The file is no longer at {here}: someone took it away."
    return context.ledger.record_event(submission, EventKind.FILE_GONE, lost)
