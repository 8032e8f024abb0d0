"""The crew: this worker's sign of life, and an eye on the others.

A worker whose sign has not changed for a while *of our own undisturbed looking* is struck off, and its
steps begin anew elsewhere. A database that can't be reached is nobody's death: all that was seen is
forgotten then. A worker that was struck off and lives joins again under a new name; what it still had
in hands belongs to another turn by now, and it can change nothing of it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Protocol

from loguru import logger

from workflow.errors import StateFolderError
from workflow.ledger import (
    Heartbeats,
    Ledger,
    deregister_worker,
    read_backpressure,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    send_heartbeat,
)
from workflow.model import Backpressure, Submission, Worker

HEARTBEAT_SECONDS = 2.0
SOLE_HEARTBEAT_SECONDS = 10.0
"""On SQLite nobody takes over: the heartbeat only shows people that this process is alive."""
HEARTBEAT_TIMEOUT_SECONDS = 8.0
"""With the sign's rhythm and a look at the ledger: taken over some ten seconds after a kill -9."""


@dataclass
class FailureDetector:
    """How long each worker has given no new sign, by a steady clock; pure but for what it remembers."""

    limit_seconds: float
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def heard(self, now: float, beats: Heartbeats) -> tuple[str, ...]:
        """Take in what was seen now; gives the names of those silent for longer than the limit."""
        self._seen = {
            name: seen if (seen := self._seen.get(name)) and seen[0] == beat else (beat, now)
            for name, beat in beats.items()
        }
        return tuple(name for name, (_, since) in self._seen.items() if now - since > self.limit_seconds)

    def reset(self) -> None:
        """Nothing could be seen for a while: begin anew."""
        self._seen.clear()


class SharedRateLimit(Protocol):
    """How fast this process asks the cloud."""

    def share_rate(self, among: int) -> None:
        """Keep to one of so many equal parts."""

    def strain(self) -> Backpressure:
        """Give what the cloud gave this process to understand."""

    def apply_backpressure(self, strain: Backpressure) -> None:
        """Act on what it gave others to understand."""


def new_backpressure(before: Mapping[str, int], told: Mapping[str, Backpressure], me: str) -> Backpressure:
    """Give what others heard of the cloud since the last look: complaints, and the longest pause.

    `before` are the complaints of each as of then: of one that was not there, none is news.
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
    ) -> None:
        self._ledger, self._home, self._rate, self._clock = ledger, home, rate, clock
        self._stop_watcher = FailureDetector(HEARTBEAT_TIMEOUT_SECONDS)
        self._complaints: Mapping[str, int] = {}
        self.among = 1
        """How many take part, as of the last look."""
        self.me = self._register()

    def run(self, stop: threading.Event) -> None:
        """Give signs and watch until told to stop."""
        shared = not self._ledger.url.startswith("sqlite")
        while not stop.wait(HEARTBEAT_SECONDS if shared else SOLE_HEARTBEAT_SECONDS):
            self.look()

    def look(self) -> None:
        """Give one sign and look at the others' once; outlives a database that can't be reached."""
        try:
            if not send_heartbeat(self._ledger, self.me, self._rate.strain()):
                logger.warning("This stlflow gave no sign of life for a while: it takes part again.")
                self.me = self._register(again=True)
            beats = read_heartbeats(self._ledger)
            self._update_rate_share(beats)
            self._apply_backpressure_of_others()
            for name in self._stop_watcher.heard(self._clock(), beats):
                if name != self.me.name and remove_dead_worker(self._ledger, name, beats[name]):
                    logger.warning("{} gives no sign of life: its submissions are taken over.", name)
        except StateFolderError as error:
            self._stop_watcher.reset()
            logger.debug("{}", error)
        except Exception as fault:  # noqa: BLE001  # the crew's edge: without signs others would take us for dead
            self._stop_watcher.reset()
            logger.opt(exception=True).error("A fault of stlflow while giving a sign of life: {}", fault)

    def deregister(self) -> tuple[Submission, ...]:
        """Take part no longer; gives what had to be left undone. Raises StateError."""
        return deregister_worker(self._ledger, self.me)

    def _register(self, *, again: bool = False) -> Worker:
        host, release = socket.gethostname(), version("stlflow")
        me = register_worker(self._ledger, self._home, host, os.getpid(), release, again=again)
        self._update_rate_share(read_heartbeats(self._ledger))
        return me

    def _update_rate_share(self, beats: Heartbeats) -> None:
        self.among = max(len(beats), 1)
        self._rate.share_rate(self.among)

    def _apply_backpressure_of_others(self) -> None:
        """What the cloud tells one machine is meant for all that ask with the same keys."""
        if self.among > 1:
            told = read_backpressure(self._ledger)
            self._rate.apply_backpressure(new_backpressure(self._complaints, told, self.me.name))
            self._complaints = {name: strain.complaints for name, strain in told.items()}
