"""Files that arrived in a mass arrival, and whether a person has accepted them."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select, update

from workflow.ledger.changes import chunks, seconds_now
from workflow.ledger.rows import replace_unstorable
from workflow.ledger.statements import INSERT_ACCEPTANCE
from workflow.ledger.store import Store
from workflow.ledger.tables import mass_arrival_paths, submissions
from workflow.model import EventKind


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

    def list_waiting(self) -> tuple[str, ...]:
        """Return the paths that wait for a person, sorted."""
        return tuple(sorted(path for path, accepted in self.read_paths().items() if not accepted))

    def remove(self, paths: Collection[str]) -> None:
        """Forget paths that are no longer in the inbox.

        One that another worker is just claiming stays: who accepted it is still to be written down.
        """
        being_claimed = select(submissions.c.path).where(submissions.c.claimed_as.is_(None))
        with self.write_transaction() as connection:
            for some in chunks(paths):
                gone = (
                    mass_arrival_paths.c.path.in_(some),
                    mass_arrival_paths.c.path.not_in(being_claimed),
                )
                connection.execute(delete(mass_arrival_paths).where(*gone))

    def accept(self, paths: Collection[str], by: str) -> int:
        """Accept those of the paths that wait, and return how many; `by` says who did, and why."""
        accepted = {"accepted": True, "accepted_by": replace_unstorable(by)}
        with self.write_transaction() as connection:
            return sum(
                connection.execute(
                    update(mass_arrival_paths)
                    .where(mass_arrival_paths.c.path.in_(some), mass_arrival_paths.c.accepted.is_(False))
                    .values(accepted)
                ).rowcount
                for some in chunks(paths)
            )


def append_acceptance(connection: Connection, number: int, arrived_as: str | None) -> None:
    """Add to the history who accepted the mass arrival that a file came with, if it came with one.

    `arrived_as` is its path as the mass arrival has it; None for a file that is not from the inbox.
    """
    if arrived_as is not None:
        INSERT_ACCEPTANCE.execute(
            connection,
            number=number,
            now=seconds_now(),
            accepted=EventKind.ACCEPTED.value,
            arrived_as=arrived_as,
        )
