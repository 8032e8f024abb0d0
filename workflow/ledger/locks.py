"""Locks by name, among all threads and all machines that work on the same ledger."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import text

from workflow.errors import StateFolderError
from workflow.ledger.connections import Connections
from workflow.ledger.store import Store

DEVICE_CHOICE_LOCK = "choosing a device"
APPROVAL_LOCK = "approving a build"
MAX_LOCK_SECONDS = 60.0
"""Postgres takes the lock from a worker that does nothing for so long, such as a frozen machine."""
_SET = text("select set_config(:name, :value, true)")
_LOCK = text("select pg_advisory_xact_lock(hashtext(:what))")


class LockStore(Store):
    """The locks of one ledger."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._local: Mapping[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def exclusive(self, name: str, longest_seconds: float = MAX_LOCK_SECONDS) -> Iterator[None]:
        """Let one worker at a time into the block. What it writes into the ledger there counts at once.

        On SQLite all workers are threads of this process. Raises StateFolderError when the lock does not
        come, or was lost meanwhile: so use it where two at once would be worse, but not wrong.
        """
        with self._local[name]:
            if not self._connections.are_shared:
                yield
                return
            with _prefer_inner_error() as inside, self.write_transaction() as connection:
                for setting, seconds in _limits(longest_seconds):
                    connection.execute(_SET, {"name": setting, "value": f"{seconds * 1000:.0f}"})
                connection.execute(_LOCK, {"what": name})
                with inside:
                    yield


@contextmanager
def _prefer_inner_error() -> Iterator["_Inside"]:
    """Raise what went wrong inside, even if the lock was lost meanwhile."""
    inside = _Inside()
    try:
        yield inside
    except StateFolderError:
        if inside.error is not None:
            raise inside.error from None
        raise


class _Inside(AbstractContextManager[None]):
    """Remembers the error that ended the block, and lets it pass."""

    error: BaseException | None = None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.error = error


def _limits(longest_seconds: float) -> tuple[tuple[str, float], ...]:
    return ("idle_in_transaction_session_timeout", longest_seconds), ("lock_timeout", 2 * longest_seconds)
