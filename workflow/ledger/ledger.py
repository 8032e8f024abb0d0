"""The ledger: one row per submission, one line per event, written in the same transaction.

Every change names the turn it belongs to. A change by somebody whose turn is over (a canceled
submission, a step that was taken over) raises `Superseded` and alters nothing.

The few statements that every part of the ledger shares, each inside somebody's transaction.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from workflow.errors import DatabaseUnavailable, StateFolderError, StlflowError, UnknownSubmission
from workflow.ledger.connections import Connections, database_error_text
from workflow.ledger.database import CLOCK, migrate_schema
from workflow.ledger.rows import decision_columns, event_from, replace_unstorable, submission_from, to_columns
from workflow.ledger.statements import (
    DELETE_DECISION,
    INSERT_DECISION,
    INSERT_EVENT,
    LOCK_SUBMISSION,
    LOCK_TURN,
    READ_EVENTS,
    READ_SUBMISSION,
    PreparedStatement,
    submission_update,
)
from workflow.ledger.tables import events, submissions
from workflow.model import DecisionRecord, Step, Submission, SubmissionEvent, SubmissionState


class Superseded(StlflowError):
    """Somebody else has taken the submission further: this turn is over."""


def lock_submission(connection: Connection, number: int) -> Submission:
    """Return one submission, unchanged by others until the transaction ends. Raises UnknownSubmission."""
    return _read_submission(LOCK_SUBMISSION, connection, number)


def _read_submission(query: PreparedStatement, connection: Connection, number: int) -> Submission:
    row = query.execute(connection, number=number).mappings().first()
    if row is None:
        raise UnknownSubmission(f"There is no submission {number}. `stlflow list` shows all.")
    return submission_from(row)


def insert_with_number(connection: Connection, number: int, row: Mapping[str, object]) -> bool:
    """Insert a submission under a number that was given out before; False when it is there."""
    acquire_transaction_lock(connection, f"submission {number}")
    taken = select(submissions.c.id).where(submissions.c.id == number)
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(insert(submissions).values({"id": number, **row}))
    advance_id_sequences(connection)
    return True


def advance_id_sequences(connection: Connection) -> None:
    """Let the next number be a new one; SQLite sees to that by itself.

    Never backwards: higher numbers may have been given out, and forgotten since.
    """
    if connection.dialect.name == "postgresql":
        for table in (submissions, events):
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            highest = f"select setval({sequence}, greatest(max(id), nextval({sequence}))) from {table.name}"  # noqa: S608  # names of our own tables
            connection.execute(text(f"{highest} having max(id) > 0"))


def acquire_transaction_lock(connection: Connection, what: str) -> None:
    """SQLite has one writer at a time anyway; Postgres is asked for it, for this alone, until the end."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:what))"), {"what": what})


def update_submission_row(
    connection: Connection, submission: Submission, changes: Mapping[str, object]
) -> None:
    """Write changes, if the turn is not over. Raises Superseded."""
    columns = to_columns(changes) or {"turn": submission.turn}
    values = {f"new_{name}": value for name, value in columns.items()}
    changed = submission_update(tuple(columns)).execute(
        connection, number=submission.id, at_turn=submission.turn, **values
    )
    if changed.rowcount != 1:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def check_fencing_token(connection: Connection, submission: Submission) -> None:
    """Raise Superseded when the submission's turn is over; until the transaction ends it stays ours."""
    turn = LOCK_TURN.execute(connection, number=submission.id).scalar_one_or_none()
    if turn != submission.turn:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def append_event(connection: Connection, number: int, event: str, detail: str) -> None:
    """Add one line to the history."""
    INSERT_EVENT.execute(
        connection, submission=number, at=seconds_now(), event=event, detail=replace_unstorable(detail)
    )


def replace_decision(connection: Connection, number: int, decided: DecisionRecord) -> None:
    """Keep a decision with what decided, in place of an earlier one of the same stage."""
    DELETE_DECISION.execute(connection, number=number, decided_stage=decided.stage)
    INSERT_DECISION.execute(connection, submission=number, **decision_columns(decided))


