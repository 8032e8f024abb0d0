"""Bringing a database up to the tables of this release: only ever by adding.

A database of an older release gets the columns, indexes and tables that it lacks; an older release that
opens it afterwards passes over them. So every column added later may be null or has a default.
"""

from sqlalchemy import Column, Connection, Inspector, Table, inspect, literal, text
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from workflow.errors import StateError
from workflow.ledger.tables import metadata

ONE_AT_A_TIME = 0x57F10
"""Number of the Postgres advisory lock under which tables are made: several services start together."""
_AS_TEXT = {"literal_binds": True}


def bring_up_to_date(connection: Connection) -> None:
    """Make what is missing, inside the caller's transaction. Raises StateError where that is not possible."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
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
    """Give the column in SQL; one that can't be null says what the rows that are there get."""
    definition = str(CreateColumn(column).compile(dialect=connection.dialect))
    if column.nullable or column.server_default is not None:
        return definition
    if not isinstance(column.default, ScalarElementColumnDefault):
        lacks = f"its table {column.table.name} lacks {column.name}"
        raise StateError(
            f"The ledger can't be opened: {lacks}. It is not one of stlflow's, or it is damaged."
        )
    default = literal(column.default.arg, column.type)
    return f"{definition} default {default.compile(dialect=connection.dialect, compile_kwargs=_AS_TEXT)}"
