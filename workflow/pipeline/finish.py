"""Moving the file to its outcome folder, with a note that says why it is there."""

from contextlib import suppress
from datetime import datetime, timedelta

from workflow.intake import (
    APPROVED_FOLDER,
    Outcome,
    exists_in_share,
    in_place_note_path,
    make_outcome_folders,
    move_to_outcome,
    plan_outcome_path,
)
from workflow.ledger import Draft, draft_of
from workflow.model import (
    ENDED_STATES,
    SELF_RESOLVING_HOLDS,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionState,
)
from workflow.notes import remove_note, remove_notes_left, remove_submission_note
from workflow.pipeline.context import Context, now
from workflow.pipeline.missing_file import belongs_to_newer, find_moved_file
from workflow.pipeline.submission_notes import write_submission_note

_MOVED_ON = {Outcome.HELD: Outcome.REJECTED, APPROVED_FOLDER: Outcome.HELD}
"""Where a person may have moved a file from these folders before the end of its submission was decided."""


def finish_submission(context: Context, submission: Submission) -> Submission:
    """Move the file to its outcome folder, and write a note next to it."""
    outcome = _outcome(submission)
    if outcome is None:
        return submission
    draft = draft_of(submission)
    if not submission.left_in_place:
        draft = _move(context, submission, outcome)
    elif context.share.left_inbox is not None:
        draft = draft_of(_write_separate_note(context, submission, outcome))
    context.spool_path(submission).unlink(missing_ok=True)
    return context.ledger.write(draft.end_turn(*_next_search(context, submission)), durable=False)


def plan_place(context: Context, submission: Submission, outcome: Outcome) -> str:
    """Return a free place for the file in an outcome folder. Raises OSError."""
    day = datetime.now(context.zone).date() if context.date_folders else None
    return plan_outcome_path(context.share, submission.claimed_as or "", submission.path, outcome, day)


def _outcome(submission: Submission) -> Outcome | None:
    if submission.state is SubmissionState.HELD:
        return Outcome.HELD
    if submission.state in {SubmissionState.REJECTED, SubmissionState.CANCELED}:
        return Outcome.REJECTED
    return Outcome.DONE if submission.state in ENDED_STATES else None


def _next_search(context: Context, submission: Submission) -> tuple[Step | None, datetime | None]:
    """Return the next search for a missing build or device: it may appear while the file is held."""
    if submission.state is not SubmissionState.HELD or submission.hold not in SELF_RESOLVING_HOLDS:
        return None, None
    age = now() - (submission.waiting_since or now())
    for_device = submission.hold is HoldReason.DEVICE
    schedule = context.retry_schedule
    delay_of = schedule.device_search_delay if for_device else schedule.build_search_delay
    return Step.DELIVER, now() + timedelta(seconds=delay_of(age.total_seconds()))


def _move(context: Context, submission: Submission, outcome: Outcome) -> Draft:
    """Record where the file goes, move it there, write its note; return the draft that says where it is."""
    submission = _find_returned_file(context, _drop_other_plan(context, submission, outcome))
    here = submission.claimed_as or ""
    try:
        submission = _move_as_planned(context, submission, outcome)
    except FileNotFoundError:
        moved_on = _MOVED_ON.get(here.partition("/")[0])
        if moved_on is not None:
            with suppress(OSError):
                remove_submission_note(context.share.root / here, submission.id)
            moved_to = find_moved_file(context.ledger, context.share, submission, moved_on)
            if moved_to is not None:
                found = context.ledger.update_submission(submission, claimed_as=moved_to, placed_as=None)
                return _move(context, found, outcome)
        if submission.reused is not None:
            _write_note_alone(context, submission, outcome, submission.placed_as or here)
        return _with_missing_file(context, submission, here)
    target = submission.placed_as or here
    with suppress(OSError):
        (remove_note if target == here else remove_notes_left)(context.share.root / here)
    moved = draft_of(submission).change(claimed_as=target, placed_as=None)
    if target == here and _is_moved_to_decide(context, submission):
        return moved
    try:
        write_submission_note(context, moved.submission, context.share.root / target)
    except OSError:
        context.ledger.write(moved)  # the note is tried again, and the file is where it is
        raise
    return moved


def _is_moved_to_decide(context: Context, submission: Submission) -> bool:
    """True if a person has moved the file on from where it stays: its old note would only mislead."""
    gone = not exists_in_share(context.share, submission.claimed_as or "")
    return gone and find_moved_file(context.ledger, context.share, submission) is not None


def _write_note_alone(context: Context, submission: Submission, outcome: Outcome, place: str) -> None:
    """Write the answer to an order whose file is no longer in done/.

    In held/ it has the number in its name: another note without its file would be removed there.
    """
    alone = in_place_note_path(Outcome.HELD, submission.path, submission.id)
    with suppress(OSError):
        remove_note(context.share.root / alone)
    target = alone if outcome is Outcome.HELD else place
    make_outcome_folders(context.share, target)
    write_submission_note(context, submission, context.share.root / target)


def _drop_other_plan(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """Forget where the file was to go before a command: it is there already if the command came late."""
    planned = submission.placed_as
    if planned is None or planned.startswith(f"{outcome}/"):
        return submission
    here = submission.claimed_as or ""
    was_moved = not exists_in_share(context.share, here) and exists_in_share(context.share, planned)
    place = planned if was_moved else here
    return context.ledger.update_submission(submission, claimed_as=place, placed_as=None)


def _find_returned_file(context: Context, submission: Submission) -> Submission:
    """A retry that was cut off or canceled may have left the file in processing/."""
    place = context.share.claimed_path(submission.path, submission.id)
    if submission.claimed_as == place or not exists_in_share(context.share, place):
        return submission
    return context.ledger.update_submission(submission, claimed_as=place, placed_as=None)


def _move_as_planned(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """A plan is made again, and written down again, when someone took the name meanwhile."""
    here = submission.claimed_as or ""
    is_there = exists_in_share(context.share, here)
    while True:
        if submission.placed_as is None:
            target = plan_place(context, submission, outcome)
            submission = context.ledger.update_submission(submission, placed_as=target)
        target = submission.placed_as or ""
        if belongs_to_newer(context.ledger, submission):  # just before the move: to plan may take long
            raise FileNotFoundError(f"{here} is another submission's by now")
        if not is_there and target != here:  # what comes there meanwhile is another submission's
            if not exists_in_share(context.share, target):
                raise FileNotFoundError(f"{here} is gone")
            return submission
        try:
            move_to_outcome(context.share, here, target)
        except FileExistsError:
            submission = context.ledger.update_submission(submission, placed_as=None)
        else:
            return submission


def _write_separate_note(context: Context, submission: Submission, outcome: Outcome) -> Submission:
    """Write the note of a file in a read-only inbox to the outcome folder, with the number in its name."""
    target = in_place_note_path(outcome, submission.path, submission.id)
    if submission.placed_as not in {None, target}:
        with suppress(OSError):
            remove_note(context.share.root / (submission.placed_as or ""))
    submission = context.ledger.update_submission(submission, placed_as=target)
    make_outcome_folders(context.share, target)
    write_submission_note(context, submission, context.share.root / target)
    return submission


def _with_missing_file(context: Context, submission: Submission, here: str) -> Draft:
    draft = draft_of(submission).change(placed_as=None)
    if any(event.event == EventKind.FILE_GONE for event in context.ledger.events(submission.id)):
        return draft
    return draft.record(EventKind.FILE_GONE, f"The file is no longer at {here}: someone took it away.")
