"""Due steps on SQLite, where one process runs them all: what is due, taking it, and what a crash cut off.

A row with a step and a time waits for that time. A row with a step and no time is in progress in the one
process that there is; when that process starts again, whatever is in progress was cut off.
"""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, and_, bindparam, make_url, null, select, update

from workflow.ledger.changes import MAX_DUE_AHEAD_SECONDS, append_event, seconds_now
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import submissions
from workflow.ledger.work import Work
from workflow.model import EventKind, Step, Submission

_COLUMNS = "select id, turn, step from submissions where step = ? and due_at is not null"
_AT_HAND = "and (step <> 'intake' or home is null or home = ?)"
_DUE = f"{_COLUMNS} and due_at <= ? {_AT_HAND} order by due_at limit ?"
_TOO_FAR = f"{_COLUMNS} and due_at > ? {_AT_HAND} limit ?"
_NEXT_DUE = "select min(due_at) from submissions where step = ?"
_is_still_due = and_(
    submissions.c.id == bindparam("number"),
    submissions.c.turn == bindparam("at_turn"),
    submissions.c.due_at.is_not(None),
)
_TAKE = PreparedStatement(update(submissions).where(_is_still_due).values(due_at=null()))
_IN_PROGRESS = select(submissions).where(submissions.c.step.is_not(None), submissions.c.due_at.is_(None))
_BATCH = 500


class DueSteps:
    """A connection that only reads, for the one thread that asks often. Raises sqlite3.Error."""

    def __init__(self, ledger: Ledger, home: str) -> None:
        path = make_url(ledger.url).database
        self._home, self._version = home, -1
        self._connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )

    def has_news(self) -> bool:
        """True if any process has committed anything since the last time this was asked."""
        before = self._version
        (self._version,) = self._connection.execute("pragma data_version").fetchone()
        return self._version != before

    def find(self, steps: Collection[Step], limit: int) -> tuple[Work, ...]:
        """Return what is due of these steps, longest due first.

        A time so far ahead that nothing waits for it was written while the clock was wrong: due now.
        """
        now = seconds_now()
        found: list[Work] = []
        for step in steps:
            for query, time in ((_DUE, now), (_TOO_FAR, now + MAX_DUE_AHEAD_SECONDS)):
                if len(found) < limit:
                    values = (step.value, time, self._home, limit - len(found))
                    rows = self._ask(query, values)
                    found += (Work(number, turn, Step(name)) for number, turn, name in rows)
        return tuple(found)

    def next_seconds(self, steps: Iterable[Step]) -> float:
        """Return in how many seconds the next of these steps is due; infinite without any."""
        times = (self._ask(_NEXT_DUE, (step.value,))[0][0] for step in steps)
        return min((time - seconds_now() for time in times if time is not None), default=float("inf"))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with closing(self._connection.execute(query, values)) as rows:
            return rows.fetchall()


def take_due_steps(ledger: Ledger, works: Iterable[Work]) -> tuple[Work, ...]:
    """Mark steps as in progress, in one transaction; return those that were still due in their turn."""
    with ledger.write_transaction(durable=False) as connection:
        return tuple(work for work in works if _take(connection, work))


def _take(connection: Connection, work: Work) -> bool:
    return _TAKE.execute(connection, number=work.number, at_turn=work.turn).rowcount == 1


def requeue_interrupted_steps(ledger: Ledger) -> tuple[Submission, ...]:
    """Begin a new turn for everything that is in progress: a crash cut it off. Return it as it was.

    Only for the one process that runs stages, before it runs any.
    """
    interrupted: list[Submission] = []
    while True:
        with ledger.write_transaction() as connection:
            found = _requeue_some(connection)
        if not found:
            return tuple(interrupted)
        interrupted += found


def list_steps_in_progress(ledger: Ledger) -> tuple[Submission, ...]:
    """Return the submissions whose step is in progress."""
    return ledger.select_submissions(_IN_PROGRESS.order_by(submissions.c.id))


def _requeue_some(connection: Connection) -> tuple[Submission, ...]:
    found = tuple(submission_from(row) for row in connection.execute(_IN_PROGRESS.limit(_BATCH)).mappings())
    for submission in found:
        ahead = {"turn": submission.turn + 1, "due_at": seconds_now()}
        connection.execute(update(submissions).where(submissions.c.id == submission.id).values(ahead))
        append_event(connection, submission.id, EventKind.TAKEN_OVER, f"{submission.step} was cut off")
    return found
