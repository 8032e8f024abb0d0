"""Which files of the inbox came in a crowd, and whether a person has accepted them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import delete, insert, select, update

from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import set_aside

_AT_ONCE = 500
"""Values in one statement: SQLite takes no more than some thousands."""


def read_waitlist(ledger: Ledger) -> Mapping[str, bool]:
    """Give the paths that were set aside, each with whether it is accepted. Raises StateError."""
    with ledger.reading() as connection:
        rows = connection.execute(select(set_aside.c.path, set_aside.c.accepted))
        return {path: bool(accepted) for path, accepted in rows}


def add_to_waitlist(ledger: Ledger, paths: Collection[str]) -> None:
    """Set paths aside; those that are, stay as they are. Raises StateError."""
    with ledger.writing() as connection:
        for some in _portions(paths):
            among = select(set_aside.c.path).where(set_aside.c.path.in_(some))
            new = set(some).difference(connection.execute(among).scalars())
            if new:
                connection.execute(insert(set_aside), [{"path": path, "accepted": False} for path in new])


def drop_from_waitlist(ledger: Ledger, paths: Collection[str]) -> None:
    """Forget paths that are no longer in the inbox. Raises StateError."""
    with ledger.writing() as connection:
        for some in _portions(paths):
            connection.execute(delete(set_aside).where(set_aside.c.path.in_(some)))


def accept_waitlist(ledger: Ledger) -> int:
    """Let everything go that waits; gives how many that are. Raises StateError."""
    with ledger.writing() as connection:
        waiting = update(set_aside).where(set_aside.c.accepted.is_(False))
        return connection.execute(waiting.values(accepted=True)).rowcount


def _portions(paths: Collection[str]) -> Iterator[Sequence[str]]:
    every = list(paths)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
