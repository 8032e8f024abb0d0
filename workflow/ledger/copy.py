"""Moving a ledger into another database: from SQLite to Postgres, if one machine is no longer enough."""

from sqlalchemy import Connection, Table, and_, func, insert, select, text, update

from workflow.errors import StateFolderError
from workflow.ledger.changes import advance_id_sequences
from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import metadata, peers, submissions

ROWS_AT_ONCE = 500
_IN_PROGRESS = and_(submissions.c.step.is_not(None), submissions.c.due_at.is_(None))
_AGAIN = {"turn": submissions.c.turn + 1, "due_at": 0.0}


def copy_ledger(source: Ledger, target: Ledger) -> int:
    """Copy everything into an empty ledger, in one transaction, and return how many submissions that are.

    Numbers and open sends stay as they are, so that each promise holds after the move. On Postgres, what was
    in progress gets a new turn. Workers are not copied: none may run meanwhile. Raises StateFolderError; then
    nothing is changed.
    """
    with source.read_connection(snapshot=True) as old, target.write_transaction() as new:
        for connection in (old, new):
            _wait_for_the_other(connection)
        if _count(new, submissions):
            raise StateFolderError("The new database holds submissions already: move into an empty one.")
        for table in metadata.sorted_tables:
            if table is not peers:
                _copy(old, new, table)
        advance_id_sequences(new)
        if new.dialect.name == "postgresql":  # no job is there for what was in progress
            new.execute(update(submissions).where(_IN_PROGRESS).values(_AGAIN))
        moved = _count(new, submissions)
        if moved != _count(old, submissions):
            raise StateFolderError("The old ledger changed while it was copied: stop stlflow first.")
        return moved


def _wait_for_the_other(connection: Connection) -> None:
    """Let a transaction rest while the other database works: a large table takes its time."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))


def _copy(old: Connection, new: Connection, table: Table) -> None:
    new.execute(table.delete())  # values that opening the new ledger wrote
    rows = old.execute(select(table)).mappings()
    while some := rows.fetchmany(ROWS_AT_ONCE):
        new.execute(insert(table), [dict(row) for row in some])


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
