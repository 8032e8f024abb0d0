"""The ledger: one row per submission, one line per event, written in the same transaction.

Every change names the turn it belongs to. A change by somebody whose turn is over (a canceled
submission, a step that was taken over) raises `Superseded` and alters nothing.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from workflow.errors import DatabaseAway, StateError
from workflow.ledger.clock import CLOCK
from workflow.ledger.database import READING, open_database
from workflow.ledger.migration import bring_up_to_date
from workflow.ledger.rows import event_from, submission_from
from workflow.ledger.statements import (
    append_event,
    change_submission,
    insert_with_number,
    keep_decision,
    read_submission,
    seconds_now,
)
from workflow.ledger.tables import events, submissions
from workflow.model import Decided, Event, State, Step, Submission

NO_VALUES: Mapping[str, object] = {}
_IN_ONE_QUERY = 500
NOT_OPENED = (SQLAlchemyError, ImportError, ValueError)
"""What opening a database raises; a port that is no number is a ValueError, and may be a password."""
LONGEST_WAIT_SECONDS = 1_800.0
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
            with self.reading() if as_it_is else self._engine.begin() as connection:
                if not as_it_is:
                    bring_up_to_date(connection)
                CLOCK.follow(connection)
        except NOT_OPENED as error:
            raise not_opened(url, error) from None

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()

    # -- the journey ----------------------------------------------------------------------------

    def open(self, path: str, worker: str | None = None) -> int:
        """Begin a submission before its file is touched; it shows only once claimed. Gives its number.

        `worker` is who is about to claim the file.
        """
        row = {"path": path, "state": State.CLAIMED.value, "opened_at": seconds_now(), "worker": worker}
        with self.writing() as connection:
            result = connection.execute(insert(submissions).values(row))
            return int(result.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted

    def forget(self, number: int) -> None:
        """Undo `open`: the file could not be taken."""
        with self.writing() as connection:
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
        with self.writing() as connection:
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
                fresh = {"path": path, "state": State.CLAIMED.value, "opened_at": seconds_now(), **claim}
                if path is None or not insert_with_number(connection, number, fresh):
                    return
            append_event(connection, number, "claimed", claimed_as)

    def record(self, submission: Submission, event: str, detail: str = "", **changes: object) -> Submission:
        """Write one event and the changes that go with it; gives the submission as it is now.

        Raises Superseded when the submission's turn is over.
        """
        with self.writing() as connection:
            change_submission(connection, submission, changes)
            append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def record_decision(
        self, submission: Submission, decided: Decided, event: str, detail: str, /, **changes: object
    ) -> Submission:
        """Write what was decided and on which facts, with one event and the changes that go with it.

        Raises Superseded when the submission's turn is over.
        """
        with self.writing() as connection:
            change_submission(connection, submission, changes)
            keep_decision(connection, submission.id, decided)
            append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def change(self, submission: Submission, **changes: object) -> Submission:
        """Write changes that are no news. Raises Superseded when the submission's turn is over."""
        with self.writing() as connection:
            change_submission(connection, submission, changes)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    def next_turn(
        self,
        submission: Submission,
        step: Step | None,
        due_at: datetime | None,
        event: str = "",
        detail: str = "",
        **changes: object,
    ) -> Submission:
        """End the present turn: `step` begins at `due_at`. Raises Superseded when it was over before."""
        with self.writing() as connection:
            ahead = {"step": step, "due_at": due_at, "turn": submission.turn + 1, "worker": None}
            changes = {**ahead, **changes}
            change_submission(connection, submission, changes)
            if event:
                append_event(connection, submission.id, event, detail)
        return replace(submission, **changes)  # type: ignore[arg-type]  # columns bear the fields' names

    # -- reading --------------------------------------------------------------------------------

    def get(self, number: int) -> Submission:
        """Give one submission. Raises UnknownSubmission."""
        with self.reading() as connection:
            return read_submission(connection, number)

    def among(self, numbers: Collection[int]) -> tuple[Submission, ...]:
        """Give those of these submissions that there are, claimed or not."""
        wanted = sorted(numbers)
        chunks = (wanted[start : start + _IN_ONE_QUERY] for start in range(0, len(wanted), _IN_ONE_QUERY))
        queries = (select(submissions).where(submissions.c.id.in_(chunk)) for chunk in chunks)
        return tuple(submission for query in queries for submission in self.several(query))

    def events(self, number: int) -> tuple[Event, ...]:
        """Give all events of a submission, oldest first."""
        query = select(events).where(events.c.submission == number).order_by(events.c.id)
        with self.reading() as connection:
            return tuple(event_from(dict(row)) for row in connection.execute(query).mappings())

    def all(self, states: Collection[State] = (), limit: int | None = None) -> tuple[Submission, ...]:
        """Give claimed submissions, newest first, of the given states only if any are given."""
        query = select(submissions).where(submissions.c.claimed_as.is_not(None))
        if states:
            query = query.where(submissions.c.state.in_([state.value for state in states]))
        return self.several(query.order_by(submissions.c.id.desc()).limit(limit))

    def with_content(self, sha256: str) -> tuple[Submission, ...]:
        """Give submissions of the very same bytes, newest first."""
        query = select(submissions).where(submissions.c.sha256 == sha256)
        return self.several(query.order_by(submissions.c.id.desc()))

    def claimed_from(self, place: str) -> tuple[Submission, ...]:
        """Give submissions of the file in this place, newest first."""
        query = select(submissions).where(submissions.c.claimed_as == place)
        return self.several(query.order_by(submissions.c.id.desc()))

    # -- connections ----------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open one transaction; commits at the end. Raises StateError when the database refuses."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StateError(f"The ledger can't be written: {in_words(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees the last committed state."""
        try:
            with self._engine.connect().execution_options(**{READING: True}) as connection:
                yield connection
        except DatabaseError as error:
            raise StateError(f"The ledger can't be read: {in_words(error)}") from error

    def several(self, query: Any, values: Mapping[str, object] = NO_VALUES) -> tuple[Submission, ...]:
        """Give the submissions that a query over their table finds, with values for what it leaves open."""
        with self.reading() as connection:
            rows = connection.execute(query, values).mappings()
            return tuple(submission_from(dict(row)) for row in rows)

    def some(self, query: Any) -> bool:
        """Tell whether a query finds anything."""
        with self.reading() as connection:
            return connection.execute(query).first() is not None


def not_opened(url: str, error: Exception) -> StateError:
    """Give what to raise for one of `NOT_OPENED`."""
    away = isinstance(error, OperationalError) and not url.startswith("sqlite")
    return (DatabaseAway if away else StateError)(f"The ledger can't be opened: {in_words(error)}")


def in_words(error: Exception) -> str:
    """Give the database's own words, never the URL: it may hold a password."""
    if isinstance(error, DatabaseError) and error.orig is not None:
        return f"{str(error.orig).splitlines()[0].rstrip('.')}."
    return "STLFLOW_DATABASE_URL has to be a sqlite:/// or postgresql:// address."
