"""Which files of the inbox came in a crowd, and whether a person has accepted them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import delete, insert, select, update

from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import mass_arrival_paths

_VALUES_PER_STATEMENT = 500
"""Values in one statement: SQLite takes no more than some thousands."""


def read_mass_arrival_paths(ledger: Ledger) -> Mapping[str, bool]:
    """Give the paths that were set aside, each with whether it is accepted. Raises StateError."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(mass_arrival_paths.c.path, mass_arrival_paths.c.accepted))
        return {path: bool(accepted) for path, accepted in rows}


def add_to_mass_arrival(ledger: Ledger, paths: Collection[str]) -> None:
    """Set paths aside; those that are, stay as they are. Raises StateError."""
    with ledger.write_transaction() as connection:
        for some in _batches(paths):
            among = select(mass_arrival_paths.c.path).where(mass_arrival_paths.c.path.in_(some))
            new = set(some).difference(connection.execute(among).scalars())
            if new:
                connection.execute(
                    insert(mass_arrival_paths), [{"path": path, "accepted": False} for path in new]
                )


def remove_from_mass_arrival(ledger: Ledger, paths: Collection[str]) -> None:
    """Forget paths that are no longer in the inbox. Raises StateError."""
    with ledger.write_transaction() as connection:
        for some in _batches(paths):
            connection.execute(delete(mass_arrival_paths).where(mass_arrival_paths.c.path.in_(some)))


def accept_mass_arrival(ledger: Ledger) -> int:
    """Let everything go that waits; gives how many that are. Raises StateError."""
    with ledger.write_transaction() as connection:
        waiting = update(mass_arrival_paths).where(mass_arrival_paths.c.accepted.is_(False))
        return connection.execute(waiting.values(accepted=True)).rowcount


def _batches(paths: Collection[str]) -> Iterator[Sequence[str]]:
    every = list(paths)
    return (
        every[start : start + _VALUES_PER_STATEMENT] for start in range(0, len(every), _VALUES_PER_STATEMENT)
    )
