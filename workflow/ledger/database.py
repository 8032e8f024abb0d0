"""Opening the database (SQLite in the state folder, or Postgres), its migration, and its clock.

Migrations only add.
A database of an older release gets the columns, indexes and tables that it lacks; an older release that
opens it afterwards ignores them. So every column added later may be null or has a default.

Due times are compared on machines whose clocks may differ by minutes, or jump. So on Postgres the server's
time is used, carried on by this machine's monotonic clock from the last reading.
"""

import math
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Engine,
    Inspector,
    Table,
    create_engine,
    event,
    inspect,
    literal,
    make_url,
    text,
)
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from workflow.errors import StateFolderError
from workflow.ledger.tables import PARTIAL_INDEXES, metadata

BUSY_SECONDS = 30
UNUSED_SECONDS = 5.0
"""After so long a connection may be closed, or no longer live."""
CACHE_KILOBYTES = 512
"""Of each SQLite connection: a service may keep one for each thread, and the system caches the file, too."""
READ_ONLY = "reading"
"""Execution option of connections that only read: they take no lock and wait for nobody."""
CONNECTIONS = 10
"""At most, of one service; the engine has about as many again, and Postgres takes 100 by default."""
LIBPQ_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "stlflow",
}
"""For libpq: a server that vanished without a word is noticed within seconds, not after a quarter of an hour.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""


IDLE_IN_TRANSACTION = "10s"
"""A machine that is frozen in the middle of a transaction would keep its rows locked until it comes back, and
nobody could take its submissions over. Ours take milliseconds."""


def open_database(url: str) -> Engine:
    """Return an engine for the URL; SQLite gets write-ahead logging and writes that queue up.

    `BEGIN IMMEDIATE` takes the write lock at once, so that a transaction which reads and then
    writes waits in line instead of failing half way (https://www.sqlite.org/lang_transaction.html).
    """
    if not url.startswith("sqlite"):
        engine = create_engine(
            with_driver(url),
            pool_size=CONNECTIONS // 2,
            max_overflow=CONNECTIONS - CONNECTIONS // 2,
            connect_args=LIBPQ_OPTIONS,
        )
        event.listen(engine, "connect", _prepare_postgres)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_ping_if_unused, engine.dialect))
        return engine
    no_pool = {"poolclass": NullPool} if make_url(url).database else {}  # connections are kept by their users
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **no_pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def with_driver(url: str) -> str:
    """Name the driver of a Postgres URL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.execute(f"set idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'")
    connection.commit()


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_if_unused(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _held: object) -> None:
    """Ask the server whether a connection still lives, unless it was used just now: that costs a round trip.

    One that died within these seconds raises an error once; then all are opened again.
    """
    if time.monotonic() - record.info.get("used_at", math.inf) < UNUSED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma foreign_keys=on")
    connection.execute(f"pragma cache_size=-{CACHE_KILOBYTES}")


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


MIGRATION_LOCK_ID = 0x57F10
"""Number of the Postgres advisory lock under which tables are made: several services start together."""
SCHEMA_LOCK = text("select pg_advisory_xact_lock(:lock)")
_AS_TEXT = {"literal_binds": True}


def migrate_schema(connection: Connection) -> None:
    """Add missing tables, columns and indexes in the caller's transaction. Raises StateFolderError."""
    if connection.dialect.name == "postgresql":
        connection.execute(SCHEMA_LOCK, {"lock": MIGRATION_LOCK_ID})
        for index in PARTIAL_INDEXES:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    present = inspect(connection)
    known = set(present.get_table_names())
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        if table.name in known:
            _add_missing(connection, table, present)


def _add_missing(connection: Connection, table: Table, present: Inspector) -> None:
    columns = {column["name"] for column in present.get_columns(table.name)}
    for column in table.columns:
        if column.name not in columns:
            connection.execute(text(f"alter table {table.name} add column {_definition(connection, column)}"))
    indexes = {index["name"] for index in present.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexes:
            index.create(connection)


def _definition(connection: Connection, column: Column[object]) -> str:
    """Return the column in SQL; one that can't be null says what the rows that are there get."""
    definition = str(CreateColumn(column).compile(dialect=connection.dialect))
    if column.nullable or column.server_default is not None:
        return definition
    if not isinstance(column.default, ScalarElementColumnDefault):
        lacks = f"its table {column.table.name} lacks {column.name}"
        raise StateFolderError(
            f"The ledger can't be opened: {lacks}. It is not one of stlflow's, or it is damaged."
        )
    default = literal(column.default.arg, column.type)
    return f"{definition} default {default.compile(dialect=connection.dialect, compile_kwargs=_AS_TEXT)}"


_DATABASE_TIME = "select extract(epoch from clock_timestamp())"


class LedgerClock:
    """Seconds since 1970 (UTC), the same for all processes on the ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[float, float] | None = None

    def seconds(self) -> float:
        """Return the present time."""
        with self._lock:
            if self._seen is None:
                return system_time()
            theirs, mine = self._seen
        return theirs + (time.monotonic() - mine)

    def now(self) -> datetime:
        """Return the present time, aware and in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def synchronize(self, connection: Connection) -> None:
        """Read the database's own clock; with a file, go by this machine's."""
        if connection.dialect.name != "postgresql":
            with self._lock:
                self._seen = None
            return
        theirs = float(connection.exec_driver_sql(_DATABASE_TIME).scalar_one())
        with self._lock:
            self._seen = (theirs, time.monotonic())


def system_time() -> float:
    """Return this machine's own time, which is used if no other machine takes part."""
    return time.time()


CLOCK = LedgerClock()
"""Of this process, which works on one ledger; a new one is followed when it is opened."""
