"""One simulated Eiger: its world, clock, faults, uploads, and the journal of its requests."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from workflow.simulator.faults import FaultInjector
from workflow.simulator.options import SimulatorOptions
from workflow.simulator.seed import seed_world
from workflow.simulator.views import LinkSigner, Views
from workflow.simulator.world import AdjustableClock, World

ENTRIES_KEPT = 200_000


@dataclass(slots=True)
class JournalEntry:
    """One request. `status` is None until there is a reply.

    `effect` says what the request changed, with ids; None if nothing. Headers and bodies are not kept,
    so an entry holds no secret.
    """

    number: int
    at: str
    method: str
    path: str
    query: str
    operation: str | None
    authorized: bool = False
    status: int | None = None
    effect: Mapping[str, object] | None = None
    fault: str | None = None
    message: str | None = None

    def finish(self, status: int, effect: Mapping[str, object] | None, message: str | None) -> None:
        """Record the result of the request."""
        self.status, self.effect, self.message = status, effect, message


class Journal:
    """The latest requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=ENTRIES_KEPT)
        self._last = 0

    def open(self, at: str, method: str, path: str, query: str, operation: str | None) -> JournalEntry:
        """Add and return the entry of a new request."""
        self._last += 1
        entry = JournalEntry(self._last, at, method, path, query, operation)
        self._entries.append(entry)
        return entry

    def since(self, number: int = 0) -> Sequence[dict[str, object]]:
        """Return the entries with a higher number, as JSON objects."""
        dropped = self._last - len(self._entries)
        wanted = islice(self._entries, max(number - dropped, 0), None)
        return [{each.name: getattr(entry, each.name) for each in fields(JournalEntry)} for entry in wanted]


FIRST_REFERENCE_ID = 7_000_001
CLOCK_CHECK_SECONDS = 0.02
"""The simulated clock can be advanced at any moment, so a pause on it checks it this often."""


class Simulation:
    """The state of one server; `reset` restores the state at the start."""

    def __init__(self, options: SimulatorOptions, base: str) -> None:
        self.options = options
        self.base = base
        self._stopping = asyncio.Event()
        self._store = TemporaryDirectory(prefix="stlflow-simulator-")
        self.reset()

    def reset(self) -> None:
        """Restore the state at the start: same ids, the real time, no journal, no faults."""
        for file in self.store.iterdir():
            file.unlink(missing_ok=True)
        self.clock = AdjustableClock(date_ahead_seconds=self.options.date_ahead_seconds)
        self.world = World(self.options, self.clock.now())
        seed_world(self.world)
        self.faults = FaultInjector(self.options.seed)
        self.journal = Journal()
        self._references = FIRST_REFERENCE_ID
        self._uploads = 0

    @property
    def store(self) -> Path:
        """The folder of the uploaded files, under TMPDIR."""
        return Path(self._store.name)

    def current_world(self) -> World:
        """Return the world as it is now."""
        self.world.advance_to(self.clock.now())
        return self.world

    def views(self) -> Views:
        """Return the views of the world as it is now."""
        key = hashlib.sha256(f"{self.options.seed}".encode()).digest()
        return Views(self.current_world(), LinkSigner(key, self.base))

    def next_reference_id(self) -> int:
        """Return the next X-Reference-ID."""
        self._references += 1
        return self._references

    def next_upload_path(self) -> Path:
        """Return a new path for an upload."""
        self._uploads += 1
        return self.store / f"{self._uploads}.stl"

    async def pause(self, seconds: float) -> bool:
        """Wait for real seconds, or until the server stops; True if it stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def pause_simulated(self, seconds: float) -> None:
        """Wait until the simulated clock has advanced by `seconds`, or until the server stops."""
        due = self.clock.now() + timedelta(seconds=seconds)
        while not self._stopping.is_set() and self.clock.now() < due:
            await self.pause(CLOCK_CHECK_SECONDS)

    def stop(self) -> None:
        """End all pauses, so that delayed requests are answered now."""
        self._stopping.set()

    def close(self) -> None:
        """Remove the uploaded files."""
        self._store.cleanup()