def seconds_now() -> float:
    """Give the present time as the tables hold it."""
    return CLOCK.seconds()


NO_VALUES: Mapping[str, object] = {}
_VALUES_PER_STATEMENT = 500
OPEN_ERRORS = (SQLAlchemyError, ImportError, ValueError)
"""What opening a database raises; a port that is no number is a ValueError, and may be a password."""
MAX_DUE_AHEAD_SECONDS = 1_800.0
"""Nothing waits longer: a later time was written while the clock stood wrong."""


class Ledger:
    """The durable record of submissions and their events.

    Raises StateError when the database can't be written, for example because the disk is full.
    """

    def __init__(self, url: str, *, as_it_is: bool = False) -> None:
        """Open it and bring it up to date; `as_it_is` is for looking alone: it waits for no lock."""
        self.url = url
        self.turns: Mapping[str, threading.Lock] = defaultdict(threading.Lock)
        """One at a time in this process, by what they are at: see `alone`."""
        try:
            self._connections = Connections(url)
            with self._connections.opened(read_only=as_it_is) as connection:
                if not as_it_is:
                    migrate_schema(connection)
                CLOCK.synchronize(connection)
        except OPEN_ERRORS as error:
            raise open_error(url, error) from None

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    # -- the journey ----------------------------------------------------------------------------

    def open(self, path: str, worker: str | None = None) -> int:
        """Begin a submission before its file is touched; it shows only once claimed. Gives its number.

        `worker` is who is about to claim the file.
        """
        row = {
            "path": path,
            "state": SubmissionState.CLAIMED.value,
            "opened_at": seconds_now(),
            "worker": worker,
        }
        with self.write_transaction() as connection:
            result = connection.execute(insert(submissions).values(row))
            return int(result.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted

    def forget(self, number: int) -> None:
        """Undo `open`: the file could not be taken."""
        with self.write_transaction() as connection:
            unclaimed = and_(submissions.c.id == number, submissions.c.claimed_as.is_(None))
            connection.execute(delete(submissions).where(unclaimed))

    def claimed(
        self,
        number: int,
        claimed_as: str,
        *,
        path: str | None = None,
        left_in_place: bool = False,
        home: str | None = None,
    ) -> None:
        """The file is ours: from here on the submission goes on by itself.

        Somebody who took us for dead may have forgotten the number meanwhile, or written down the claim
        for us: then the row is made anew for `path`, or left as it is.
        """
        with self.write_transaction() as connection:
            claim = {
                "claimed_as": claimed_as,
                "left_in_place": left_in_place,
                "home": home,
                "worker": None,
                "step": Step.INTAKE.value,
                "due_at": seconds_now(),
            }
            opened = and_(submissions.c.id == number, submissions.c.claimed_as.is_(None))
            if connection.execute(update(submissions).where(opened).values(claim)).rowcount != 1:
                fresh = {
                    "path": path,
                    "state": SubmissionState.CLAIMED.value,
                    "opened_at": seconds_now(),
                    **claim,
                }
                if path is None or not insert_with_number(connection, number, fresh):
                    return
            append_event(connection, number, "claimed", claimed_as)

    def record_event(
        self, submission: Submission, event: str, detail: str = "", **changes: object
    ) -> Submission:
        """Write one event and the changes that go with it; gives the submission as it is now.

        Raises Superseded when the submission's turn is over.
        """
        with self.write_transaction() as connection:
            update_submission_row(connection, submission, changes)
            append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def record_decision(
        self, submission: Submission, decided: DecisionRecord, event: str, detail: str, /, **changes: object
    ) -> Submission:
        """Write what was decided and on which facts, with one event and the changes that go with it.

        Raises Superseded when the submission's turn is over.
        """
        with self.write_transaction() as connection:
            update_submission_row(connection, submission, changes)
            replace_decision(connection, submission.id, decided)
            append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def update_submission(self, submission: Submission, **changes: object) -> Submission:
        """Write changes that are no news. Raises Superseded when the submission's turn is over."""
        with self.write_transaction() as connection:
            update_submission_row(connection, submission, changes)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def schedule_next_step(
        self,
        submission: Submission,
        step: Step | None,
        due_at: datetime | None,
        event: str = "",
        detail: str = "",
        **changes: object,
    ) -> Submission:
        """End the present turn: `step` begins at `due_at`. Raises Superseded when it was over before."""
        with self.write_transaction() as connection:
            ahead = {"step": step, "due_at": due_at, "turn": submission.turn + 1, "worker": None}
            changes = {**ahead, **changes}
            update_submission_row(connection, submission, changes)
            if event:
                append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    # -- reading --------------------------------------------------------------------------------

    def get(self, number: int) -> Submission:
        """Return one submission. Raises UnknownSubmission."""
        with self.read_connection() as connection:
            return _read_submission(READ_SUBMISSION, connection, number)

    def among(self, numbers: Collection[int]) -> tuple[Submission, ...]:
        """Give those of these submissions that there are, claimed or not."""
        wanted = sorted(numbers)
        chunks = (
            wanted[start : start + _VALUES_PER_STATEMENT]
            for start in range(0, len(wanted), _VALUES_PER_STATEMENT)
        )
        queries = (select(submissions).where(submissions.c.id.in_(chunk)) for chunk in chunks)
        return tuple(submission for query in queries for submission in self.select_submissions(query))

    def events(self, number: int) -> tuple[SubmissionEvent, ...]:
        """Return all events of a submission, oldest first."""
        with self.read_connection() as connection:
            return tuple(map(event_from, READ_EVENTS.execute(connection, number=number).mappings()))

    def all(
        self, states: Collection[SubmissionState] = (), limit: int | None = None
    ) -> tuple[Submission, ...]:
        """Give claimed submissions, newest first, of the given states only if any are given."""
        query = select(submissions).where(submissions.c.claimed_as.is_not(None))
        if states:
            query = query.where(submissions.c.state.in_([state.value for state in states]))
        return self.select_submissions(query.order_by(submissions.c.id.desc()).limit(limit))

    def count_by_state(self) -> dict[SubmissionState, int]:
        """Return how many claimed submissions are in each state that has any."""
        query = select(submissions.c.state, func.count()).where(submissions.c.claimed_as.is_not(None))
        with self.read_connection() as connection:
            rows = connection.execute(query.group_by(submissions.c.state)).all()
        return {SubmissionState(state): count for state, count in rows}

    def list_with_content(self, sha256: str) -> tuple[Submission, ...]:
        """Give submissions of the very same bytes, newest first."""
        query = select(submissions).where(submissions.c.sha256 == sha256)
        return self.select_submissions(query.order_by(submissions.c.id.desc()))

    def claimed_from(self, place: str) -> tuple[Submission, ...]:
        """Give submissions of the file in this place, newest first."""
        query = select(submissions).where(submissions.c.claimed_as == place)
        return self.select_submissions(query.order_by(submissions.c.id.desc()))

    # -- connections ----------------------------------------------------------------------------

    def write_transaction(self, *, durable: bool = True) -> AbstractContextManager[Connection]:
        """Return one transaction, committed at the end: see `Connections.write_transaction`."""
        return self._connections.write_transaction(durable=durable)

    def read_connection(self) -> AbstractContextManager[Connection]:
        """Return a connection that sees the last committed state. Raises StateFolderError."""
        return self._connections.read_connection()

    def select_submissions(
        self, query: Any, values: Mapping[str, object] = NO_VALUES
    ) -> tuple[Submission, ...]:
        """Give the submissions that a query over their table finds, with values for what it leaves open."""
        with self.read_connection() as connection:
            rows = connection.execute(query, values).mappings()
            return tuple(submission_from(dict(row)) for row in rows)

    def some(self, query: Any) -> bool:
        """Tell whether a query finds anything."""
        with self.read_connection() as connection:
            return connection.execute(query).first() is not None


def open_error(url: str, error: Exception) -> StateFolderError:
    """Give what to raise for one of `NOT_OPENED`."""
    away = isinstance(error, OperationalError) and not url.startswith("sqlite")
    return (DatabaseUnavailable if away else StateFolderError)(
        f"The ledger can't be opened: {database_error_text(error)}"
    )
