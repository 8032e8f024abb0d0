"""Moving a ledger into another database: from SQLite to Postgres, when one machine is no longer enough."""

from sqlalchemy import Connection, Table, func, insert, select

from workflow.errors import StateFolderError
from workflow.ledger.ledger import Ledger, advance_id_sequences
from workflow.ledger.tables import metadata, submissions, workers

ROWS_AT_ONCE = 500


def copy_ledger(source: Ledger, target: Ledger) -> int:
    """Copy everything into an empty ledger, in one transaction; gives how many submissions those are.

    Numbers, turns and what is open of sending stay as they are, so that no promise ends at the move. Who
    had what in hands is not copied: nothing may run meanwhile. Raises StateError; then nothing is changed.
    """
    with source.read_connection() as old, target.write_transaction() as new:
        if _count(new, submissions):
            raise StateFolderError("The new database holds submissions already: move into an empty one.")
        for table in metadata.sorted_tables:
            if table is not workers:
                _copy(old, new, table)
        advance_id_sequences(new)
        moved = _count(new, submissions)
        if moved != _count(old, submissions):
            raise StateFolderError("The old ledger changed while it was copied: stop stlflow first.")
        return moved


def _copy(old: Connection, new: Connection, table: Table) -> None:
    new.execute(table.delete())  # marks that opening the new ledger made
    rows = old.execute(select(table)).mappings()
    while some := rows.fetchmany(ROWS_AT_ONCE):
        new.execute(insert(table), [dict(row) for row in some])


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
