"""This worker's heartbeat, and the failure detector for the others.

A worker whose heartbeat has not changed for a while *of our own undisturbed watching* is removed, which frees
its jobs. A database that can't be reached proves no death: everything seen is
forgotten then. A removed worker that is alive registers again under a new name; its steps have other
turns by then, and it can change nothing of them.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Protocol

from loguru import logger

from workflow.errors import StateFolderError, catch_faults
from workflow.ledger import (
    CLOCK,
    Heartbeats,
    Ledger,
    deregister_worker,
    list_stray_queue_workers,
    read_backpressure,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    remove_queue_workers,
    send_heartbeat,
)
from workflow.model import Backpressure, CloudVitals, Worker, WorkerVitals

HEARTBEAT_SECONDS = 2.0
SOLE_HEARTBEAT_SECONDS = 10.0
"""On SQLite nobody takes over: the heartbeat only shows people that this process is alive."""
HEARTBEAT_TIMEOUT_SECONDS = 8.0
"""With the rhythm of heartbeats and audits: steps are taken over about ten seconds after a kill -9."""


@dataclass
class FailureDetector:
    """How long each worker has sent no new heartbeat, by a steady clock."""

    limit_seconds: float
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict)

    def find_silent(self, now: float, beats: Heartbeats) -> tuple[str, ...]:
        """Record what was seen now; return the workers silent for longer than the limit."""
        self._seen = {
            name: seen if (seen := self._seen.get(name)) and seen[0] == beat else (beat, now)
            for name, beat in beats.items()
        }
        return tuple(name for name, (_, since) in self._seen.items() if now - since > self.limit_seconds)

    def reset(self) -> None:
        """Forget everything: nothing could be seen for a while."""
        self._seen.clear()


class SharedRateLimit(Protocol):
    """How fast this process asks the cloud."""

    def share_rate(self, among: int) -> None:
        """Use one of `among` equal parts of the rate."""

    def strain(self) -> Backpressure:
        """Return the complaints and pauses that the cloud sent to this process."""

    def apply_backpressure(self, strain: Backpressure) -> None:
        """Act on the complaints and pauses that it sent to others."""


def new_backpressure(before: Mapping[str, int], told: Mapping[str, Backpressure], me: str) -> Backpressure:
    """Return what others heard from the cloud since the last heartbeat: complaints, and the longest pause.

    `before` are the complaints of each worker as of then; those of a worker that was not there are not new.
    """
    others = {name: strain for name, strain in told.items() if name != me}
    fresh = (strain.complaints > before.get(name, strain.complaints) for name, strain in others.items())
    return Backpressure(sum(fresh), max((strain.pause_seconds for strain in others.values()), default=0.0))


class Heartbeat:
    """This process among all that work on the same ledger."""

    def __init__(
        self,
        ledger: Ledger,
        home: str,
        rate: SharedRateLimit,
        clock: Callable[[], float] = time.monotonic,
        on_removed: Callable[[], None] = lambda: None,
        cloud: Callable[[], CloudVitals] = CloudVitals,
        hanging: Callable[[], str] = str,
    ) -> None:
        self._ledger, self._home, self._rate, self._clock = ledger, home, rate, clock
        self._on_removed, self._cloud, self._hanging = on_removed, cloud, hanging
        self._scanned_at: float | None = None
        self._detector = FailureDetector(HEARTBEAT_TIMEOUT_SECONDS)
        self._stray_detector = FailureDetector(HEARTBEAT_TIMEOUT_SECONDS)
        self._queue_workers: frozenset[int] = frozenset()
        self._complaints: Mapping[str, int] = {}
        self.among = 1
        """How many workers take part, as of the last heartbeat."""
        self.is_first = True
        """Whether this worker does what only one of them may do, as of the last heartbeat."""
        self.me: Worker
        self._register()

    def run(self, stop: threading.Event) -> None:
        """Send heartbeats and watch the others until told to stop."""
        shared = not self._ledger.url.startswith("sqlite")
        while not stop.wait(HEARTBEAT_SECONDS if shared else SOLE_HEARTBEAT_SECONDS):
            catch_faults(self.beat, self._log_fault)  # without heartbeats others would take us for dead

    def beat(self) -> None:
        """Send one heartbeat and check those of the others; a database that can't be reached does no harm."""
        try:
            vitals = WorkerVitals(self._cloud(), self._scanned_at, self._hanging())
            self.me = replace(self.me, queue_workers=tuple(self._queue_workers), vitals=vitals)
            if not send_heartbeat(self._ledger, self.me, self._rate.strain()):
                logger.warning("This stlflow sent no heartbeat for a while: it takes part again.")
                self._register(again=True)
            beats = read_heartbeats(self._ledger)
            self._update_place(beats)
            self._apply_backpressure_of_others()
            for name in self._detector.find_silent(self._clock(), beats):
                if name != self.me.name and remove_dead_worker(self._ledger, name, beats[name]):
                    logger.warning("{} sends no heartbeat: its submissions are taken over.", name)
                    self._on_removed()
            self._remove_stray_queue_workers()
        except StateFolderError as error:
            self._reset()
            logger.debug("{}", error)

    def _log_fault(self, fault: Exception) -> None:
        self._reset()
        logger.opt(exception=fault).error("A fault of stlflow while sending a heartbeat: {}", fault)

    def note_scan(self) -> None:
        """Say with the next heartbeat that the inbox was scanned just now."""
        self._scanned_at = CLOCK.seconds()

    def set_queue_workers(self, workers: frozenset[int]) -> None:
        """Use the ids that procrastinate gave this process from the next heartbeat on."""
        self._queue_workers = workers

    def deregister(self) -> None:
        """Leave: what is left undone is free for others at once. Raises StateFolderError."""
        deregister_worker(self._ledger, replace(self.me, queue_workers=tuple(self._queue_workers)))

    def _remove_stray_queue_workers(self) -> None:
        """Remove workers of procrastinate's that have belonged to no running stlflow for a while."""
        strays = {str(each): 0.0 for each in list_stray_queue_workers(self._ledger) - self._queue_workers}
        if silent := self._stray_detector.find_silent(self._clock(), strays):
            remove_queue_workers(self._ledger, [int(each) for each in silent])
            self._on_removed()

    def _reset(self) -> None:
        self._detector.reset()
        self._stray_detector.reset()

    def _register(self, *, again: bool = False) -> None:
        host, release = socket.gethostname(), version("stlflow")
        self.me = register_worker(self._ledger, self._home, host, os.getpid(), release, again=again)
        self._update_place(read_heartbeats(self._ledger))

    def _update_place(self, beats: Heartbeats) -> None:
        self.among, self.is_first = max(len(beats), 1), self.me.name == min(beats, default=self.me.name)
        self._rate.share_rate(self.among)

    def _apply_backpressure_of_others(self) -> None:
        """Act on what the cloud told others: it is meant for all that use the same keys."""
        if self.among > 1:
            told = read_backpressure(self._ledger)
            self._rate.apply_backpressure(new_backpressure(self._complaints, told, self.me.name))
            self._complaints = {name: strain.complaints for name, strain in told.items()}
