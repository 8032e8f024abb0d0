"""What the ledger knows of itself: its own name, its share, and what is wrong with changed rules."""

import secrets

from sqlalchemy import Connection, delete, insert, select

from workflow.errors import StateFolderError
from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import metadata_entries

LEDGER_NAME_KEY = "name"
SHARE_ID_KEY = "share"
RULES_ERROR_KEY = "rules trouble"
"""Why a change of the rules does not count; empty when all is well."""


def ensure_ledger_name(ledger: Ledger) -> str:
    """Give the ledger's own name, made once: six hex digits that set its claims apart from another's."""
    return set_metadata_default(ledger, LEDGER_NAME_KEY, secrets.token_hex(3))


def read_metadata(ledger: Ledger, name: str) -> str | None:
    """Give what is known under a name. Raises StateError."""
    with ledger.read_connection() as connection:
        return _value(connection, name)


def set_metadata_default(ledger: Ledger, name: str, value: str) -> str:
    """Write a mark unless there is one; gives the one that counts. Raises StateError."""
    try:
        with ledger.write_transaction() as connection:
            known = _value(connection, name)
            if known is None:
                connection.execute(insert(metadata_entries).values(name=name, value=value))
    except StateFolderError:  # another process may have been quicker
        known = read_metadata(ledger, name)
        if known is None:
            raise
    return value if known is None else known


def write_metadata(ledger: Ledger, name: str, value: str) -> None:
    """Write a mark, whatever stood there. Raises StateError."""
    with ledger.write_transaction() as connection:
        connection.execute(delete(metadata_entries).where(metadata_entries.c.name == name))
        connection.execute(insert(metadata_entries).values(name=name, value=value))


def _value(connection: Connection, name: str) -> str | None:
    return connection.execute(
        select(metadata_entries.c.value).where(metadata_entries.c.name == name)
    ).scalar_one_or_none()
