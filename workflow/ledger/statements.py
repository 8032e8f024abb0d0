"""SQL statements that run thousands of times: written and compiled once per database kind.

Building a statement with SQLAlchemy costs more than running it. SQLAlchemy still knows the tables and the
dialects; only the text that it compiled is sent.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Float,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from workflow.ledger.print_tables import prints
from workflow.ledger.tables import (
    RESUMED_FROM_HELD,
    console_drops,
    decisions,
    earlier_decisions,
    events,
    mass_arrival_paths,
    notices,
    sends,
    submissions,
)
from workflow.model import ENDED_STATES, SubmissionState

_SQLITE_WITH_NAMES = sqlite.dialect(paramstyle="named")
"""Values are passed by name; SQLAlchemy's own connections pass them by position."""

_of_copy = and_(sends.c.submission == bindparam("number"), sends.c.copy == bindparam("copy"))


class SqliteRows:
    """What a statement returned, read like SQLAlchemy's result."""

    def __init__(self, cursor: sqlite3.Cursor, names: Sequence[str] | None = None) -> None:
        self._cursor, self._names = cursor, names
        self.rowcount = cursor.rowcount

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        return iter(self.all())

    def mappings(self) -> "SqliteRows":
        """Return the rows by column name.

        They are dictionaries: sqlite3's own rows look through all names for each value.
        """
        return SqliteRows(self._cursor, [column[0] for column in self._cursor.description])

    def all(self) -> list[Any]:
        """Return all rows."""
        rows = self._cursor.fetchall()
        self._cursor.close()
        return rows if self._names is None else [dict(zip(self._names, row, strict=True)) for row in rows]

    def first(self) -> Any:
        """Return the first row; None without one."""
        row = self._cursor.fetchone()
        self._cursor.close()  # a cursor with rows left would keep its old state of the database
        return row if row is None or self._names is None else dict(zip(self._names, row, strict=True))

    def scalar_one(self) -> Any:
        """Return the first value of the only row."""
        return self.first()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the first value of the first row; None without one."""
        row = self.first()
        return None if row is None else row[0]


class PreparedStatement:
    """One statement; each value that it takes is a `bindparam` with a name.

    On SQLite it goes to the driver itself, past SQLAlchemy. Rows come as the driver gives them: SQLite
    returns 0 and 1 for booleans.
    """

    def __init__(self, statement: Select[*tuple[object, ...]] | Insert | Update | Delete) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, dict[str, object]]] = {}

    def execute(self, connection: Connection, **values: object) -> CursorResult[Any] | SqliteRows:
        """Run the statement with these values. Raises KeyError or a database error where one is missing."""
        text, constants = self._compiled_for(connection.dialect)
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            return connection.exec_driver_sql(text, {**constants, **values})
        return SqliteRows(driver.execute(text, {**constants, **values}))

    def execute_many(self, connection: Connection, values: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once with each of these values; on Postgres in one exchange with the server."""
        text, constants = self._compiled_for(connection.dialect)
        driver, rows = connection.connection.driver_connection, [{**constants, **each} for each in values]
        if isinstance(driver, sqlite3.Connection):
            driver.executemany(text, rows)
        else:
            connection.exec_driver_sql(text, rows)

    def _compiled_for(self, dialect: Dialect) -> tuple[str, dict[str, object]]:
        known = self._compiled.get(dialect.name)
        if known is None:
            by_name = _SQLITE_WITH_NAMES if dialect.name == "sqlite" else dialect
            compiled = self._statement.compile(dialect=by_name)
            constants = {name: value for name, value in compiled.params.items() if value is not None}
            known = self._compiled[dialect.name] = str(compiled), constants
        return known


@cache
def submission_update(columns: tuple[str, ...]) -> PreparedStatement:
    """Return the update of these columns of one submission in one turn.

    A few dozen sets of columns occur; each is compiled once. It takes `number`, `at_turn` and, for
    each column, `new_<column>`.
    """
    present = and_(submissions.c.id == bindparam("number"), submissions.c.turn == bindparam("at_turn"))
    values: dict[str, object] = {column: bindparam(f"new_{column}") for column in columns}
    return PreparedStatement(update(submissions).where(present).values(values))


@cache
def list_submissions(states: tuple[str, ...], *, limited: bool = False) -> PreparedStatement:
    """Return the query for claimed submissions, newest first; only those in `states`, if any are given.

    If `limited`, it takes `most`. Threads that wait for news ask it every few seconds.
    """
    query = select(submissions).where(submissions.c.claimed_as.is_not(None))
    if states:
        query = query.where(or_(*(submissions.c.state == state for state in states)))
    query = query.order_by(submissions.c.id.desc())
    return PreparedStatement(query.limit(bindparam("most")) if limited else query)


@cache
def send_update(*columns: str, open_only: bool = False) -> PreparedStatement:
    """Return the update of these columns of one copy's send under one token; `open_only`: without outcome.

    It takes `number`, `copy`, `token` and, for each column, `new_<column>`.
    """
    mine = and_(_of_copy, sends.c.token == bindparam("token"))
    which = and_(mine, sends.c.receipt_id.is_(None)) if open_only else mine
    values: dict[str, object] = {column: bindparam(f"new_{column}") for column in columns}
    return PreparedStatement(update(sends).where(which).values(values))


def _insert(table: Table, *columns: str) -> Insert:
    """Return an insert of these columns and of the defaults, which SQLAlchemy only adds to its own."""
    defaults: dict[str, object] = {
        column.name: column.default.arg
        for column in table.columns
        if isinstance(column.default, ScalarElementColumnDefault)
    }
    return insert(table).values({**defaults, **{column: bindparam(column) for column in columns}})


