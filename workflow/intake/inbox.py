"""The inbox: hints wake it, sweeps decide, and each file is taken once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from loguru import logger

from workflow.errors import ShareError, StlflowError
from workflow.intake.arrivals import ArrivalLimit
from workflow.intake.gate import GateTimes
from workflow.intake.guard import IN_A_CROWD, Guard, Waitlist
from workflow.intake.leaving import Leaving, LeftRegister
from workflow.intake.listening import Listening
from workflow.intake.names import readable
from workflow.intake.settling import Settling, Waiting
from workflow.intake.share import Share
from workflow.intake.sight import Signature
from workflow.intake.strangers import Strangers
from workflow.intake.taking import CantTake, Register, Taking, in_words
from workflow.intake.walk import Walk, walk
from workflow.intake.writers import LOCAL_FILE_SYSTEMS, file_system, sees_all_writers

_ROUND = 100
"""Files taken in one go, before others may ask what waits."""
_STOP_LOOK_SECONDS = 1.0
"""How soon a stop is seen that nobody woke us for."""
_GATHER_SECONDS = 0.02
"""A burst of hints is answered by one round."""
_FAULT_PAUSE_SECONDS = 1.0
_REST_PER_WORK = 100
"""After a walk the inbox rests so much longer than the walk has worked: one percent of a core at most."""
_LONGEST_REST_SECONDS = 60.0
_DEFAULT_TIMES = GateTimes()
_NO_LIMIT = ArrivalLimit()


class Desk(Waitlist, Protocol):
    """Who hears of what is not taken. All may raise StlflowError or OSError."""

    def share_back(self) -> None:
        """The share is there, at the start or again: claims that a crash cut off are looked for."""

    def stranger(self, path: str, why: str) -> None:
        """A file that is none of ours has been in the inbox for a while."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one sweep did: paths taken, what waits, and when the next look is due (None: nothing waits)."""

    claimed: tuple[str, ...]
    waiting: tuple[Waiting, ...]
    next_look: float | None


