"""Check of a ledger without changing it: corruption, completeness, and the release that wrote it."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text

from workflow.errors import StateFolderError
from workflow.frozen import frozen
from workflow.ledger.database import BUSY_SECONDS, open_database
from workflow.ledger.ledger import OPEN_ERRORS, open_error
from workflow.ledger.queue_schema import queue_mismatch
from workflow.ledger.tables import metadata

_MOST_PAGES = 50_000
"""Larger files are not read from end to end: that would take longer than anybody waits (200 MB of 4 KB)."""
_SOUND = "ok"
_RETIRED_COLUMNS = frozenset({"submissions.worker"})
"""Columns of older releases, which SQLite keeps for a way back."""
_DBOS_SCHEMA = "dbos"
_DBOS_TABLES = frozenset({
    "application_versions", "dbos_migrations", "notifications", "operation_outputs", "queues", "streams",
    "workflow_events", "workflow_events_history", "workflow_input", "workflow_output", "workflow_schedules",
    "workflow_status",
})  # fmt: skip
"""What releases up to 0.1 ran stages with. Nothing in these tables is read any more."""


@frozen
class IntegrityReport:
    """What was seen. `lacks` and `newer` name columns that this release has more, or does not know.

    `drop_unused` are the statements that drop what an engine of an older release left behind.
    `strange`: there are tables, and none of them is a ledger's. `damage` is the database's own word. `queue`
    says what is wrong with the tables of the shared queue.
    """

    empty: bool
    strange: bool
    lacks: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    damage: str | None = None
    drop_unused: tuple[str, ...] = ()
    queue: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything that this release reads is there."""
        return not (self.empty or self.strange or self.lacks or self.damage)


def check_integrity(url: str, *, page_by_page: bool = False) -> IntegrityReport:
    """Return the condition of a database, on demand of each of its pages.

    Raises StateFolderError when it can't be opened, DatabaseUnavailable when it can't be reached.
    """
    try:
        engine = _open_read_only(url)
        try:
            with engine.connect() as connection:
                return _inspect_schema(connection, page_by_page=page_by_page)
        finally:
            engine.dispose()
    except OPEN_ERRORS as error:
        raise open_error(url, error) from None


def check_writable(url: str, patience_seconds: float = 1.0) -> None:
    """Take the right to write and give it back, so that nothing is written; nothing to prove on Postgres.

    Raises StateFolderError when another program keeps it, or the file may not be written.
    """
    if not url.startswith("sqlite"):
        return
    try:
        with closing(sqlite3.connect(str(make_url(url).database), timeout=patience_seconds)) as database:
            database.isolation_level = None
            database.execute("begin immediate")
            database.execute("rollback")
    except sqlite3.Error as error:
        raise StateFolderError(f"The ledger can't be written: {error}.") from None


def _open_read_only(url: str) -> Engine:
    """Open without making a file; SQLite's own `mode=ro` would leave its -wal and -shm files behind."""
    if not url.startswith("sqlite"):
        return open_database(url)
    file = quote(str(make_url(url).database))
    return create_engine(f"sqlite:///file:{file}?mode=rw&uri=true", connect_args={"timeout": BUSY_SECONDS})


def _inspect_schema(connection: Connection, *, page_by_page: bool) -> IntegrityReport:
    if connection.dialect.name == "sqlite":
        connection.execute(text("pragma query_only=on"))
    present = inspect(connection)
    tables = set(present.get_table_names())
    there = {
        f"{table}.{column['name']}"
        for table in tables & metadata.tables.keys()
        for column in present.get_columns(table)
    }
    known = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns}
    return IntegrityReport(
        empty=not tables,
        strange=bool(tables) and "submissions" not in tables,
        lacks=tuple(sorted(known - there)),
        newer=tuple(sorted(there - known - _RETIRED_COLUMNS)),
        damage=_find_corruption(connection) if page_by_page else None,
        drop_unused=_drop_unused(tables, present.get_schema_names()),
        queue=queue_mismatch(connection) if connection.dialect.name == "postgresql" and tables else None,
    )


def _drop_unused(tables: Collection[str], schemas: Collection[str]) -> tuple[str, ...]:
    """Return the statements that drop the tables of DBOS, which older releases ran stages with."""
    if _DBOS_SCHEMA in schemas:
        return (f"drop schema {_DBOS_SCHEMA} cascade;",)
    if "dbos_migrations" not in tables:
        return ()
    return tuple(f"drop table {name};" for name in sorted(_DBOS_TABLES & set(tables)))


def _find_corruption(connection: Connection) -> str | None:
    """Let SQLite check its pages if there are not too many; Postgres checks its own."""
    if connection.dialect.name != "sqlite":
        return None
    if connection.execute(text("pragma page_count")).scalar_one() > _MOST_PAGES:
        return None
    verdict = str(connection.execute(text("pragma quick_check(1)")).scalar_one())
    return None if verdict == _SOUND else verdict.splitlines()[0]
