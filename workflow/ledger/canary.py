"""When the canary was last dropped and last came through. Its submissions leave no row."""

import json
from dataclasses import asdict

from sqlalchemy import delete

from workflow.frozen import frozen
from workflow.ledger.changes import seconds_now
from workflow.ledger.metadata import MetadataStore
from workflow.ledger.store import Store
from workflow.ledger.tables import decisions, events, submissions

CANARY_KEY = "canary"
_OF_SUBMISSIONS = (events, decisions)
"""No canary is ever sent, so no other table knows of it."""


@frozen
class CanaryFlight:
    """When a canary was last dropped, when one passed, and how long that took. Seconds; 0 for never."""

    dropped_at: float = 0.0
    passed_at: float = 0.0
    seconds: float = 0.0

    @property
    def is_under_way(self) -> bool:
        """True if the last one that was dropped has not passed."""
        return self.dropped_at > self.passed_at


class CanaryStore(Store):
    """One value, and the rows of canaries that are done."""

    def read(self) -> CanaryFlight:
        """Return the last flights."""
        stored = MetadataStore(self._connections).read(CANARY_KEY)
        return CanaryFlight(**json.loads(stored)) if stored else CanaryFlight()

    def begin(self) -> None:
        """Record that one is about to be dropped."""
        last = self.read()
        self._write(CanaryFlight(seconds_now(), last.passed_at, last.seconds))

    def end(self, number: int, *, passed: bool) -> None:
        """Delete the row of a canary with all that belongs to it; record that it passed, if it did."""
        with self.write_transaction() as connection:
            for table in _OF_SUBMISSIONS:
                connection.execute(delete(table).where(table.c.submission == number))
            connection.execute(delete(submissions).where(submissions.c.id == number))
        if passed:
            now, last = seconds_now(), self.read()
            self._write(CanaryFlight(last.dropped_at, now, max(now - last.dropped_at, 0.0)))

    def _write(self, flight: CanaryFlight) -> None:
        MetadataStore(self._connections).write(CANARY_KEY, json.dumps(asdict(flight)))