class Inbox:
    """Takes every part file of a share's inbox once it is complete."""

    def __init__(
        self,
        share: Share,
        register: Register,
        *,
        left: LeftRegister | None = None,
        desk: Desk | None = None,
        times: GateTimes = _DEFAULT_TIMES,
        limit: ArrivalLimit = _NO_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share, self._desk, self._times, self._clock = share, desk, times, clock
        self._taking = Taking(share, register) if left is None else Leaving(share, left)
        self._settling = Settling(share.inbox, times, clock)
        self._guard = Guard(limit, desk)
        self._strangers = Strangers(times.stranger_seconds)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._listening = Listening(share.inbox, self._wake.set, clock, may_write=left is None)
        self._kind: str | None = None
        self._next_walk = clock()
        self._there: tuple[int, int] | None = None
        self._lost = False
        self._troubled = False
        self._unreadable: frozenset[str] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Take files until `stop` is set; outlives a vanished share, full disks and faults."""
        try:
            while not stop.is_set():
                pause = self._careful_round()
                if self._wake.wait(min(pause, _STOP_LOOK_SECONDS)):
                    stop.wait(_GATHER_SECONDS)
                    self._wake.clear()
        finally:
            self._listening.stop()

    def wake(self) -> None:
        """Look at once: there is news, or the end has come."""
        self._wake.set()

    def sweep_once(self) -> SweepResult:
        """Look through the inbox once, now, and take what is ready."""
        with self._lock:
            self._walk()
            taken = tuple(path for path, seen in self._settling.ready() if self._take(path, seen))
            return SweepResult(tuple(map(readable, taken)), self._waiting(), self._settling.next_due())

    def waiting(self) -> tuple[Waiting, ...]:
        """Give what is in the inbox and not taken yet, and why."""
        with self._lock:
            return self._waiting()

    def idle(self) -> bool:
        """Tell, by a fresh look, whether nothing is left in the inbox that will be taken."""
        with self._lock:
            try:
                paths = self._taking.news(walk(self._share.inbox).paths)
            except (StlflowError, OSError):
                return False
            coming = paths - set(self._guard.waiting())
            return self._taking.record_the_rest() and all(map(self._settling.is_left_alone, coming))

    # -- one round ------------------------------------------------------------------------------

    def _careful_round(self) -> float:
        try:
            return self._round()
        except Exception:  # noqa: BLE001  # the loop's edge: a fault with one file must not stop the others
            logger.exception("The inbox could not be looked through; it is tried again.")
            return _FAULT_PAUSE_SECONDS

    def _round(self) -> float:
        """Do what is due; gives the seconds until something is due again."""
        with self._lock:
            heard = self._listening.heard()
            if self._clock() >= self._next_walk or (heard and heard.everywhere):
                worked = time.thread_time()
                self._walk()
                if not self._lost:
                    self._listening.keep(self._kind, self._sweep_seconds())
                worked = time.thread_time() - worked
                rest = min(_REST_PER_WORK * worked, _LONGEST_REST_SECONDS)
                self._next_walk = self._clock() + max(self._sweep_seconds(), rest)
            if heard and not self._lost:
                self._arrive(self._settling.unknown(heard.closed))
                self._settling.heard(heard.without(self._guard.waiting()))
            for path, seen in islice(self._settling.ready(), _ROUND):
                self._take(path, seen)
            due = min(self._settling.next_due() or self._next_walk, self._next_walk)
            return max(0.0, due - self._clock())

    def _sweep_seconds(self) -> float:
        local = self._kind is None or self._kind in LOCAL_FILE_SYSTEMS
        return self._times.sweep_seconds if local else self._times.network_sweep_seconds

    def _walk(self) -> None:
        """Look through the whole inbox, if the share is there."""
        try:
            if (absence := self._share.absence()) is not None:
                self._share_lost(absence)
                return
            self._come_to()
            found = walk(self._share.inbox)
            self._sort(found, self._taking.news(found.paths))
        except OSError as error:
            self._share_lost(f"{self._share.inbox}: {in_words(error)}")
        except ShareError as error:
            self._share_lost(in_words(error))
        except StlflowError as error:
            self._say_trouble(in_words(error))
        else:
            self._troubled = False

    def _sort(self, found: Walk, news: frozenset[str]) -> None:
        """Hand on what a walk found: new files settle or wait for a person, strangers get a note."""
        self._taking.record_the_rest()
        self._guard.look(news)
        self._arrive(self._settling.unknown(news))
        self._settling.found(news.difference(self._guard.waiting()))
        self._strangers.found(found.strangers, self._clock())
        if self._desk is not None:
            for path, why in self._strangers.due(self._clock()):
                self._desk.stranger(path, why)
        for folder in found.unreadable.keys() - self._unreadable:
            logger.warning("The folder {} can't be read: {}.", readable(folder), found.unreadable[folder])
        self._unreadable = frozenset(found.unreadable)

    def _arrive(self, paths: frozenset[str]) -> None:
        for path in self._guard.arrive(paths, self._clock()):
            self._settling.forget(path)

    def _share_lost(self, why: str) -> None:
        if not self._lost:
            logger.warning("Share lost: {}. Everything waits.", why)
        self._lost, self._there = True, None
        self._settling.forget_all()
        self._listening.stop()

    def _say_trouble(self, why: str) -> None:
        if not self._troubled:
            logger.warning("The inbox waits: {}.", why)
        self._troubled = True

    def _come_to(self) -> None:
        """Begin anew in a share that is there for the first time, or again. Raises StlflowError, OSError."""
        if self._there is None and self._share.marker:
            self._share.prepare()
        here = self._share.inbox.stat()
        if self._there == (here.st_dev, here.st_ino):
            return
        self._taking.record_the_rest()
        if self._desk is not None:
            self._desk.share_back()
        self._guard.begin()
        if self._lost:
            logger.info("Share back: {}.", self._share.inbox)
        self._lost, self._there = False, (here.st_dev, here.st_ino)
        self._settling.forget_all()
        self._kind = file_system(self._share.inbox)
        self._settling.sees_writers = sees_all_writers(self._share.inbox)
        self._listening.stop()

    # -- taking a file --------------------------------------------------------------------------

    def _waiting(self) -> tuple[Waiting, ...]:
        crowd = (
            Waiting(readable(path), IN_A_CROWD, self._next_walk) for path in sorted(self._guard.waiting())
        )
        return (*self._settling.waiting(), *crowd)

    def _take(self, path: str, seen: Signature) -> bool:
        try:
            taken = self._taking.take(path, seen)
        except CantTake as trouble:
            self._settling.put_off(path, str(trouble))
            return False
        self._settling.forget(path)
        self._guard.taken(path)
        return taken
