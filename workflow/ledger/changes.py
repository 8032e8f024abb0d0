"""Changes of a submission, each inside a transaction: its row, its events and its latest decisions.

Each change names the turn it belongs to. A change by a worker whose turn is over (a canceled submission, a
step that was taken over) raises `Superseded` and alters nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, Unpack

from sqlalchemy import Connection, CursorResult, insert, select, text

from workflow.errors import StateFolderError, StlflowError, UnknownSubmission
from workflow.frozen import frozen
from workflow.ledger.database import CLOCK
from workflow.ledger.handover import HANDED_OVER, becomes_job, hand_over
from workflow.ledger.rows import decision_columns, replace_unstorable, submission_from, to_columns
from workflow.ledger.statements import (
    DELETE_DECISION,
    DELETE_EARLIER_DECISIONS,
    INSERT_DECISION,
    INSERT_EARLIER_DECISION,
    INSERT_EVENT,
    INSERT_NOTICE,
    INSERT_TOLD_EVENT,
    LOCK_SUBMISSION,
    LOCK_TURN,
    READ_SUBMISSION,
    PreparedStatement,
    submission_update,
)
from workflow.ledger.tables import events, notices, submissions
from workflow.ledger.work import work_of
from workflow.model import (
    NO_CHANGES,
    TOLD_EVENTS,
    DecisionRecord,
    EventKind,
    Step,
    Submission,
    SubmissionChanges,
    check_transition,
    evolve,
)

T = TypeVar("T")
Event = tuple[EventKind, str]
"""What happened, and the detail in words."""
VALUES_PER_STATEMENT = 500
"""SQLite takes some thousands of values in one statement, Postgres 65,535."""
seconds_now = CLOCK.seconds
"""Return the present time as the tables hold it."""
_NUMBERS_END = 2**31
"""Of submissions; a database refuses what is larger."""
MAX_DUE_AHEAD_SECONDS = 1_800.0
"""Nothing waits longer: a later time was written while the clock was wrong."""


class Superseded(StlflowError):
    """Another worker, or a person, has taken the submission further: this turn is over."""


@frozen
class Draft:
    """A submission with news that is not written yet; `Ledger.write` writes all of it in one transaction."""

    stored: Submission
    """As it is in the ledger."""
    submission: Submission
    """As it will be."""
    changes: SubmissionChanges
    events: tuple[Event, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()

    def change(self, **changes: Unpack[SubmissionChanges]) -> "Draft":
        """Return the draft with further changes. Raises IllegalTransition for a state that can't follow."""
        check_transition(self.submission.state, changes.get("state", self.submission.state))
        ahead = evolve(self.submission, **changes)
        return Draft(self.stored, ahead, {**self.changes, **changes}, self.events, self.decisions)

    def record(
        self,
        event: EventKind,
        detail: str = "",
        decided: DecisionRecord | None = None,
        /,
        **changes: Unpack[SubmissionChanges],
    ) -> "Draft":
        """Return the draft with an event, the changes that go with it, and the decision that made them."""
        draft = self.change(**changes) if changes else self
        decisions = self.decisions if decided is None else (*self.decisions, decided)
        events = (*self.events, (event, detail))
        return Draft(draft.stored, draft.submission, draft.changes, events, decisions)

    def end_turn(
        self, step: Step | None, due_at: datetime | None, /, **changes: Unpack[SubmissionChanges]
    ) -> "Draft":
        """Return the draft with the next turn, in which `step` begins at a time."""
        ahead: SubmissionChanges = {**next_turn(self.submission, step, due_at), **changes}
        return self.change(**ahead)


def draft_of(submission: Submission) -> Draft:
    """Return a draft without any news yet."""
    return Draft(submission, submission, NO_CHANGES)


# -- one submission -----------------------------------------------------------------------------------


def read_submission(connection: Connection, number: int) -> Submission:
    """Return one submission. Raises UnknownSubmission."""
    return _first_submission(READ_SUBMISSION, connection, number)


def lock_submission(connection: Connection, number: int) -> Submission:
    """Return one submission, unchanged by others until the transaction ends. Raises UnknownSubmission."""
    return _first_submission(LOCK_SUBMISSION, connection, number)


def check_fencing_token(connection: Connection, submission: Submission) -> None:
    """Raise Superseded if the submission's turn is over; if not, it stays ours until the transaction ends."""
    turn = LOCK_TURN.execute(connection, number=submission.id).scalar_one_or_none()
    if turn != submission.turn:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def apply_changes(
    connection: Connection, submission: Submission, changes: SubmissionChanges, *happened: Event
) -> Submission:
    """Write changes together with the events that explain them, and return the submission as it is then.

    Raises Superseded if the turn is over, IllegalTransition for a change of state that is not allowed.
    """
    check_transition(submission.state, changes.get("state", submission.state))
    return _update(connection, submission, evolve(submission, **changes), changes, happened)


