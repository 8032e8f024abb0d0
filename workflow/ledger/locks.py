"""Being alone at something, among all threads and all machines that work on the same ledger."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import text

from workflow.errors import StateFolderError
from workflow.ledger.ledger import Ledger

DEVICE_CHOICE_LOCK = "choosing a device"
APPROVAL_LOCK = "approving a build"
MAX_LOCK_SECONDS = 60.0
"""Whoever stands still for so long while it is alone, a frozen machine say, is passed over by Postgres."""
_SET = text("select set_config(:name, :value, true)")
_TAKE = text("select pg_advisory_xact_lock(hashtext(:what))")


@contextmanager
def exclusive(ledger: Ledger, at: str, longest_seconds: float = MAX_LOCK_SECONDS) -> Iterator[None]:
    """Let one at a time into the block. It may ask the cloud; what it writes into the ledger counts at once.

    On SQLite all are threads of this process. Raises StateError when the turn does not come, or was lost
    to others meanwhile: so it is for what is better done one after the other, and harmless to begin anew.
    """
    with ledger.turns[at]:
        if ledger.url.startswith("sqlite"):
            yield
            return
        with _prefer_inner_error() as inside, ledger.write_transaction() as connection:
            for name, seconds in _limits(longest_seconds):
                connection.execute(_SET, {"name": name, "value": f"{seconds * 1000:.0f}"})
            connection.execute(_TAKE, {"what": at})
            with inside:
                yield


@contextmanager
def _prefer_inner_error() -> Iterator[AbstractContextManager[None]]:
    """What went wrong inside is raised, whatever became of the turn meanwhile."""
    errors: list[Exception] = []

    @contextmanager
    def inside() -> Iterator[None]:
        try:
            yield
        except Exception as error:  # raised again: kept so that a lost turn does not hide it
            errors.append(error)
            raise

    try:
        yield inside()
    except StateFolderError:
        if errors:
            raise errors[0] from None
        raise


def _limits(longest_seconds: float) -> tuple[tuple[str, float], ...]:
    return ("idle_in_transaction_session_timeout", longest_seconds), ("lock_timeout", 2 * longest_seconds)
