"""Files that arrived in a mass arrival, and whether a person has accepted them."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select, update

from workflow.ledger.changes import chunks
from workflow.ledger.store import Store
from workflow.ledger.tables import mass_arrival_paths


class MassArrivalStore(Store):
    """Paths in the inbox that wait until a person accepts them."""

    def read_paths(self) -> Mapping[str, bool]:
        """Return the paths that were set aside, each with whether it is accepted."""
        with self.read_connection() as connection:
            rows = connection.execute(select(mass_arrival_paths.c.path, mass_arrival_paths.c.accepted))
            return {path: bool(accepted) for path, accepted in rows}

    def add(self, paths: Collection[str]) -> None:
        """Set paths aside; a path that is set aside already stays as it is."""
        with self.write_transaction() as connection:
            for some in chunks(paths):
                among = select(mass_arrival_paths.c.path).where(mass_arrival_paths.c.path.in_(some))
                new = set(some).difference(connection.execute(among).scalars())
                if new:
                    rows = [{"path": path, "accepted": False} for path in new]
                    connection.execute(insert(mass_arrival_paths), rows)

    def remove(self, paths: Collection[str]) -> None:
        """Forget paths that are no longer in the inbox."""
        with self.write_transaction() as connection:
            for some in chunks(paths):
                connection.execute(delete(mass_arrival_paths).where(mass_arrival_paths.c.path.in_(some)))

    def accept(self) -> int:
        """Accept everything that waits, and return how many paths that are."""
        with self.write_transaction() as connection:
            waiting = update(mass_arrival_paths).where(mass_arrival_paths.c.accepted.is_(False))
            return connection.execute(waiting.values(accepted=True)).rowcount
