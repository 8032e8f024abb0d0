"""What the ledger knows of itself: its name, its share, and what is wrong with changed rules."""

import secrets

from sqlalchemy import Connection, delete, insert, select

from workflow.errors import StateFolderError
from workflow.ledger.changes import acquire_transaction_lock
from workflow.ledger.store import Store
from workflow.ledger.tables import metadata_entries

LEDGER_NAME_KEY = "name"
SHARE_ID_KEY = "share"
RESTORED_KEY = "restored"
"""When the ledger was restored from a backup; "" once claimed files were compared with it."""
RULES_ERROR_KEY = "rules trouble"
"""Why a change of the rules is not used; empty if there is no error."""


class MetadataStore(Store):
    """Values by name."""

    def ensure_name(self) -> str:
        """Return the ledger's own name, made once: six hex digits that tell its claims from others."""
        return self.set_default(LEDGER_NAME_KEY, secrets.token_hex(3))

    def read(self, name: str) -> str | None:
        """Return the value under a name; None if there is none."""
        with self.read_connection() as connection:
            return _value(connection, name)

    def set_default(self, name: str, value: str) -> str:
        """Write a value unless there is one, and return the value that is stored then."""
        try:
            with self.write_transaction() as connection:
                known = _value(connection, name)
                if known is None:
                    connection.execute(insert(metadata_entries).values(name=name, value=value))
        except StateFolderError:  # another process may have been quicker
            known = self.read(name)
            if known is None:
                raise
        return value if known is None else known

    def write(self, name: str, value: str) -> None:
        """Write a value in place of an earlier one."""
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, name)
            connection.execute(delete(metadata_entries).where(metadata_entries.c.name == name))
            connection.execute(insert(metadata_entries).values(name=name, value=value))


def _value(connection: Connection, name: str) -> str | None:
    return connection.execute(
        select(metadata_entries.c.value).where(metadata_entries.c.name == name)
    ).scalar_one_or_none()
