"""The port through which stages run. Two adapters keep it, under one suite of tests.

`LocalQueue` works on SQLite: one process, its own threads. `PostgresQueue` works on Postgres: procrastinate
shares the work among several machines. Handing over is no part of the port: a due step is handed over by
writing it into the ledger.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from loguru import logger

from workflow.errors import StateFolderError, catch_faults
from workflow.frozen import frozen
from workflow.ledger import Work

RunStage = Callable[[Work], Work | None]
"""Run one submission until it waits or ends; everything is recorded under the work's turn.

Return what goes on at once on the same thread. Only where one process has the ledger for itself.
"""


@frozen
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


class FailureLog(AbstractContextManager[None]):
    """Lets a thread survive what fails in a block; of several failures in a row, the first is logged.

    `waiting` is said after the reason of a database that can't be used.
    """

    def __init__(self, who: str, waiting: str) -> None:
        self._who, self._waiting, self._failing = who, waiting, False

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Log what failed, and let it be tried again later."""
        if error is None:
            self.worked()
            return False
        return catch_faults(partial(_raise, error), self._log_failure)

    def worked(self) -> None:
        """Note that it works: the next failure is logged."""
        self._failing = False

    def _log_failure(self, fault: Exception) -> bool:
        if isinstance(fault, StateFolderError):
            self._log_once(f"{fault} {self._waiting}")
        else:
            logger.opt(exception=fault).debug("{} failed", self._who)
            self._log_once(f"{self._who} failed ({type(fault).__name__}): it tries again.")
        return True

    def _log_once(self, sentence: str) -> None:
        if not self._failing:
            logger.error("{}", sentence)
        self._failing = True


def _raise(error: BaseException) -> bool:
    raise error
