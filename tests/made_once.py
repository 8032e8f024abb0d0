"""What is the same in hundreds of tests is made once in a process: a new ledger's tables, and rules.

Both are values: the statements that SQLite says have made the tables, and the rulebook of a text.
"""

from functools import cache

from sqlalchemy import Connection

from workflow.ledger import database, ledger
from workflow.pipeline import live_rules
from workflow.routing import load

OWN_TABLES = "from sqlite_master where name not like 'sqlite_%' and sql is not null"
STATEMENTS: list[str] = []
"""What makes the tables and indexes of a ledger on SQLite, once one was made."""


def make_once() -> None:
    """Replace what would make them again."""
    parse = cache(load.parse_rules)
    for module, name, made in (
        (ledger, "migrate_schema", migrate_schema),
        (load, "parse_rules", parse),
        (live_rules, "parse_rules", parse),
    ):
        assert hasattr(module, name), name
        setattr(module, name, made)


def migrate_schema(connection: Connection) -> None:
    """Do what the product does; in a new SQLite file with the statements of the first one."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql(f"select 1 {OWN_TABLES}").first():
        database.migrate_schema(connection)
    elif STATEMENTS:
        for statement in STATEMENTS:
            connection.exec_driver_sql(statement)
    else:
        database.migrate_schema(connection)
        made = connection.exec_driver_sql(f"select sql {OWN_TABLES} order by rowid")
        STATEMENTS[:] = made.scalars()
