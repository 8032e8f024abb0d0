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
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from loguru import logger

from workflow.errors import StateError
from workflow.ledger import Beats, Ledger, give_sign, join, leave, signs, strike_off
from workflow.model import Submission, Worker

SIGN_SECONDS = 2.0
SILENT_SECONDS = 8.0
"""With the sign's rhythm and a look at the ledger: taken over some ten seconds after a kill -9."""


@dataclass
class Silence:
    """How long each worker has given no new sign, by a steady clock; pure but for what it remembers."""

    limit_seconds: float
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def heard(self, now: float, beats: Beats) -> tuple[str, ...]:
        """Take in what was seen now; gives the names of those silent for longer than the limit."""
        self._seen = {
            name: seen if (seen := self._seen.get(name)) and seen[0] == beat else (beat, now)
            for name, beat in beats.items()
        }
        return tuple(name for name, (_, since) in self._seen.items() if now - since > self.limit_seconds)

    def disturbed(self) -> None:
        """Nothing could be seen for a while: begin anew."""
        self._seen.clear()


class Crew:
    """This process among all that work on the same ledger."""

    def __init__(
        self,
        ledger: Ledger,
        home: str,
        share_rate: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._home, self._share_rate, self._clock = ledger, home, share_rate, clock
        self._silence = Silence(SILENT_SECONDS)
        self._troubled = False
        self.among = 1
        """How many take part, as of the last look."""
        self.me = self._join()

    def run(self, stop: threading.Event) -> None:
        """Give signs and watch until told to stop."""
        while not stop.wait(SIGN_SECONDS):
            self.look()

    def look(self) -> None:
        """Give one sign and look at the others' once; outlives a database that can't be reached."""
        try:
            if not give_sign(self._ledger, self.me):
                logger.warning("This stlflow gave no sign of life for a while: it takes part again.")
                self.me = self._join(again=True)
            beats = signs(self._ledger)
            self._share(beats)
            for name in self._silence.heard(self._clock(), beats):
                if name != self.me.name and strike_off(self._ledger, name, beats[name]):
                    logger.warning("{} gives no sign of life: its submissions are taken over.", name)
        except StateError as error:
            self._silence.disturbed()
            logger.debug("{}", error)
        except Exception as fault:  # noqa: BLE001  # the crew's edge: without signs others would take us for dead
            self._silence.disturbed()
            logger.opt(exception=True).error("A fault of stlflow while giving a sign of life: {}", fault)

    def leave(self) -> tuple[Submission, ...]:
        """Take part no longer; gives what had to be left undone. Raises StateError."""
        return leave(self._ledger, self.me)

    def _join(self, *, again: bool = False) -> Worker:
        host, release = socket.gethostname(), version("stlflow")
        me = join(self._ledger, self._home, host, os.getpid(), release, again=again)
        self._share(signs(self._ledger))
        return me

    def _share(self, beats: Beats) -> None:
        self.among = max(len(beats), 1)
        self._share_rate(self.among)
