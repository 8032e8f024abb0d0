"""Transactions of one ledger: how rows are read and written, and what is raised when the database refuses.

SQLite has one writer at a time. So one connection is kept for writing, and the threads of this process take
turns: that costs less than waiting for SQLite's own lock, and `synchronous` can be set before a transaction.
"""

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
from workflow.ledger.database import BUSY_SECONDS, READ_ONLY, open_database


class Connections:
    """The connections to one database. Each method raises StateFolderError when the database refuses."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_database(url)
        self.are_shared = self._engine.dialect.name != "sqlite"
        """Several machines may work on this database."""
        self._writer = None if self.are_shared else _KeptWriter(self._engine)
        is_file = not self.are_shared and bool(self._engine.url.database)
        self._readers = _KeptReaders(self._engine) if is_file else None

    def close(self) -> None:
        """Close all connections."""
        if self._writer is not None:
            self._writer.close()
        if self._readers is not None:
            self._readers.close()
        self._engine.dispose()

    @contextmanager
    def opened(self, *, read_only: bool) -> Iterator[Connection]:
        """Yield a connection whose errors are raised as the database raised them."""
        with self._reader() if read_only else self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write_transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """Yield a connection in one transaction, which is committed at the end.

        A `durable` one is on the disk before this returns, with all that were committed before it. Another
        one survives a crash of stlflow, but a power cut may undo it. Postgres is always durable.

        The rule: the last commit before an effect in Eiger or on the share is durable, and so is the first
        one after an effect in Eiger. All others need not be: after a power cut the step runs again, and a
        claimed or moved file is found by its name.
        """
        try:
            if self._writer is None:
                with self._engine.begin() as connection:
                    yield connection
            else:
                with self._writer.transaction(durable=durable) as connection:
                    yield connection
        except (*_DATABASE_ERRORS, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be written: {database_error_text(error)}") from error

    @contextmanager
    def read_connection(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Yield a connection that sees the last committed state; a `snapshot` sees one state all the time."""
        try:
            if self._readers is not None:
                with self._readers.connection() as connection:
                    yield connection
            else:
                with self._reader(snapshot=snapshot) as connection:
                    yield connection
        except (*_DATABASE_ERRORS, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be read: {database_error_text(error)}") from error

    def _reader(self, *, snapshot: bool = False) -> Connection:
        connection = _connect_without_begin(self._engine)
        if not self.are_shared:
            return connection
        level = "REPEATABLE READ" if snapshot else "AUTOCOMMIT"  # no BEGIN and ROLLBACK around a query
        return connection.execution_options(isolation_level=level)


_DATABASE_ERRORS = (DatabaseError, sqlite3.Error)
"""Raised by SQLAlchemy, and by the driver itself where statements go past SQLAlchemy."""


def _connect_without_begin(engine: Engine) -> Connection:
    return engine.connect().execution_options(**{READ_ONLY: True})


UNUSED_SECONDS = 5.0  # then a reader's connection, which a burst may have opened, is closed: 0.2 MB each


class _KeptReaders:
    """SQLite connections that only read. The one used last is used first: it has pages in its cache."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: list[tuple[float, Connection]] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection that no other thread uses; after an error it is not used again."""
        try:
            _, connection = self._free.pop()
        except IndexError:
            connection = _connect_without_begin(self._engine)
        try:
            yield connection
            if connection.in_transaction():
                connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._free.append((time.monotonic(), connection))
        self._close_unused(math.inf if self._closed else time.monotonic() - UNUSED_SECONDS)

    def _close_unused(self, since: float) -> None:
        """Close the connections that nobody has used since a time."""
        with suppress(IndexError):  # another thread took the last one
            while self._free[0][0] <= since:
                self._free.pop(0)[1].close()

    def close(self) -> None:
        """Close all connections; one that is in use is closed when its reader is done."""
        self._closed = True
        self._close_unused(math.inf)


class _KeptWriter:
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
        except _DATABASE_ERRORS:  # the next transaction opens the file again: it may be another one by then
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
            self._connection = _connect_without_begin(self._engine)
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


def database_error_text(error: Exception) -> str:
    """Return the database's own words, never the URL: it may hold a password."""
    if isinstance(error, NoConnectionFree):
        return "all connections to it are in use; it may hang."
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is not installed. Run `pip install 'stlflow[postgres]'`."
    cause = error.orig if isinstance(error, DatabaseError) else error
    if isinstance(cause, sqlite3.Error) or (isinstance(error, DatabaseError) and cause is not None):
        return f"{str(cause).splitlines()[0].rstrip('.')}."
    return "STLFLOW_DATABASE_URL has to be a sqlite:/// or postgresql:// address."
