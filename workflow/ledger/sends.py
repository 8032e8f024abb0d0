"""The send fence: write the intent, act, write the outcome.

At most one attempt may be between intent and outcome for a copy. An intent without an outcome is in progress
until its deadline; after that the next worker takes it over, and must ask the cloud before it acts. Parts
that a person has put on one bed have one build: the first of them sends it for all.
"""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, select

from workflow.frozen import frozen
from workflow.ledger.changes import (
    Draft,
    Event,
    Superseded,
    acquire_transaction_lock,
    append_event,
    check_fencing_token,
    seconds_now,
    write_draft,
)
from workflow.ledger.statements import FIND_SHARED_BUILD, INSERT_SEND, READ_SEND, send_update
from workflow.ledger.store import Store
from workflow.ledger.tables import forgotten_sends, sends, submissions
from workflow.model import Submission

CHECKED_BY_OPERATOR = "looked"
"""In place of how a reply was lost: a person has checked that the attempt did nothing."""


@frozen
class SendIntent:
    """The right to send one copy, once.

    `times` counts the attempts, this one included. `lost` is how the reply to the last one was lost: None if
    there was none before, or if its process died.
    """

    token: str
    times: int
    lost: str | None = None


@frozen
class AlreadySent:
    """The copy was sent before; the cloud's id of it."""

    receipt_id: str


@frozen
class SendInProgress:
    """Another attempt may be running for this many seconds."""

    seconds: float


@frozen
class SharedBuild:
    """Another submission sends the same build; the cloud's id of what it sent, None while it sends."""

    number: int
    receipt_id: str | None


class SendStore(Store):
    """Intents and outcomes of sends, one row per copy."""

    def begin(
        self,
        submission: Submission,
        copy: int,
        lease_seconds: float,
        one_bed_since: datetime | None = None,
    ) -> SendIntent | AlreadySent | SendInProgress | SharedBuild:
        """Write the intent to send and return it, or return why there is nothing to send now.

        What other submissions sent of the same build since `one_bed_since` was sent for this one as well;
        without a time, it was sent for them alone. Raises Superseded if the turn is over, so that a canceled
        submission is never sent.
        """
        with self.write_transaction(durable=False) as connection:  # renewing the lease makes it durable
            check_fencing_token(connection, submission)
            now = seconds_now()
            row = _row(connection, submission.id, copy)
            if row is not None and row["receipt_id"] is not None:
                return AlreadySent(row["receipt_id"])
            if row is not None and row["deadline"] > now:
                return SendInProgress(_cap_deadline(connection, row, now + lease_seconds) - now)
            never_tried = row is None or not row["times"]
            if one_bed_since is not None and never_tried:
                shared = _find_shared_build(connection, submission, copy, one_bed_since.timestamp())
                if shared is not None:
                    return shared
            return _write_intent(connection, submission.id, copy, row, now + lease_seconds)

    def complete(self, submission: Submission, copy: int, intent: SendIntent, receipt_id: str) -> None:
        """Write the outcome: the copy is sent, with the cloud's id as proof. Raises Superseded."""
        with self.write_transaction() as connection:
            _complete(connection, submission.id, copy, intent, receipt_id)

    def complete_last(self, draft: Draft, copy: int, intent: SendIntent, receipt_id: str) -> Submission:
        """Write the outcome of the last copy and, in the same transaction, the draft that follows from it.

        The outcome is written even if the submission's turn is over. Raises Superseded then, too.
        """
        try:
            with self.write_transaction() as connection:
                _complete(connection, draft.stored.id, copy, intent, receipt_id)
                return write_draft(connection, draft)
        except Superseded:
            self.complete(draft.stored, copy, intent, receipt_id)
            raise

    def withdraw(self, submission: Submission, copy: int, intent: SendIntent) -> None:
        """Undo this attempt, which certainly had no effect; earlier attempts remain."""
        with self.write_transaction() as connection:
            send_update("times", "deadline").execute(
                connection,
                number=submission.id,
                copy=copy,
                token=intent.token,
                new_times=intent.times - 1,
                new_deadline=0.0,
            )

    def renew_lease(
        self, submission: Submission, copy: int, intent: SendIntent, lease_seconds: float, *events: Event
    ) -> None:
        """Begin the lease again, right before acting: the search for earlier sends took its time.

        The events are recorded with it. Raises Superseded if the intent was taken over, or the turn is over.
        """
        with self.write_transaction() as connection:
            check_fencing_token(connection, submission)
            renewed = send_update("deadline", open_only=True).execute(
                connection,
                number=submission.id,
                copy=copy,
                token=intent.token,
                new_deadline=seconds_now() + lease_seconds,
            )
            for event, detail in events:
                append_event(connection, submission.id, event, detail)
            if renewed.rowcount != 1:
                raise Superseded(f"Copy {copy} of submission {submission.id} was taken over.")

    def record_lost_reply(
        self, submission: Submission, copy: int, intent: SendIntent, how: str, late_effect_seconds: float
    ) -> None:
        """Record that the request was sent and no whole reply came; its effect may be late for so long."""
        with self.write_transaction() as connection:
            send_update("lost", "deadline").execute(
                connection,
                number=submission.id,
                copy=copy,
                token=intent.token,
                new_lost=how,
                new_deadline=seconds_now() + late_effect_seconds,
            )

    def list_receipts(self, number: int) -> tuple[str, ...]:
        """Return the receipts of a submission, copy by copy."""
        query = select(sends.c.receipt_id).where(
            sends.c.submission == number, sends.c.receipt_id.is_not(None)
        )
        with self.read_connection() as connection:
            return tuple(connection.execute(query.order_by(sends.c.copy)).scalars().all())

    def list_receipts_of_others(self, submission: Submission) -> tuple[str, ...]:
        """Return the receipts that other submissions, deleted ones included, got for the same build."""
        of_deleted = select(forgotten_sends.c.receipt_id).where(
            forgotten_sends.c.build_id == submission.build_id
        )
        query = (
            select(sends.c.receipt_id)
            .join(submissions, submissions.c.id == sends.c.submission)
            .where(
                submissions.c.build_id == submission.build_id,
                submissions.c.id != submission.id,
                sends.c.receipt_id.is_not(None),
            )
        )
        with self.read_connection() as connection:
            others = connection.execute(query.order_by(sends.c.settled_at)).scalars().all()
            return (*connection.execute(of_deleted).scalars(), *others)


