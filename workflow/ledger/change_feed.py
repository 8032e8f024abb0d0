"""Which submissions have changed lately: read from their events, which are only ever added."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import events, submissions
from workflow.model import SubmissionState

EVENTS_AT_ONCE = 1000
LOOK_BACK = 100
"""So many events before the newest are read again at the beginning: an earlier one may not be visible yet."""
_NEWEST_EVENT = PreparedStatement(select(func.coalesce(func.max(events.c.id), 0)))
_EVENTS_SINCE = PreparedStatement(
    select(events.c.id, events.c.submission)
    .where(events.c.id > bindparam("since"))
    .order_by(events.c.id.desc())
    .limit(bindparam("most"))
)


def list_newest(ledger: Ledger, states: Collection[SubmissionState], limit: int) -> frozenset[int]:
    """Return the numbers of the newest submissions in these states. Raises StateFolderError."""
    query = select(submissions.c.id).where(submissions.c.state.in_(sorted(states)))
    with ledger.read_connection() as connection:
        return frozenset(connection.execute(query.order_by(submissions.c.id.desc()).limit(limit)).scalars())


class ChangeFeed:
    """Returns each submission with a new event once: a query costs what is new, however many there are.

    On Postgres an event may become visible after a later one. So each query begins where the one before the
    last ended: callers wait for seconds between two, and no transaction takes that long.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._since: int | None = None
        self._newest = 0
        self._known: frozenset[int] = frozenset()

    def reset(self) -> None:
        """Forget what was read: the next call returns None."""
        self._since = None

    def read_changed(self) -> frozenset[int] | None:
        """Return the submissions with events that were not seen yet. Raises StateFolderError.

        None: any may have changed. It is the first call, or too many have changed since the last one.
        """
        with self._ledger.read_connection() as connection:
            if self._since is None:
                self._begin(connection)
                return None
            found = dict(
                map(tuple, _EVENTS_SINCE.execute(connection, since=self._since, most=EVENTS_AT_ONCE))
            )
            if len(found) == EVENTS_AT_ONCE:
                self._begin(connection)
                return None
        fresh = found.keys() - self._known
        self._since, self._newest = self._newest, max(found, default=self._newest)
        self._known = frozenset(found)
        return frozenset(found[event] for event in fresh)

    def _begin(self, connection: Connection) -> None:
        self._newest = _NEWEST_EVENT.execute(connection).scalar_one()
        self._since, self._known = max(self._newest - LOOK_BACK, 0), frozenset()
