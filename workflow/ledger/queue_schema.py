"""procrastinate's tables, in a schema of their own: made, brought up to date, or refused.

Each of its migrations is a transaction of its own (a new enum value has to be committed before it is used),
and writes down its name as the schema's comment: a crash between two goes on with the next.

A database that an older release shared among machines by leases is moved over here as well.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import resources

from sqlalchemy import Connection, inspect, text

from workflow.errors import StateFolderError
from workflow.ledger.database import MIGRATION_LOCK_ID, SCHEMA_LOCK
from workflow.ledger.handover import QUEUE_SCHEMA

BeginTransaction = Callable[[], AbstractContextManager[Connection]]
OLD_HEARTBEAT_SECONDS = 10.0
"""A worker of an older release sends a heartbeat every two seconds, and is dead after eight without one."""
_CHECK_SECONDS = 0.5
_LATEST = "schema.sql"
_APPLIED = text("select obj_description(to_regnamespace(:schema), 'pg_namespace')")
_HAS_TABLES = text("select to_regclass(:table) is not null")
_FUNCTIONS = text(
    "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
    "where n.nspname = :schema and p.prokind = 'f'"
)


@cache
def shipped_migrations() -> Sequence[str]:
    """Return the names of the migrations of the procrastinate that is installed, oldest first."""
    folder = resources.files("procrastinate.sql").joinpath("migrations")
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))


def applied_migration(connection: Connection) -> str | None:
    """Return the last migration of the queue's tables; None where there are none."""
    if not connection.execute(_HAS_TABLES, {"table": f"{QUEUE_SCHEMA}.procrastinate_jobs"}).scalar_one():
        return None
    return str(connection.execute(_APPLIED, {"schema": QUEUE_SCHEMA}).scalar_one() or "")


def migrate_queue(begin: BeginTransaction, migrations: Sequence[str] | None = None) -> None:
    """Bring procrastinate's tables to the installed release. Raises StateFolderError if they are newer."""
    names = shipped_migrations() if migrations is None else migrations
    while True:
        with begin() as connection:
            if not _migrate_once(connection, names):
                return


def _migrate_once(connection: Connection, names: Sequence[str]) -> bool:
    """Apply the next migration; False if none is left."""
    connection.execute(SCHEMA_LOCK, {"lock": MIGRATION_LOCK_ID})
    applied = applied_migration(connection)
    if applied is not None and applied > names[-1]:
        raise StateFolderError(
            f"The queue's tables are of a newer procrastinate: its migration is {applied}, and "
            f"{names[-1]} is the newest here. Upgrade this stlflow."
        )
    pending = [name for name in names if name > (applied or "")]
    if applied is not None and not pending:
        return False
    connection.exec_driver_sql(f"create schema if not exists {QUEUE_SCHEMA}")
    connection.exec_driver_sql(f"set local search_path = {QUEUE_SCHEMA}")
    folder = resources.files("procrastinate.sql")
    file = folder / _LATEST if applied is None else folder / "migrations" / pending[0]
    cursor = connection.connection.cursor()
    cursor.execute(file.read_text("utf-8"))  # several statements, with per cent signs: nothing is filled in
    cursor.close()
    for (function,) in connection.execute(_FUNCTIONS, {"schema": QUEUE_SCHEMA}).all():
        # so that the ledger's own connections can call them; replacing a function drops this
        connection.exec_driver_sql(f"alter function {function} set search_path = {QUEUE_SCHEMA}, pg_temp")
    name = names[-1] if applied is None else pending[0]
    connection.exec_driver_sql(f"comment on schema {QUEUE_SCHEMA} is '{name}'")
    return True


def queue_mismatch(connection: Connection) -> str | None:
    """Return a sentence if procrastinate's tables are not those of the installed release."""
    applied, newest = applied_migration(connection), shipped_migrations()[-1]
    if applied is None:
        return f"There is no schema {QUEUE_SCHEMA}, which holds the queue."
    if applied == newest:
        return None
    age = "a newer" if applied > newest else "an older"
    return f"The queue's tables are of {age} procrastinate: migration {applied}, and {newest} here."


# -- from releases that leased steps in the ledger itself ---------------------------------------------

_WORKERS, _LEASED_BY = "workers", "worker"
_ALIVE = text("select name, beat from workers where seen_at > extract(epoch from clock_timestamp()) - :limit")
_REQUEUE = text(
    "with cut_off as (update submissions set turn = turn + 1, due_at = extract(epoch from clock_timestamp()) "
    "where step is not null and due_at is null returning id, step, worker) "
    "insert into events (submission, at, event, detail) select id, extract(epoch from clock_timestamp()), "
    "'taken over', step || ' was in the hands of ' || coalesce(worker, 'nobody') from cut_off"
)


def leave_leases(connection: Connection) -> None:
    """Move a Postgres database over from leases; afterwards an older release is refused, in its own words.

    Raises StateFolderError while a worker of such a release is alive: the two must not work side by side.
    """
    connection.execute(SCHEMA_LOCK, {"lock": MIGRATION_LOCK_ID})
    columns = {column["name"] for column in _columns(connection, _WORKERS)}
    if "beat" in columns:
        _wait_for_silence(connection)
        if _LEASED_BY in {column["name"] for column in _columns(connection, "submissions")}:
            connection.execute(_REQUEUE)
            connection.exec_driver_sql(f"alter table submissions drop column {_LEASED_BY} cascade")
        connection.exec_driver_sql(f"drop table {_WORKERS}")
    # an older release that starts finds that this table lacks columns, and refuses the database
    connection.exec_driver_sql(f"create table if not exists {_WORKERS} (replaced_by_peers text primary key)")


def _columns(connection: Connection, table: str) -> list[dict[str, object]]:
    present = inspect(connection)
    return [dict(column) for column in present.get_columns(table)] if present.has_table(table) else []


def _wait_for_silence(connection: Connection) -> None:
    """Wait until no worker of an older release can be alive. Raises StateFolderError if one is."""

    def alive() -> dict[str, str]:
        rows = connection.execute(_ALIVE, {"limit": OLD_HEARTBEAT_SECONDS}).all()
        return {row.name: row.beat for row in rows}

    first = now = alive()
    while now:
        if beating := sorted(name for name, beat in now.items() if first.get(name) != beat):
            raise StateFolderError(
                f"An older release of stlflow works on this database: {', '.join(beating)}. "
                "Stop it, then start this one."
            )
        time.sleep(_CHECK_SECONDS)
        now = alive()
