"""The fence around sending: write the intent, act, write the outcome.

At most one attempt may be between intent and outcome for a copy. An intent without an outcome is
busy until its deadline; after that whoever comes next takes it over, and must look before it acts.
Parts that a person has laid on one bed have one build: who of them is first sends it for all.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, or_, select, update

from workflow.ledger.ledger import (
    Ledger,
    Superseded,
    acquire_transaction_lock,
    check_fencing_token,
    seconds_now,
)
from workflow.ledger.statements import READ_SEND
from workflow.ledger.tables import sends, submissions
from workflow.model import ENDED_STATES, Submission

CHECKED_BY_OPERATOR = "looked"
"""Instead of how a reply was lost: a person has looked, and says that the attempt did nothing."""


@dataclass(frozen=True, slots=True)
class SendIntent:
    """The right to send one copy, once.

    `times` counts the attempts, this one included; `lost` is how the reply to the last one was lost,
    None when there was none before or its process died.
    """

    token: str
    times: int
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """The copy was sent before: the cloud's id of it."""

    receipt_id: str


@dataclass(frozen=True, slots=True)
class SendInProgress:
    """Another attempt may be under way for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SharedBuild:
    """Another submission sends the same build: the cloud's id of what it sent, None while it is at it."""

    number: int
    receipt_id: str | None


def begin_send(
    ledger: Ledger,
    submission: Submission,
    copy: int,
    lease_seconds: float,
    one_bed_since: datetime | None = None,
) -> SendIntent | AlreadySent | SendInProgress | SharedBuild:
    """Write the intent to send, unless it is settled or somebody is at it.

    What others sent of the same build `one_bed_since` then is this submission's, too; without, all that
    they sent is theirs. Raises Superseded when the submission's turn is over, so that a canceled one is
    never sent.
    """
    with ledger.write_transaction() as connection:
        check_fencing_token(connection, submission)
        now = seconds_now()
        row = _row(connection, submission.id, copy)
        if row is not None and row["receipt_id"] is not None:
            return AlreadySent(row["receipt_id"])
        if row is not None and row["deadline"] > now:
            return SendInProgress(
                _cap_deadline(connection, submission.id, copy, row["deadline"], now + lease_seconds) - now
            )
        never_tried = row is None or not row["times"]
        if one_bed_since is not None and never_tried:
            shared = _find_shared_build(connection, submission, copy, one_bed_since.timestamp())
            if shared is not None:
                return shared
        intent = SendIntent(uuid4().hex, row["times"] + 1, row["lost"]) if row else SendIntent(uuid4().hex, 1)
        values = {
            "token": intent.token,
            "times": intent.times,
            "deadline": now + lease_seconds,
        }
        if row is None:
            first = {"submission": submission.id, "copy": copy, "intent_at": now}
            connection.execute(insert(sends).values({**first, **values}))
        else:
            connection.execute(update(sends).where(_copy_condition(submission.id, copy)).values(values))
        return intent


def complete_send(
    ledger: Ledger,
    submission: Submission,
    copy: int,
    intent: SendIntent,
    receipt_id: str,
    *,
    reconciled: bool,
) -> None:
    """Write the outcome: the copy is sent, with the cloud's id as proof."""
    outcome = {"receipt_id": receipt_id, "settled_at": seconds_now(), "reconciled": reconciled}
    mine = and_(_copy_condition(submission.id, copy), sends.c.token == intent.token)
    with ledger.write_transaction() as connection:
        if connection.execute(update(sends).where(mine).values(outcome)).rowcount != 1:
            raise Superseded(f"Copy {copy} of submission {submission.id} was settled by somebody else.")


def withdraw_send(ledger: Ledger, submission: Submission, copy: int, intent: SendIntent) -> None:
    """Take this attempt back, for it is certain that it did nothing; earlier ones still count."""
    mine = and_(
        _copy_condition(submission.id, copy), sends.c.token == intent.token, sends.c.receipt_id.is_(None)
    )
    earlier = {"times": intent.times - 1, "deadline": 0.0}
    with ledger.write_transaction() as connection:
        connection.execute(update(sends).where(mine).values(earlier))


def renew_send_lease(
    ledger: Ledger, submission: Submission, copy: int, intent: SendIntent, lease_seconds: float
) -> None:
    """Begin the lease anew, right before acting: looking took its time.

    Raises Superseded when the intent was taken over, or the submission's turn is over.
    """
    mine = and_(
        _copy_condition(submission.id, copy), sends.c.token == intent.token, sends.c.receipt_id.is_(None)
    )
    with ledger.write_transaction() as connection:
        check_fencing_token(connection, submission)
        renewed = update(sends).where(mine).values(deadline=seconds_now() + lease_seconds)
        if connection.execute(renewed).rowcount != 1:
            raise Superseded(f"Copy {copy} of submission {submission.id} was taken over.")


def record_lost_reply(
    ledger: Ledger,
    submission: Submission,
    copy: int,
    intent: SendIntent,
    how: str,
    late_effect_seconds: float,
) -> None:
    """Write down that the request went out and no whole reply came; until then its effect may be late."""
    mine = and_(_copy_condition(submission.id, copy), sends.c.token == intent.token)
    lost = {"lost": how, "deadline": seconds_now() + late_effect_seconds}
    with ledger.write_transaction() as connection:
        connection.execute(update(sends).where(mine).values(lost))


def _find_shared_build(
    connection: Connection, submission: Submission, copy: int, since: float
) -> SharedBuild | None:
    """Until the transaction ends, nobody else begins to send this build."""
    acquire_transaction_lock(connection, f"build {submission.build_id}")
    at_it = and_(
        sends.c.receipt_id.is_(None),
        sends.c.times > 0,
        submissions.c.state.not_in([state.value for state in ENDED_STATES]),
    )
    query = (
        select(sends.c.submission, sends.c.receipt_id)
        .join(submissions, submissions.c.id == sends.c.submission)
        .where(
            submissions.c.build_id == submission.build_id,
            submissions.c.id != submission.id,
            sends.c.copy == copy,
            or_(sends.c.settled_at >= since, at_it),
        )
        .order_by(sends.c.receipt_id.is_(None), sends.c.settled_at)
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else SharedBuild(*row)


def _cap_deadline(connection: Connection, number: int, copy: int, deadline: float, longest: float) -> float:
    """No lease lasts longer than one that begins now: a later end was written while the clock stood wrong."""
    if deadline > longest:
        connection.execute(update(sends).where(_copy_condition(number, copy)).values(deadline=longest))
    return min(deadline, longest)


def _copy_condition(number: int, copy: int) -> ColumnElement[bool]:
    return and_(sends.c.submission == number, sends.c.copy == copy)


def _row(connection: Connection, number: int, copy: int) -> RowMapping | None:
    return READ_SEND.execute(connection, number=number, copy=copy).mappings().first()