def write_draft(connection: Connection, draft: Draft) -> Submission:
    """Write a draft, and return the submission as it is then. Raises Superseded if the turn is over."""
    written = _update(connection, draft.stored, draft.submission, draft.changes, draft.events)
    for decided in draft.decisions:
        replace_decision(connection, draft.stored.id, decided)
    return written


def _update(
    connection: Connection,
    submission: Submission,
    changed: Submission,
    changes: SubmissionChanges,
    happened: Iterable[Event],
) -> Submission:
    columns = to_columns(changes) or {"turn": submission.turn}
    at_once = becomes_job(connection, changed.step, columns.get("due_at"))
    if at_once:
        columns["due_at"] = HANDED_OVER
        changed = evolve(changed, due_at=HANDED_OVER)
    values = {f"new_{name}": value for name, value in columns.items()}
    written = submission_update(tuple(columns)).execute(
        connection, number=submission.id, at_turn=submission.turn, **values
    )
    if written.rowcount != 1:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")
    for event, detail in happened:
        append_event(connection, submission.id, event, detail)
    if at_once:
        hand_over(connection, work_of(changed), changed.home)
    return changed


def next_turn(submission: Submission, step: Step | None, due_at: datetime | None) -> SubmissionChanges:
    """Return the changes that end the current turn and let `step` begin at a time."""
    return {"step": step, "due_at": due_at, "turn": submission.turn + 1}


def append_event(connection: Connection, number: int, event: EventKind, detail: str) -> None:
    """Add one line to the history; what people are told of goes into the outbox with it."""
    line = {"submission": number, "at": seconds_now(), "event": event, "detail": replace_unstorable(detail)}
    told = TOLD_EVENTS.get(event)
    if told is None:
        INSERT_EVENT.execute(connection, **line)
        return
    written = INSERT_TOLD_EVENT.execute(connection, **line).scalar_one()
    INSERT_NOTICE.execute(connection, **{**line, "event": told, "subject": f"event {written}"})


def replace_decision(connection: Connection, number: int, decided: DecisionRecord) -> None:
    """Store a decision in place of the last one of its stage; if another rule made that, the rule is kept."""
    last = DELETE_DECISION.execute(connection, number=number, decided_stage=decided.stage).mappings().first()
    if last is not None and last["rule"] != decided.rule:
        DELETE_EARLIER_DECISIONS.execute(connection, **last, new_rule=decided.rule)
        INSERT_EARLIER_DECISION.execute(connection, **last)
    INSERT_DECISION.execute(connection, submission=number, **decision_columns(decided))


def insert_with_number(connection: Connection, number: int, row: Mapping[str, object]) -> bool:
    """Insert a submission under a number that was given out before. False if the number is in use."""
    acquire_transaction_lock(connection, f"submission {number}")
    taken = select(submissions.c.id).where(submissions.c.id == number)
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(insert(submissions).values({"id": number, **row}))
    advance_id_sequences(connection)
    return True


# -- the database -------------------------------------------------------------------------------------


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the number that the database gave to the row that was inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise StateFolderError("The ledger can't be written: the database gave no number to a new row.")
    return int(key[0])


def advance_id_sequences(connection: Connection) -> None:
    """Make the next number a new one on Postgres; SQLite does that by itself.

    Never backwards: higher numbers may have been given out and deleted since.
    """
    if connection.dialect.name == "postgresql":
        for table in (submissions, events, notices):
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            highest = f"select setval({sequence}, greatest(max(id), nextval({sequence}))) from {table.name}"  # noqa: S608  # names of our own tables
            connection.execute(text(f"{highest} having max(id) > 0"))


def acquire_transaction_lock(connection: Connection, what: str) -> None:
    """Lock one name until the transaction ends. SQLite needs no lock: it has one writer at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:what))"), {"what": what})


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """Return the values in portions that fit into one statement."""
    every = list(values)
    return (
        every[start : start + VALUES_PER_STATEMENT] for start in range(0, len(every), VALUES_PER_STATEMENT)
    )


def _first_submission(query: PreparedStatement, connection: Connection, number: int) -> Submission:
    is_number = 0 < number < _NUMBERS_END
    row = query.execute(connection, number=number).mappings().first() if is_number else None
    if row is None:
        raise UnknownSubmission(f"There is no submission {number}. `stlflow list` shows all.")
    return submission_from(row)
