"""How a step ends that does not simply go on: rejected, held, or the same step again later."""

from contextlib import suppress
from datetime import timedelta
from typing import Unpack

from workflow.ledger import Draft, Superseded, draft_of
from workflow.model import (
    ENDED_STATES,
    DecisionRecord,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.context import Context, now
from workflow.pipeline.submission_log import log_of

CRASHES_BEFORE_HOLD = 20
_NO_PROGRESS_EVENTS = frozenset(
    {EventKind.TAKEN_OVER, EventKind.UPLOADING, EventKind.SENDING, EventKind.WAITING}
)


def rejected(
    draft: Draft,
    reason: str,
    decided: DecisionRecord | None = None,
    /,
    **changes: Unpack[SubmissionChanges],
) -> Draft:
    """Return the draft rejected: the file is at fault. `decided` is the decision that says so, if any."""
    submission = draft.submission
    log_of(submission, SubmissionState.REJECTED, reason).warning(
        "Submission {} ({}) rejected: {}", submission.id, submission.path, reason
    )
    ended: SubmissionChanges = {
        "state": SubmissionState.REJECTED,
        "reason": reason,
        "ended_at": now(),
        **changes,
    }
    return draft.record(EventKind.REJECTED, reason, decided, **ended)


def held(
    draft: Draft,
    kind: HoldReason,
    reason: str,
    decided: DecisionRecord | None = None,
    /,
    **changes: Unpack[SubmissionChanges],
) -> Draft:
    """Return the draft held: a person must retry, release or cancel it. `decided` is the decision, if any."""
    submission = draft.submission
    log_of(submission, SubmissionState.HELD, reason).warning(
        "Submission {} ({}) held: {}", submission.id, submission.path, reason
    )
    on_hold: SubmissionChanges = {
        "state": SubmissionState.HELD,
        "hold": kind,
        "reason": reason,
        **changes,
    }
    return draft.record(EventKind.HELD, reason, decided, **on_hold)


def hold(
    context: Context,
    submission: Submission,
    kind: HoldReason,
    reason: str,
    decided: DecisionRecord | None = None,
    /,
    **changes: Unpack[SubmissionChanges],
) -> Submission:
    """Hold the submission at once, as `held` does."""
    return context.ledger.write(held(draft_of(submission), kind, reason, decided, **changes))


def schedule_retry(context: Context, submission: Submission, seconds: float, reason: str) -> Submission:
    """Let the same step begin again later, as `retried` does."""
    before = _last_wait(context, submission) if _keeps_reason(submission) else submission.reason
    return context.ledger.write(retried(draft_of(submission), seconds, reason, before))


def _keeps_reason(submission: Submission) -> bool:
    """True if the reason of a submission is that of its end, whatever its file waits for."""
    return submission.state in {*ENDED_STATES, SubmissionState.HELD}


def _last_wait(context: Context, submission: Submission) -> str | None:
    waits = (
        each.detail
        for each in reversed(context.ledger.events(submission.id))
        if each.event == EventKind.WAITING
    )
    return next(waits, None)


def retried(draft: Draft, seconds: float, reason: str, before: str | None = None) -> Draft:
    """Return the draft with the same step again later: the file is not at fault.

    A reason other than `before`, or than that of the submission, is an event.
    """
    submission = draft.submission
    known = before or submission.reason or ""
    news = submission.tries == 0 or _first_sentence(reason) != _first_sentence(known)
    if news:
        log_of(submission, reason=reason).warning(
            "Submission {} ({}) waits: {}", submission.id, submission.path, reason
        )
    due_at = now() + timedelta(seconds=seconds)
    noted = draft.record(EventKind.WAITING, reason) if news else draft
    return noted.end_turn(
        submission.step,
        due_at,
        reason=submission.reason if _keeps_reason(submission) else reason,
        tries=submission.tries + 1,
        waiting_since=submission.waiting_since or now(),
    )


def hold_after_repeated_crashes(context: Context, submission: Submission) -> None:
    """A part at which stlflow is killed again and again, without any progress, is set aside for a person.

    `submission` is as it was before it was taken over.
    """
    deaths = 0
    for event in reversed(context.ledger.events(submission.id)):
        if event.event not in _NO_PROGRESS_EVENTS:
            break
        deaths += event.event == EventKind.TAKEN_OVER
    if (
        deaths < CRASHES_BEFORE_HOLD
        or submission.state in ENDED_STATES
        or submission.state is SubmissionState.HELD
    ):
        return
    reason = (
        f"stlflow was stopped or killed {deaths} times while it worked on this part ({submission.step}). "
        f"Is memory or disk short? `stlflow retry {submission.id}` tries again."
    )
    log_of(submission, SubmissionState.HELD, reason).warning(
        "Submission {} ({}) held: {}", submission.id, submission.path, reason
    )
    on_hold: SubmissionChanges = {"state": SubmissionState.HELD, "hold": HoldReason.FAULT, "reason": reason}
    taken_over = context.ledger.get(submission.id)
    if taken_over.turn != submission.turn + 1:  # someone has taken it further meanwhile
        return
    with suppress(Superseded):
        context.ledger.schedule_next_step(taken_over, Step.FINISH, now(), EventKind.HELD, reason, **on_hold)


def _first_sentence(reason: str) -> str:
    """Return what a reason says; behind it may stand a reference of Eiger's, another one each time."""
    return reason.partition(". ")[0]
