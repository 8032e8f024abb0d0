"""Writing down how a step ended when it did not simply go on: reject, hold, or wait in line."""

from contextlib import suppress
from datetime import timedelta
from typing import Unpack

from loguru import logger

from workflow.ledger import Superseded
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

CRASHES_BEFORE_HOLD = 20
_NO_PROGRESS_EVENTS = frozenset(
    {EventKind.TAKEN_OVER, EventKind.UPLOADING, EventKind.SENDING, EventKind.WAITING}
)


def reject(
    context: Context,
    submission: Submission,
    reason: str,
    decided: DecisionRecord | None = None,
    /,
    **changes: Unpack[SubmissionChanges],
) -> Submission:
    """The file is at fault: it ends here. `decided` is the decision that says so, if it was one."""
    logger.warning("Submission {} ({}) rejected: {}", submission.id, submission.path, reason)
    ended: SubmissionChanges = {"state": SubmissionState.REJECTED, "reason": reason, "ended_at": now()}
    return _record_end(context, submission, EventKind.REJECTED, reason, decided, {**ended, **changes})


def hold(
    context: Context,
    submission: Submission,
    kind: HoldReason,
    reason: str,
    decided: DecisionRecord | None = None,
    /,
    **changes: Unpack[SubmissionChanges],
) -> Submission:
    """A person must look: retry, release or cancel ends it. `decided` is the decision that holds, if any."""
    logger.warning("Submission {} ({}) held: {}", submission.id, submission.path, reason)
    held: SubmissionChanges = {"state": SubmissionState.HELD, "hold": kind, "reason": reason}
    return _record_end(context, submission, EventKind.HELD, reason, decided, {**held, **changes})


def _record_end(
    context: Context,
    submission: Submission,
    event: EventKind,
    reason: str,
    decided: DecisionRecord | None,
    changes: SubmissionChanges,
) -> Submission:
    if decided is not None:
        return context.ledger.record_decision(submission, decided, event, reason, **changes)
    return context.ledger.record_event(submission, event, reason, **changes)


def schedule_retry(context: Context, submission: Submission, seconds: float, reason: str) -> Submission:
    """Nothing is wrong with the file: the same step begins again later. Each new reason is said once."""
    news = submission.tries == 0 or _first_sentence(reason) != _first_sentence(submission.reason or "")
    if news:
        logger.warning("Submission {} ({}) waits: {}", submission.id, submission.path, reason)
    return context.ledger.schedule_next_step(
        submission,
        submission.step,
        now() + timedelta(seconds=seconds),
        EventKind.WAITING if news else None,
        reason,
        reason=submission.reason if submission.state in {*ENDED_STATES, SubmissionState.HELD} else reason,
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
    logger.warning("Submission {} ({}) held: {}", submission.id, submission.path, reason)
    held: SubmissionChanges = {"state": SubmissionState.HELD, "hold": HoldReason.FAULT, "reason": reason}
    taken_over = context.ledger.get(submission.id)
    if taken_over.turn != submission.turn + 1:  # someone has taken it further meanwhile
        return
    with suppress(Superseded):
        context.ledger.schedule_next_step(taken_over, Step.FINISH, now(), EventKind.HELD, reason, **held)


def _first_sentence(reason: str) -> str:
    """Return what a reason says; behind it may stand a reference of Eiger's, another one each time."""
    return reason.partition(". ")[0]
