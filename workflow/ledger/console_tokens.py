"""Who uses the console: the tokens, of which only digests are stored, and who dropped which file."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import and_, delete, insert, or_, select

from workflow.frozen import frozen
from workflow.ledger.changes import acquire_transaction_lock, seconds_now
from workflow.ledger.statements import FIND_DROPPER
from workflow.ledger.store import Store
from workflow.ledger.tables import console_drops, console_tokens

DROP_SECONDS = 30 * 86400
"""A file that waits longer in the inbox belongs to the account of stlflow again."""


@frozen
class ConsoleToken:
    """One token: whose it is, what it allows, and the digest that it is compared with.

    `shows_names` False: the wall that it opens names no part.
    """

    name: str
    role: str
    digest: str
    made_at: datetime
    shows_names: bool


class ConsoleTokenStore(Store):
    """Who may use the console from other machines."""

    def make(self, name: str, role: str, *, shows_names: bool = True) -> str:
        """Make a token in place of an earlier one of this name, and return it: it is shown only now."""
        token = secrets.token_urlsafe(32)
        row = {
            "name": name, "role": role, "digest": _digest(token), "made_at": seconds_now(),
            "shows_names": shows_names,
        }  # fmt: skip
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, f"token {name}")
            connection.execute(delete(console_tokens).where(console_tokens.c.name == name))
            connection.execute(insert(console_tokens).values(row))
        return token

    def revoke(self, name: str) -> bool:
        """Remove a token; False if there is none of this name."""
        with self.write_transaction() as connection:
            gone = delete(console_tokens).where(console_tokens.c.name == name)
            return connection.execute(gone).rowcount > 0

    def list_all(self) -> tuple[ConsoleToken, ...]:
        """Return all tokens by name."""
        with self.read_connection() as connection:
            rows = connection.execute(select(console_tokens).order_by(console_tokens.c.name)).mappings()
            return tuple(
                ConsoleToken(**{**row, "made_at": datetime.fromtimestamp(row["made_at"], UTC)})
                for row in rows
            )

    def find(self, token: str) -> ConsoleToken | None:
        """Return whose token this is; each one is compared in the same time."""
        digest = _digest(token)
        same = [each for each in self.list_all() if hmac.compare_digest(each.digest, digest)]
        return same[0] if same else None


class ConsoleDropStore(Store):
    """Who dropped a file at the console, until long after it was taken."""

    def write(self, path: str, sha256: str, by_whom: str) -> None:
        """Note who drops a file of this content into this place of the inbox; very old notes are removed."""
        present = seconds_now()
        row = {"sha256": sha256, "path": path, "by_whom": by_whom, "at": present}
        same = and_(console_drops.c.sha256 == sha256, console_drops.c.path == path)
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, f"drop {sha256}")
            connection.execute(
                delete(console_drops).where(or_(same, console_drops.c.at < present - DROP_SECONDS))
            )
            connection.execute(insert(console_drops).values(row))

    def find(self, path: str, sha256: str) -> str | None:
        """Return who dropped this content into this place; None if nobody did at the console."""
        with self.read_connection() as connection:
            rows = FIND_DROPPER.execute(connection, sha256=sha256, path=path).mappings().all()
            return str(rows[0]["by_whom"]) if rows else None

    def read_people(self) -> Mapping[str, str]:
        """Return who last dropped a file at the console, by its place in the inbox."""
        c = console_drops.c
        with self.read_connection() as connection:
            rows = connection.execute(select(c.path, c.by_whom).order_by(c.at))
            return {str(path): str(by_whom) for path, by_whom in rows}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
