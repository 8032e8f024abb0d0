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

from workflow.errors import StateError
from workflow.ledger import Beats, Ledger, give_sign, join, leave, signs, strains, strike_off
from workflow.model import Strain, Submission, Worker

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


class Rate(Protocol):
    """How fast this process asks the cloud."""

    def share_rate(self, among: int) -> None:
        """Keep to one of so many equal parts."""

    def strain(self) -> Strain:
        """Give what the cloud gave this process to understand."""

    def heed(self, strain: Strain) -> None:
        """Act on what it gave others to understand."""


def news_of_others(before: Mapping[str, int], told: Mapping[str, Strain], me: str) -> Strain:
    """Give what others heard of the cloud since the last look: complaints, and the longest pause.

    `before` are the complaints of each as of then: of one that was not there, none is news.
    """
    others = {name: strain for name, strain in told.items() if name != me}
    fresh = (strain.complaints > before.get(name, strain.complaints) for name, strain in others.items())
    return Strain(sum(fresh), max((strain.pause_seconds for strain in others.values()), default=0.0))


class Crew:
    """This process among all that work on the same ledger."""

    def __init__(
        self,
        ledger: Ledger,
        home: str,
        rate: Rate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._home, self._rate, self._clock = ledger, home, rate, clock
        self._silence = Silence(SILENT_SECONDS)
        self._complaints: Mapping[str, int] = {}
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
            if not give_sign(self._ledger, self.me, self._rate.strain()):
                logger.warning("This stlflow gave no sign of life for a while: it takes part again.")
                self.me = self._join(again=True)
            beats = signs(self._ledger)
            self._share(beats)
            self._heed_others()
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
        self._rate.share_rate(self.among)

    def _heed_others(self) -> None:
        """What the cloud tells one machine is meant for all that ask with the same keys."""
        if self.among > 1:
            told = strains(self._ledger)
            self._rate.heed(news_of_others(self._complaints, told, self.me.name))
            self._complaints = {name: strain.complaints for name, strain in told.items()}
