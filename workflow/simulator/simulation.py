"""One simulated Eiger: its world, clock, faults, journal and the folder of its uploads."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from workflow.simulator.clock import Clock
from workflow.simulator.faults import Faults
from workflow.simulator.fleet import furnish
from workflow.simulator.journal import Journal
from workflow.simulator.links import Links
from workflow.simulator.options import SimulatorOptions
from workflow.simulator.views import Views
from workflow.simulator.world import World

FIRST_REFERENCE_ID = 7_000_001


class Simulation:
    """Holds what a server works on; `reset` starts all of it afresh."""

    def __init__(self, options: SimulatorOptions, base: str) -> None:
        self.options = options
        self.base = base
        self._stopping = asyncio.Event()
        self._store = TemporaryDirectory(prefix="stlflow-simulator-")
        self.reset()

    def reset(self) -> None:
        """Start afresh: as shipped, same ids, the clock on the real time, journal and faults empty."""
        for file in self.store.iterdir():
            file.unlink(missing_ok=True)
        self.clock = Clock(date_ahead_seconds=self.options.date_ahead_seconds)
        self.world = World(self.options, self.clock.now())
        furnish(self.world)
        self.faults = Faults(self.options.seed)
        self.journal = Journal()
        self._references = FIRST_REFERENCE_ID
        self._uploads = 0

    @property
    def store(self) -> Path:
        """The folder of the uploaded files; its place follows TMPDIR."""
        return Path(self._store.name)

    def present(self) -> World:
        """Give the world as it stands now."""
        self.world.catch_up(self.clock.now())
        return self.world

    def views(self) -> Views:
        """Give the views of the world as it stands now."""
        key = hashlib.sha256(f"{self.options.seed}".encode()).digest()
        return Views(self.present(), Links(key, self.base))

    def next_reference(self) -> int:
        """Give the next X-Reference-ID."""
        self._references += 1
        return self._references

    def next_upload(self) -> Path:
        """Give a fresh place for an upload."""
        self._uploads += 1
        return self.store / f"{self._uploads}.stl"

    async def pause(self, seconds: float) -> None:
        """Wait in real time, but no longer than the server serves."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def stop(self) -> None:
        """End all pauses: what is delayed is answered now."""
        self._stopping.set()

    def close(self) -> None:
        """Remove the uploaded files."""
        self._store.cleanup()
