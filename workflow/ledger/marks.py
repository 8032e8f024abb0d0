"""What the ledger knows of itself: its own name, its share, and what is wrong with changed rules."""

import secrets

from sqlalchemy import Connection, delete, insert, select

from workflow.errors import StateError
from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import marks

OWN_NAME = "name"
SHARE = "share"
RULES_TROUBLE = "rules trouble"
"""Why a change of the rules does not count; empty when all is well."""


def own_name(ledger: Ledger) -> str:
    """Give the ledger's own name, made once: six hex digits that set its claims apart from another's."""
    return keep_mark(ledger, OWN_NAME, secrets.token_hex(3))


def read_mark(ledger: Ledger, name: str) -> str | None:
    """Give what is known under a name. Raises StateError."""
    with ledger.reading() as connection:
        return _value(connection, name)


def keep_mark(ledger: Ledger, name: str, value: str) -> str:
    """Write a mark unless there is one; gives the one that counts. Raises StateError."""
    try:
        with ledger.writing() as connection:
            known = _value(connection, name)
            if known is None:
                connection.execute(insert(marks).values(name=name, value=value))
    except StateError:  # another process may have been quicker
        known = read_mark(ledger, name)
        if known is None:
            raise
    return value if known is None else known


def replace_mark(ledger: Ledger, name: str, value: str) -> None:
    """Write a mark, whatever stood there. Raises StateError."""
    with ledger.writing() as connection:
        connection.execute(delete(marks).where(marks.c.name == name))
        connection.execute(insert(marks).values(name=name, value=value))


def _value(connection: Connection, name: str) -> str | None:
    return connection.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one_or_none()
