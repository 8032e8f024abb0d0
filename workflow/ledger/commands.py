"""Orders of a person: looking and changing in one transaction, so that nothing moves in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, select, update

from workflow.ledger.duplicates import find_competing_submission
from workflow.ledger.ledger import (
    Ledger,
    acquire_transaction_lock,
    append_event,
    lock_submission,
    seconds_now,
    update_submission_row,
)
from workflow.ledger.sends import CHECKED_BY_OPERATOR
from workflow.ledger.tables import sends
from workflow.model import Step, Submission


@dataclass(frozen=True, slots=True)
class SendState:
    """What is open of sending: whether an attempt's outcome is unknown, and whether one may be under way.

    `sent` counts the copies that are sent for certain. `rival` is another submission that sends the very
    build, if there is one.
    """

    open: bool
    under_way: bool
    sent: int = 0
    rival: int | None = None


@dataclass(frozen=True, slots=True)
class CommandEffect:
    """What is to happen: the step that begins at once, the event, and the changes that go with it.

    Without a step nothing is left to do.

    `looked` says that a person has looked: attempts to send that are open no longer count. `receipt` says
    that they worked, `undone` that they did not.
    """

    step: Step | None
    event: str
    detail: str
    changes: Mapping[str, object] = field(default_factory=dict)
    looked: bool = False
    receipt: str | None = None
    undone: bool = False


def execute_command(
    ledger: Ledger, number: int, decide: Callable[[Submission, SendState], CommandEffect]
) -> Submission:
    """Decide on the submission as it stands, and write the decision down, in one transaction.

    Raises UnknownSubmission, and whatever `decide` raises to refuse; then nothing is changed.
    """
    with ledger.write_transaction() as connection:
        submission = lock_submission(connection, number)
        unsettled = and_(sends.c.submission == number, sends.c.receipt_id.is_(None), sends.c.times > 0)
        deadlines = connection.execute(select(sends.c.deadline).where(unsettled)).scalars().all()
        under_way = any(end > seconds_now() for end in deadlines)
        acquire_transaction_lock(connection, submission.sha256 or "")  # nobody takes the build in between
        sent, rival = _copies_sent(connection, number), _competing_submission(connection, submission)
        order = decide(submission, SendState(bool(deadlines), under_way, sent, rival))
        if order.receipt is not None:
            known = {"receipt_id": order.receipt, "settled_at": seconds_now(), "reconciled": True}
            connection.execute(update(sends).where(unsettled).values(known))
        elif order.looked:
            never, looked = {"lost": None, "times": 0}, {"lost": CHECKED_BY_OPERATOR, "times": 1}
            fresh = {**(never if order.undone else looked), "deadline": 0.0}
            connection.execute(update(sends).where(unsettled).values(fresh))
        present = None if order.step is None else datetime.fromtimestamp(seconds_now(), UTC)
        ahead = {"step": order.step, "due_at": present, "turn": submission.turn + 1, "worker": None}
        changes: dict[str, object] = {**ahead, **order.changes}
        update_submission_row(connection, submission, changes)
        append_event(connection, number, order.event, order.detail)
    return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names


def _competing_submission(connection: Connection, submission: Submission) -> int | None:
    """Only a build that is reused may be another's, too."""
    reused = submission.reused is not None
    return (
        find_competing_submission(connection, submission.build_id, besides=submission.id) if reused else None
    )


def _copies_sent(connection: Connection, number: int) -> int:
    settled = and_(sends.c.submission == number, sends.c.receipt_id.is_not(None))
    return int(connection.execute(select(func.count()).select_from(sends).where(settled)).scalar_one())
