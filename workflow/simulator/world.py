"""The state of the simulated Eiger: shelves of rows, and what is due to happen when.

Whatever takes time is put on the agenda and happens when the clock has come to it: each request
first lets the past catch up, then looks at or changes the present.

The simulator's clock: a dial that a test can turn.
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
    """What was asked can't be done; the message is what the caller reads."""


class NotFound(Refused):
    """There is nothing with that id."""


class NotAllowed(Refused):
    """The values are well formed, but this can't be done with them."""


class DeviceNotReady(Refused):
    """The device is not ready."""


class World:
    """Everything the simulated Eiger knows. `now` is the moment the world stands at."""

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
        """Give the next id of a kind: the same seed and order of requests give the same ids."""
        number = next(self._counts.setdefault(kind, count(1)))
        return str(uuid5(self._ids, f"{kind} {number}"))

    def schedule(self, seconds: float, happen: Callable[[], object]) -> None:
        """Put something on the agenda."""
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (due, next(self._turns), happen))

    def advance_to(self, now: datetime) -> None:
        """Let happen, in order and each at its own moment, what was due until now."""
        while self._agenda and self._agenda[0][0] <= now:
            self.now, _, happen = heapq.heappop(self._agenda)
            happen()
        self.now = max(self.now, now)


def require_row(shelf: Table[Row], row_id: object, kind: str) -> Row:
    """Give the row with an id. Raises NotThere."""
    row = shelf.get(str(row_id))
    if row is None:
        raise NotFound(f"No {kind} has the id {row_id}.")
    return row


class AdjustableClock:
    """Tells a time that runs `rate` times as fast as the real one, and can be put forward, never back."""

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
        """Give the time in UTC, in whole milliseconds: what the API shows is what it compares."""
        run = (self._ticks() - self._anchored_at) * self.rate
        moment = self._anchor + timedelta(seconds=run)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def date(self) -> datetime:
        """Return the time that the front end believes it is: what the `Date` of a reply tells."""
        return self.now() + timedelta(seconds=self.date_ahead_seconds)

    def advance(self, seconds: float) -> None:
        """Put the clock forward. Raises ValueError on negative seconds."""
        if seconds < 0:
            raise ValueError("The clock only goes forward: advance_seconds is 0 or more.")
        self._anchor += timedelta(seconds=seconds)

    def set_rate(self, rate: float) -> None:
        """Let the clock run `rate` times as fast from now on; 0 stops it. Raises ValueError if negative."""
        if rate < 0:
            raise ValueError("The clock only goes forward: rate is 0 or more.")
        self._anchor, self._anchored_at = self.now(), self._ticks()
        self.rate = rate
