"""The one clock of the ledger: the database's where several machines share it, else this machine's.

Leases and due times are compared on machines whose own clocks may differ by minutes, or jump. So on
Postgres the server's time counts, carried on by this machine's steady clock from the last look at it.
"""

import threading
import time

from sqlalchemy import Connection, text

_DATABASE_TIME = text("select extract(epoch from clock_timestamp())")


class LedgerClock:
    """Seconds since 1970 (UTC), as everybody who works on the ledger sees them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[float, float] | None = None

    def seconds(self) -> float:
        """Give the present time."""
        with self._lock:
            if self._seen is None:
                return time_of_day()
            theirs, mine = self._seen
        return theirs + (time.monotonic() - mine)

    def follow(self, connection: Connection) -> None:
        """Look at the database's own clock, if it has one."""
        if connection.dialect.name != "postgresql":
            return
        theirs = float(connection.execute(_DATABASE_TIME).scalar_one())
        with self._lock:
            self._seen = (theirs, time.monotonic())


def time_of_day() -> float:
    """Give this machine's own time: what counts where no other machine takes part."""
    return time.time()


CLOCK = LedgerClock()
"""Of this process, which works on one ledger; a new one is followed when it is opened."""
