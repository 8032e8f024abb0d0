"""The ledger: one row per submission, one line per event, written in the same transaction.

Every change names the turn it belongs to. A change by somebody whose turn is over (a canceled
submission, a step that was taken over) raises `Superseded` and alters nothing.

The few statements that every part of the ledger shares, each inside somebody's transaction.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from workflow.errors import DatabaseUnavailable, StateFolderError, StlflowError, UnknownSubmission
from workflow.ledger.database import CLOCK, READ_ONLY, migrate_schema, open_database
from workflow.ledger.rows import decision_columns, event_from, replace_unstorable, submission_from, to_columns
from workflow.ledger.tables import decisions, events, submissions
from workflow.model import DecisionRecord, Step, Submission, SubmissionEvent, SubmissionState


class Superseded(StlflowError):
    """Somebody else has taken the submission further: this turn is over."""


def lock_submission(connection: Connection, number: int) -> Submission:
    """Give one submission, and keep it as it is until the transaction ends. Raises UnknownSubmission."""
    query = select(submissions).where(submissions.c.id == number).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownSubmission(f"There is no submission {number}. `stlflow list` shows all.")
    return submission_from(dict(row))


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
    same = and_(submissions.c.id == submission.id, submissions.c.turn == submission.turn)
    columns = to_columns(changes) or {"turn": submission.turn}
    if connection.execute(update(submissions).where(same).values(columns)).rowcount != 1:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def check_fencing_token(connection: Connection, submission: Submission) -> None:
    """Raise Superseded when the submission's turn is over; until the transaction ends it stays ours."""
    query = select(submissions.c.turn).where(submissions.c.id == submission.id).with_for_update()
    if connection.execute(query).scalar_one_or_none() != submission.turn:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def append_event(connection: Connection, number: int, event: str, detail: str) -> None:
    """Add one line to the history."""
    row = {"submission": number, "at": seconds_now(), "event": event, "detail": replace_unstorable(detail)}
    connection.execute(insert(events).values(row))


def replace_decision(connection: Connection, number: int, decided: DecisionRecord) -> None:
    """Keep a decision with what decided; an earlier one of the same stage gives way."""
    same = and_(decisions.c.submission == number, decisions.c.stage == decided.stage)
    connection.execute(delete(decisions).where(same))
    connection.execute(insert(decisions).values({"submission": number, **decision_columns(decided)}))


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
            self._engine = open_database(url)
            with self.read_connection() if as_it_is else self._engine.begin() as connection:
                if not as_it_is:
                    migrate_schema(connection)
                CLOCK.synchronize(connection)
        except OPEN_ERRORS as error:
            raise open_error(url, error) from None

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()

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
        """Give one submission. Raises UnknownSubmission."""
        with self.read_connection() as connection:
            return lock_submission(connection, number)

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
        """Give all events of a submission, oldest first."""
        query = select(events).where(events.c.submission == number).order_by(events.c.id)
        with self.read_connection() as connection:
            return tuple(event_from(dict(row)) for row in connection.execute(query).mappings())

    def all(
        self, states: Collection[SubmissionState] = (), limit: int | None = None
    ) -> tuple[Submission, ...]:
        """Give claimed submissions, newest first, of the given states only if any are given."""
        query = select(submissions).where(submissions.c.claimed_as.is_not(None))
        if states:
            query = query.where(submissions.c.state.in_([state.value for state in states]))
        return self.select_submissions(query.order_by(submissions.c.id.desc()).limit(limit))

    def list_with_content(self, sha256: str) -> tuple[Submission, ...]:
        """Give submissions of the very same bytes, newest first."""
        query = select(submissions).where(submissions.c.sha256 == sha256)
        return self.select_submissions(query.order_by(submissions.c.id.desc()))

    def claimed_from(self, place: str) -> tuple[Submission, ...]:
        """Give submissions of the file in this place, newest first."""
        query = select(submissions).where(submissions.c.claimed_as == place)
        return self.select_submissions(query.order_by(submissions.c.id.desc()))

    # -- connections ----------------------------------------------------------------------------

    @contextmanager
    def write_transaction(self) -> Iterator[Connection]:
        """Open one transaction; commits at the end. Raises StateError when the database refuses."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DatabaseError, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be written: {database_error_text(error)}") from error

    @contextmanager
    def read_connection(self) -> Iterator[Connection]:
        """Open a connection that sees the last committed state."""
        try:
            with self._engine.connect().execution_options(**{READ_ONLY: True}) as connection:
                yield connection
        except (DatabaseError, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be read: {database_error_text(error)}") from error

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


def database_error_text(error: Exception) -> str:
    """Give the database's own words, never the URL: it may hold a password."""
    if isinstance(error, NoConnectionFree):
        return "all connections to it are in use; it may hang."
    if isinstance(error, DatabaseError) and error.orig is not None:
        return f"{str(error.orig).splitlines()[0].rstrip('.')}."
    return "STLFLOW_DATABASE_URL has to be a sqlite:/// or postgresql:// address."