_unclaimed = and_(submissions.c.id == bindparam("number"), submissions.c.claimed_as.is_(None))
_CLAIM = ("claimed_as", "left_in_place", "home", "reused", "step", "due_at")
OPEN_SUBMISSION = PreparedStatement(
    _insert(submissions, "path", "state", "opened_at", "opened_by").returning(submissions.c.id)
)
CLAIM_SUBMISSION = PreparedStatement(
    update(submissions).where(_unclaimed).values({name: bindparam(f"new_{name}") for name in _CLAIM})
)
_of_content = submissions.c.sha256 == bindparam("content")
_of_others = submissions.c.id != bindparam("number")
FIND_DROPPER = PreparedStatement(
    select(console_drops.c.by_whom).where(
        console_drops.c.sha256 == bindparam("sha256"), console_drops.c.path == bindparam("path")
    )
)
FIND_CONTENT = PreparedStatement(select(submissions).where(_of_content).order_by(submissions.c.id.desc()))
FIND_UNFINISHED_CONTENT = PreparedStatement(
    select(submissions)
    .where(_of_content, _of_others, *(submissions.c.state != state.value for state in ENDED_STATES))
    .order_by(submissions.c.id)
)
LIST_RESUMED_FROM_HELD = PreparedStatement(
    select(submissions)
    .where(
        RESUMED_FROM_HELD,
        *(submissions.c.state != state.value for state in (*ENDED_STATES, SubmissionState.HELD)),
    )
    .order_by(submissions.c.id)
)
FIND_EARLIER_AT_PATH = PreparedStatement(
    select(submissions)
    .where(
        submissions.c.path == bindparam("at_path"),
        submissions.c.left_in_place.is_(False),
        submissions.c.id < bindparam("number"),
    )
    .order_by(submissions.c.id)
)
COUNT_SENT_CONTENT = PreparedStatement(
    select(
        func.count(),
        func.count(case((submissions.c.state == SubmissionState.PRINTED.value, 1))),
        func.count(case((submissions.c.state == SubmissionState.FAILED.value, 1))),
    )
    .select_from(submissions)
    .where(_of_content, _of_others, submissions.c.receipt_id.is_not(None))
)
"""How many were sent, and of these printed, and failed."""
READ_SUBMISSION = PreparedStatement(select(submissions).where(submissions.c.id == bindparam("number")))
LOCK_SUBMISSION = PreparedStatement(
    select(submissions).where(submissions.c.id == bindparam("number")).with_for_update()
)
LOCK_TURN = PreparedStatement(
    select(submissions.c.turn).where(submissions.c.id == bindparam("number")).with_for_update()
)
READ_EVENTS = PreparedStatement(
    select(events).where(events.c.submission == bindparam("number")).order_by(events.c.id)
)
_EVENT = ("submission", "at", "event", "detail")
INSERT_EVENT = PreparedStatement(_insert(events, *_EVENT))
INSERT_ACCEPTANCE = PreparedStatement(
    insert(events).from_select(
        _EVENT,
        select(
            bindparam("number", type_=Integer),
            bindparam("now", type_=Float),
            bindparam("accepted", type_=Text),
            mass_arrival_paths.c.accepted_by,
        ).where(
            mass_arrival_paths.c.path == bindparam("arrived_as"),
            mass_arrival_paths.c.accepted_by.is_not(None),
        ),
    )
)
"""For a file that a person let in with many others: who did, and why. Adds nothing for any other file."""
INSERT_TOLD_EVENT = PreparedStatement(_insert(events, *_EVENT).returning(events.c.id))
INSERT_NOTICE = PreparedStatement(_insert(notices, *_EVENT, "subject"))
_earlier = earlier_decisions.c
DELETE_DECISION = PreparedStatement(
    delete(decisions)
    .where(decisions.c.submission == bindparam("number"), decisions.c.stage == bindparam("decided_stage"))
    .returning(*(decisions.c[column.name] for column in _earlier))
)
"""Returns what is kept of it."""
DELETE_EARLIER_DECISIONS = PreparedStatement(
    delete(earlier_decisions).where(
        _earlier.submission == bindparam("submission"),
        _earlier.stage == bindparam("stage"),
        or_(_earlier.rule == bindparam("rule"), _earlier.rule == bindparam("new_rule")),
    )
)
"""Of the rule that will be kept, and of the one that decides now."""
INSERT_EARLIER_DECISION = PreparedStatement(_insert(earlier_decisions, *_earlier.keys()))
INSERT_DECISION = PreparedStatement(_insert(decisions, *decisions.columns.keys()))
READ_DECISIONS = PreparedStatement(select(decisions).where(decisions.c.submission == bindparam("number")))
INSERT_SEND = PreparedStatement(
    _insert(sends, "submission", "copy", "intent_at", "token", "times", "deadline")
)
_of_build = submissions.c.build_id == bindparam("build")
_is_sending = and_(
    sends.c.receipt_id.is_(None),
    sends.c.times > 0,
    *(submissions.c.state != state.value for state in ENDED_STATES),
)
FIND_SHARED_BUILD = PreparedStatement(
    select(sends.c.submission, sends.c.receipt_id)
    .join(submissions, submissions.c.id == sends.c.submission)
    .where(
        _of_build,
        _of_others,
        sends.c.copy == bindparam("copy"),
        or_(sends.c.settled_at >= bindparam("since"), _is_sending),
    )
    .order_by(sends.c.receipt_id.is_(None), sends.c.settled_at)
)
READ_SEND = PreparedStatement(select(sends).where(_of_copy))
READ_SENDS_OF = PreparedStatement(select(sends).where(sends.c.submission == bindparam("number")))
READ_PRINTS_OF = PreparedStatement(select(prints).where(prints.c.submission == bindparam("number")))
