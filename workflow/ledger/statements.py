"""The few statements that every part of the ledger shares, each inside somebody's transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection, and_, delete, insert, select, text, update

from workflow.errors import StlflowError, UnknownSubmission
from workflow.ledger.clock import CLOCK
from workflow.ledger.rows import decision_columns, storable, submission_from, to_columns
from workflow.ledger.tables import decisions, events, submissions
from workflow.model import Decided, Submission


class Superseded(StlflowError):
    """Somebody else has taken the submission further: this turn is over."""


def read_submission(connection: Connection, number: int) -> Submission:
    """Give one submission, and keep it as it is until the transaction ends. Raises UnknownSubmission."""
    query = select(submissions).where(submissions.c.id == number).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownSubmission(f"There is no submission {number}. `stlflow list` shows all.")
    return submission_from(dict(row))


def insert_with_number(connection: Connection, number: int, row: Mapping[str, object]) -> bool:
    """Insert a submission under a number that was given out before; False when it is there."""
    one_at_a_time(connection, f"submission {number}")
    taken = select(submissions.c.id).where(submissions.c.id == number)
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(insert(submissions).values({"id": number, **row}))
    keep_numbers_ahead(connection)
    return True


def keep_numbers_ahead(connection: Connection) -> None:
    """Let the next number be a new one; SQLite sees to that by itself.

    Never backwards: higher numbers may have been given out, and forgotten since.
    """
    if connection.dialect.name == "postgresql":
        for table in (submissions, events):
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            highest = f"select setval({sequence}, greatest(max(id), nextval({sequence}))) from {table.name}"  # noqa: S608  # names of our own tables
            connection.execute(text(f"{highest} having max(id) > 0"))


def one_at_a_time(connection: Connection, what: str) -> None:
    """SQLite has one writer at a time anyway; Postgres is asked for it, for this alone, until the end."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:what))"), {"what": what})


def change_submission(connection: Connection, submission: Submission, changes: Mapping[str, object]) -> None:
    """Write changes, if the turn is not over. Raises Superseded."""
    same = and_(submissions.c.id == submission.id, submissions.c.turn == submission.turn)
    columns = to_columns(changes) or {"turn": submission.turn}
    if connection.execute(update(submissions).where(same).values(columns)).rowcount != 1:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def refuse_late(connection: Connection, submission: Submission) -> None:
    """Raise Superseded when the submission's turn is over; until the transaction ends it stays ours."""
    query = select(submissions.c.turn).where(submissions.c.id == submission.id).with_for_update()
    if connection.execute(query).scalar_one_or_none() != submission.turn:
        raise Superseded(f"Submission {submission.id} has gone on without turn {submission.turn}.")


def append_event(connection: Connection, number: int, event: str, detail: str) -> None:
    """Add one line to the history."""
    row = {"submission": number, "at": seconds_now(), "event": event, "detail": storable(detail)}
    connection.execute(insert(events).values(row))


def keep_decision(connection: Connection, number: int, decided: Decided) -> None:
    """Keep a decision with what decided; an earlier one of the same stage gives way."""
    same = and_(decisions.c.submission == number, decisions.c.stage == decided.stage)
    connection.execute(delete(decisions).where(same))
    connection.execute(insert(decisions).values({"submission": number, **decision_columns(decided)}))


def seconds_now() -> float:
    """Give the present time as the tables hold it."""
    return CLOCK.seconds()
