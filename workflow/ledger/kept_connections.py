"""Connections that are kept open between transactions: readers, and on SQLite the one that writes."""

import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from workflow.errors import StateFolderError
from workflow.ledger.database import BUSY_SECONDS, READ_ONLY, UNUSED_SECONDS

DATABASE_ERRORS = (DatabaseError, sqlite3.Error)
"""Raised by SQLAlchemy, and by the driver itself where statements go past SQLAlchemy."""


def connect_without_begin(engine: Engine, **options: str) -> Connection:
    """Return a new connection that takes no lock before its first statement."""
    return engine.connect().execution_options(**{READ_ONLY: True}, **options)


def connect_to_read(engine: Engine) -> Connection:
    """Return a new connection that sees the last committed state."""
    is_file = engine.dialect.name == "sqlite"
    options = {} if is_file else {"isolation_level": "AUTOCOMMIT"}  # no BEGIN and ROLLBACK around a query
    return connect_without_begin(engine, **options)


MAX_KEPT_READERS = 4
"""On Postgres: the others of a burst go back at once, for writers take from the same few connections."""


class KeptReaders:
    """Connections that only read. The one used last is used first: it has pages in its cache.

    Those that a burst has opened are closed when they are unused: 0.2 MB each on SQLite.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._most = math.inf if engine.dialect.name == "sqlite" else MAX_KEPT_READERS
        self._free: list[tuple[float, Connection]] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection that no other thread uses; after an error it is not used again."""
        connection = self._take()
        try:
            yield connection
            if connection.in_transaction():
                connection.rollback()
        except BaseException:
            if connection.invalidated:  # the server has ended it, and so the others
                self._close_unused(math.inf)
            connection.close()
            raise
        self._free.append((time.monotonic(), connection))
        self._close_unused(math.inf if self._closed else time.monotonic() - UNUSED_SECONDS)

    def _take(self) -> Connection:
        """Return a free connection, or a new one; a server is asked whether an unused one still lives."""
        with suppress(IndexError):
            used_at, connection = self._free.pop()
            if self._most == math.inf or used_at > time.monotonic() - UNUSED_SECONDS:
                return connection
            connection.close()
        return connect_to_read(self._engine)

    def _close_unused(self, since: float) -> None:
        """Close the connections that nobody has used since a time, and those beyond the most."""
        with suppress(IndexError):  # another thread took the last one
            while self._free[0][0] <= since or len(self._free) > self._most:
                self._free.pop(0)[1].close()

    def close(self) -> None:
        """Close all connections; one that is in use is closed when its reader is done."""
        self._closed = True
        self._close_unused(math.inf)


class KeptWriter:
    """The one SQLite connection that writes. Threads take turns; one thread can't nest two transactions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._writing_thread: int | None = None
        self._connection: Connection | None = None
        self._durable: bool | None = None
        self._files = _DatabaseFiles(engine.url.database or "")

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[Connection]:
        """Yield the connection in one transaction. Raises NoConnectionFree when its turn does not come."""
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("A write transaction was begun inside another one on the same thread.")
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise NoConnectionFree
        self._writing_thread = threading.get_ident()
        try:
            self._files.check()
            connection = self._connected(durable=durable)
            with _begun(connection):
                yield connection
            self._files.remember()
        except DATABASE_ERRORS:  # the next transaction opens the file again: it may be another one by then
            self._disconnect()
            raise
        finally:
            if self._connection is not None and _driver(self._connection).in_transaction:
                self._disconnect()  # its end was interrupted, by Ctrl-C for example
            self._writing_thread = None
            self._lock.release()

    def close(self) -> None:
        """Close the connection; a later transaction opens another."""
        with self._lock:
            self._disconnect()

    def _connected(self, *, durable: bool) -> Connection:
        if self._connection is None:
            self._connection = connect_without_begin(self._engine)
            self._durable = None
        if self._durable is not durable:  # refused inside a transaction, so before it
            _driver(self._connection).execute(f"pragma synchronous={'full' if durable else 'normal'}")
            self._durable = durable
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class _DatabaseFiles:
    """Which files the database is in. What is written to a deleted file is lost, and nothing says so."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._places = [Path(database), Path(f"{database}-wal")] if database else []
        self._known: list[int] | None = None

    def remember(self) -> None:
        """Remember the files after the first transaction; SQLite keeps both while a connection is open."""
        if self._known is None:
            with suppress(FileNotFoundError):
                self._known = [place.stat().st_ino for place in self._places]

    def check(self) -> None:
        """Raise StateFolderError if a file was deleted or replaced since."""
        if self._known is None:
            return
        try:
            same = [place.stat().st_ino for place in self._places] == self._known
        except FileNotFoundError:
            same = False
        if not same:
            raise StateFolderError(
                f"The database {self._database}, or its -wal file, was deleted or replaced while stlflow "
                "runs. Stop stlflow, put the files back or restore a backup, then start it again."
            )


@contextmanager
def _begun(connection: Connection) -> Iterator[None]:
    """Begin a transaction in the driver, and commit or roll it back with what SQLAlchemy knows of it."""
    driver = _driver(connection)
    driver.execute("begin immediate")
    try:
        yield
        driver.execute("commit")
    except BaseException:
        driver.rollback()
        raise
    finally:
        if connection.in_transaction():  # statements of SQLAlchemy's ran: nothing is left to undo
            connection.rollback()


def _driver(connection: Connection) -> sqlite3.Connection:
    """Return SQLite's own connection, below SQLAlchemy."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)
