"""The state of the simulated Eiger: tables of rows, scheduled events, and an adjustable clock.

Events are scheduled for a moment. Each request first runs the events that are due, then reads or changes
the state.
"""

import heapq
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid5

from workflow.simulator.models import (
    Build,
    Device,
    Part,
    PartVersion,
    Preset,
    PrintedPart,
    PrintJob,
    QueuedJob,
    SliceJob,
    User,
)
from workflow.simulator.options import SimulatorOptions
from workflow.simulator.query import Identified, Table

ID_NAMESPACE = UUID("5e1f10a0-51a7-4c1e-8d2b-000000000000")
Row = TypeVar("Row", bound=Identified)


class Refused(Exception):
    """Raised for a request that can't be carried out; the caller reads the message."""


class NotFound(Refused):
    """Raised if nothing has the id."""


class NotAllowed(Refused):
    """Raised for values that are well formed but can't be used."""


class DeviceNotReady(Refused):
    """Raised if the device is not ready."""


class World:
    """All state of the simulated Eiger at the moment `now`."""

    def __init__(self, options: SimulatorOptions, now: datetime) -> None:
        self.options = options
        self.units, self.scale = options.units, options.scale
        self.now = now
        self.chance = random.Random(options.seed)
        self.presets: Table[Preset] = Table()
        self.users: Table[User] = Table()
        self.folders: dict[str, str] = {}
        self.parts: Table[Part] = Table()
        self.part_versions: Table[PartVersion] = Table()
        self.slice_jobs: Table[SliceJob] = Table("part_version_id")
        self.builds: Table[Build] = Table("title")
        self.approved: frozenset[str] | None = None
        self.devices: Table[Device] = Table("name")
        self.print_jobs: Table[PrintJob] = Table("build", "device")
        self.queued_jobs: Table[QueuedJob] = Table("device")
        self.printed_parts: Table[PrintedPart] = Table("print_job")
        self._ids = uuid5(ID_NAMESPACE, str(options.seed))
        self._counts: dict[str, count[int]] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        self._turns = count()

    def new_id(self, kind: str) -> str:
        """Return the next id of a kind: the same seed and order of requests give the same ids."""
        number = next(self._counts.setdefault(kind, count(1)))
        return str(uuid5(self._ids, f"{kind} {number}"))

    def schedule(self, seconds: float, event: Callable[[], object]) -> None:
        """Schedule an event."""
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (due, next(self._turns), event))

    def advance_to(self, now: datetime) -> None:
        """Run the events that are due, in order, each at its own moment."""
        while self._agenda and self._agenda[0][0] <= now:
            self.now, _, event = heapq.heappop(self._agenda)
            event()
        self.now = max(self.now, now)


def require_row(table: Table[Row], row_id: object, kind: str) -> Row:
    """Return the row with an id. Raises NotFound."""
    row = table.get(str(row_id))
    if row is None:
        raise NotFound(f"No {kind} has the id {row_id}.")
    return row


class AdjustableClock:
    """A clock that runs `rate` times as fast as real time and can be advanced, never put back."""

    def __init__(
        self,
        start: datetime | None = None,
        ticks: Callable[[], float] = time.monotonic,
        *,
        date_ahead_seconds: float = 0.0,
    ) -> None:
        self._ticks = ticks
        self._anchor = start or datetime.now(UTC)
        self._anchored_at = ticks()
        self.rate = 1.0
        self.date_ahead_seconds = date_ahead_seconds

    def now(self) -> datetime:
        """Return the time in UTC, in whole milliseconds, as the API shows and compares it."""
        run = (self._ticks() - self._anchored_at) * self.rate
        moment = self._anchor + timedelta(seconds=run)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def date(self) -> datetime:
        """Return the time of the front end, which is the `Date` of replies."""
        return self.now() + timedelta(seconds=self.date_ahead_seconds)

    def advance(self, seconds: float) -> None:
        """Advance the clock. Raises ValueError for negative seconds."""
        if seconds < 0:
            raise ValueError("The clock can't go back: advance_seconds must be 0 or more.")
        self._anchor += timedelta(seconds=seconds)

    def set_rate(self, rate: float) -> None:
        """Make the clock run `rate` times as fast from now on; 0 stops it. Raises ValueError if negative."""
        if rate < 0:
            raise ValueError("The clock can't go back: rate must be 0 or more.")
        self._anchor, self._anchored_at = self.now(), self._ticks()
        self.rate = rate
