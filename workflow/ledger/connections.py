"""Transactions of one ledger: how rows are read and written, and what is raised when the database refuses.

SQLite has one writer at a time. So one connection is kept for writing, and the threads of this process take
turns: that costs less than waiting for SQLite's own lock, and `synchronous` can be set before a transaction.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from workflow.errors import StateFolderError
from workflow.ledger.database import open_database
from workflow.ledger.kept_connections import (
    DATABASE_ERRORS,
    KeptReaders,
    KeptWriter,
    connect_to_read,
    connect_without_begin,
)


class Connections:
    """The connections to one database. Each method raises StateFolderError when the database refuses."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_database(url)
        self.are_shared = self._engine.dialect.name != "sqlite"
        """Several machines may work on this database."""
        self._writer = None if self.are_shared else KeptWriter(self._engine)
        keeps_readers = self.are_shared or bool(self._engine.url.database)
        self._readers = KeptReaders(self._engine) if keeps_readers else None

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
        except (*DATABASE_ERRORS, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be written: {database_error_text(error)}") from error

    @contextmanager
    def read_connection(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Yield a connection that sees the last committed state; a `snapshot` sees one state all the time."""
        try:
            if self._readers is None or (snapshot and self.are_shared):
                with self._reader(snapshot=snapshot) as connection:
                    yield connection
            else:
                with self._readers.connection() as connection:
                    yield connection
        except (*DATABASE_ERRORS, NoConnectionFree) as error:
            raise StateFolderError(f"The ledger can't be read: {database_error_text(error)}") from error

    def _reader(self, *, snapshot: bool = False) -> Connection:
        if self.are_shared and snapshot:
            return connect_without_begin(self._engine, isolation_level="REPEATABLE READ")
        return connect_to_read(self._engine)


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
