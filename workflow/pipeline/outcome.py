"""Writing down how a step ended when it did not simply go on: reject, hold, or wait in line."""

from contextlib import suppress
from datetime import timedelta

from loguru import logger

from workflow.ledger import Superseded
from workflow.model import ENDED, Decided, Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.workshop import Workshop

DEATHS_BEFORE_HOLD = 20
_NO_PROGRESS = frozenset({"taken over", "uploading", "sending", "waiting"})


def reject(
    shop: Workshop, submission: Submission, reason: str, decided: Decided | None = None, /, **changes: object
) -> Submission:
    """The file is at fault: it ends here. `decided` is the decision that says so, if it was one."""
    logger.warning("Submission {} ({}) rejected: {}", submission.id, submission.path, reason)
    ended = {"state": State.REJECTED, "reason": reason, "ended_at": now()}
    if decided is not None:
        return shop.ledger.record_decision(submission, decided, "rejected", reason, **{**ended, **changes})
    return shop.ledger.record(submission, "rejected", reason, **{**ended, **changes})


def hold(
    shop: Workshop,
    submission: Submission,
    kind: Hold,
    reason: str,
    decided: Decided | None = None,
    /,
    **changes: object,
) -> Submission:
    """A person must look: retry, release or cancel ends it. `decided` is the decision that holds, if any."""
    logger.warning("Submission {} ({}) held: {}", submission.id, submission.path, reason)
    held = {"state": State.HELD, "hold": kind, "reason": reason}
    if decided is not None:
        return shop.ledger.record_decision(submission, decided, "held", reason, **{**held, **changes})
    return shop.ledger.record(submission, "held", reason, **{**held, **changes})


def wait_in_line(shop: Workshop, submission: Submission, seconds: float, reason: str) -> Submission:
    """Nothing is wrong with the file: the same step begins again later. Each new reason is said once."""
    news = submission.tries == 0 or _first_sentence(reason) != _first_sentence(submission.reason or "")
    if news:
        logger.warning("Submission {} ({}) waits: {}", submission.id, submission.path, reason)
    return shop.ledger.next_turn(
        submission,
        submission.step,
        now() + timedelta(seconds=seconds),
        event="waiting" if news else "",
        detail=reason,
        reason=submission.reason if submission.state in {*ENDED, State.HELD} else reason,
        tries=submission.tries + 1,
        waiting_since=submission.waiting_since or now(),
    )


def hold_if_deadly(shop: Workshop, submission: Submission) -> None:
    """A part at which stlflow is killed again and again, without any progress, is set aside for a person.

    `submission` is as it was before it was taken over.
    """
    deaths = 0
    for event in reversed(shop.ledger.events(submission.id)):
        if event.event not in _NO_PROGRESS:
            break
        deaths += event.event == "taken over"
    if deaths < DEATHS_BEFORE_HOLD or submission.state in ENDED or submission.state is State.HELD:
        return
    reason = (
        f"stlflow was stopped or killed {deaths} times while it worked on this part ({submission.step}). "
        f"Is memory or disk short? `stlflow retry {submission.id}` tries again."
    )
    logger.warning("Submission {} ({}) held: {}", submission.id, submission.path, reason)
    held = {"state": State.HELD, "hold": Hold.FAULT, "reason": reason}
    taken_over = shop.ledger.get(submission.id)
    if taken_over.turn != submission.turn + 1:  # somebody has taken it further meanwhile
        return
    with suppress(Superseded):
        shop.ledger.next_turn(taken_over, Step.FINISH, now(), "held", reason, **held)


def _first_sentence(reason: str) -> str:
    """Give what a reason says; behind it may stand a reference of Eiger's, another one each time."""
    return reason.partition(". ")[0]
