"""The state of the simulated Eiger: shelves of rows, and what is due to happen when.

Whatever takes time is put on the agenda and happens when the clock has come to it: each request
first lets the past catch up, then looks at or changes the present.
"""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid5

from workflow.simulator.options import SimulatorOptions
from workflow.simulator.shelf import Identified, Shelf
from workflow.simulator.things import (
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

ROOT_OF_IDS = UUID("5e1f10a0-51a7-4c1e-8d2b-000000000000")
Row = TypeVar("Row", bound=Identified)


class Refused(Exception):
    """What was asked can't be done; the message is what the caller reads."""


class NotThere(Refused):
    """There is nothing with that id."""


class NotAllowed(Refused):
    """The values are well formed, but this can't be done with them."""


class NotReady(Refused):
    """The device is not ready."""


class World:
    """Everything the simulated Eiger knows. `now` is the moment the world stands at."""

    def __init__(self, options: SimulatorOptions, now: datetime) -> None:
        self.options = options
        self.units, self.scale = options.units, options.scale
        self.now = now
        self.chance = random.Random(options.seed)
        self.presets: Shelf[Preset] = Shelf()
        self.users: Shelf[User] = Shelf()
        self.folders: dict[str, str] = {}
        self.parts: Shelf[Part] = Shelf()
        self.part_versions: Shelf[PartVersion] = Shelf()
        self.slice_jobs: Shelf[SliceJob] = Shelf("part_version_id")
        self.builds: Shelf[Build] = Shelf("title")
        self.approved: frozenset[str] | None = None
        self.devices: Shelf[Device] = Shelf("name")
        self.print_jobs: Shelf[PrintJob] = Shelf("build", "device")
        self.queued_jobs: Shelf[QueuedJob] = Shelf("device")
        self.printed_parts: Shelf[PrintedPart] = Shelf("print_job")
        self._ids = uuid5(ROOT_OF_IDS, str(options.seed))
        self._counts: dict[str, count[int]] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        self._turns = count()

    def new_id(self, kind: str) -> str:
        """Give the next id of a kind: the same seed and order of requests give the same ids."""
        number = next(self._counts.setdefault(kind, count(1)))
        return str(uuid5(self._ids, f"{kind} {number}"))

    def later(self, seconds: float, happen: Callable[[], object]) -> None:
        """Put something on the agenda."""
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (due, next(self._turns), happen))

    def catch_up(self, now: datetime) -> None:
        """Let happen, in order and each at its own moment, what was due until now."""
        while self._agenda and self._agenda[0][0] <= now:
            self.now, _, happen = heapq.heappop(self._agenda)
            happen()
        self.now = max(self.now, now)


def found(shelf: Shelf[Row], row_id: object, kind: str) -> Row:
    """Give the row with an id. Raises NotThere."""
    row = shelf.get(str(row_id))
    if row is None:
        raise NotThere(f"No {kind} has the id {row_id}.")
    return row
