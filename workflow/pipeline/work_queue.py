"""The port through which stages run. Two adapters keep it, under one suite of tests.

`LocalQueue` works on SQLite: one process, its own threads, no leases. On Postgres several machines share the
work. Handing over is no part of the port: a due step is handed over by writing it into the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from workflow.ledger import Work

RunStage = Callable[[Work], Work | None]
"""Run one submission until it waits or ends; everything is recorded under the work's turn.

Return what goes on at once on the same thread. Only where one process has the ledger for itself.
"""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many stages of each kind run side by side."""

    intake: int = 8
    deliver: int = 8


class WorkQueue(Protocol):
    """Runs every step when it is due: no step is lost, and none runs under two turns."""

    def start(self) -> None:
        """Begin what is due. Raises StateFolderError where the database can't be used."""

    def wake(self) -> None:
        """Check at once what is due: something may have become due, or a thread is free."""

    def running(self) -> tuple[Work, ...]:
        """Return what runs in this process."""

    def stalled_seconds(self) -> float:
        """Return how long ago the last check for due steps began: nothing goes on if that is long."""

    def stop(self, limit_seconds: float) -> bool:
        """Begin nothing new; True if everything that ran came to its end within the limit."""