def _complete(connection: Connection, number: int, copy: int, intent: SendIntent, receipt_id: str) -> None:
    done = send_update("receipt_id", "settled_at").execute(
        connection,
        number=number,
        copy=copy,
        token=intent.token,
        new_receipt_id=receipt_id,
        new_settled_at=seconds_now(),
    )
    if done.rowcount != 1:
        raise Superseded(f"Copy {copy} of submission {number} was settled by another worker.")


def _write_intent(
    connection: Connection, number: int, copy: int, row: RowMapping | None, deadline: float
) -> SendIntent:
    intent = SendIntent(uuid4().hex, row["times"] + 1, row["lost"]) if row else SendIntent(uuid4().hex, 1)
    values = {"token": intent.token, "times": intent.times, "deadline": deadline}
    if row is None:
        INSERT_SEND.execute(connection, submission=number, copy=copy, intent_at=seconds_now(), **values)
    else:
        changes = {f"new_{name}": value for name, value in values.items()}
        send_update(*values).execute(connection, number=number, copy=copy, token=row["token"], **changes)
    return intent


def _find_shared_build(
    connection: Connection, submission: Submission, copy: int, since: float
) -> SharedBuild | None:
    """Return another submission that sends this build; until the transaction ends no further one begins."""
    acquire_transaction_lock(connection, f"build {submission.build_id}")
    row = FIND_SHARED_BUILD.execute(
        connection, build=submission.build_id, number=submission.id, copy=copy, since=since
    ).first()
    return None if row is None else SharedBuild(*row)


def _cap_deadline(connection: Connection, row: RowMapping, longest: float) -> float:
    """Return the deadline, at most `longest`: a later one was written while the clock was wrong."""
    deadline = float(row["deadline"])
    if deadline > longest:
        which = {"number": row["submission"], "copy": row["copy"], "token": row["token"]}
        send_update("deadline").execute(connection, **which, new_deadline=longest)
    return min(deadline, longest)


def _row(connection: Connection, number: int, copy: int) -> RowMapping | None:
    return READ_SEND.execute(connection, number=number, copy=copy).mappings().first()
