"""What is the same in hundreds of tests is made once in a process: a ledger's tables, its SQL, and rules.

All are values: the statements that SQLite says have made the tables, the text that SQLAlchemy compiles from a
statement, and the rulebook of a text.
"""

from contextlib import suppress
from dataclasses import replace
from functools import cache

from sqlalchemy import Connection, Engine, create_engine

from workflow.errors import RulesError
from workflow.ledger import connections, database, ledger
from workflow.pipeline import live_rules
from workflow.resources import resource_folder
from workflow.routing import Rulebook, load

OWN_TABLES = "from sqlite_master where name not like 'sqlite_%' and sql is not null"
STATEMENTS: list[str] = []
"""What makes the tables and indexes of a ledger on SQLite, once one was made."""
COMPILED = dict[object, object]()
"""The text of each statement, for all ledgers on SQLite: SQLAlchemy keeps it by engine and dialect."""
parse_anew = load.parse_rules


def make_once() -> None:
    """Replace what would make them again."""
    for module, name, made in (
        (connections, "open_database", open_database),
        (ledger, "migrate_schema", migrate_schema),
        (load, "parse_rules", parse_rules),
        (live_rules, "parse_rules", parse_rules),
    ):
        assert hasattr(module, name), name
        setattr(module, name, made)


def make_first() -> None:
    """Make them now, for all processes that are forked from this one."""
    make_once()
    ledger.Ledger("sqlite://").close()
    load.load_rules(resource_folder("rules") / "default.yaml")


def open_database(url: str) -> Engine:
    """Do what the product does; engines on SQLite have one dialect, and one store of compiled text."""
    engine = database.open_database(url)
    if engine.dialect.name == "sqlite":
        engine.dialect = first_engine().dialect
        engine.update_execution_options(compiled_cache=COMPILED)
    return engine


@cache
def first_engine() -> Engine:
    """Return an engine whose dialect has seen a connection."""
    engine = create_engine("sqlite://")
    engine.connect().close()
    engine.dispose()
    return engine


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


def parse_rules(text: str, source: str) -> Rulebook:
    """Do what the product does; of a text without mistakes once, wherever it comes from."""
    found = parsed(text)
    return parse_anew(text, source) if found is None else replace(found, source=source)


@cache
def parsed(text: str) -> Rulebook | None:
    """Return the rulebook of a text; None if it has a mistake, which names its source."""
    with suppress(RulesError):
        return parse_anew(text, "")
    return None
