"""The inbox: hints wake it, sweeps decide, and each file is taken once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from loguru import logger

from workflow.errors import StlflowError
from workflow.intake.claim import claim, give_back
from workflow.intake.gate import GateTimes
from workflow.intake.hints import Hints
from workflow.intake.names import readable
from workflow.intake.settling import Settling, Waiting
from workflow.intake.share import Share
from workflow.intake.sight import Signature, signature_of
from workflow.intake.walk import walk
from workflow.intake.writers import sees_all_writers

_ROUND = 100
"""Files taken in one go, before others may ask what waits."""
_STOP_LOOK_SECONDS = 0.25
_GATHER_SECONDS = 0.02
"""A burst of hints is answered by one round."""
_FAULT_PAUSE_SECONDS = 1.0
_HINTS_RETRY_SECONDS = 60.0
_DEFAULT_TIMES = GateTimes()


class Register(Protocol):
    """What the inbox asks of the ledger. All three may raise StlflowError or OSError."""

    def open(self, path: str) -> int:
        """Begin a submission before its file is touched; gives its number."""

    def claimed(self, number: int, claimed_as: str) -> None:
        """The file stands in processing/ now."""

    def forget(self, number: int) -> None:
        """The file could not be taken after all."""


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
        times: GateTimes = _DEFAULT_TIMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share, self._register, self._times, self._clock = share, register, times, clock
        self._settling = Settling(share.inbox, times, clock)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._hints: Hints | None = None
        self._hints_retry_at = clock()
        self._next_walk = clock()
        self._there: tuple[int, int] | None = None
        self._lost = False
        self._unrecorded: dict[int, str] = {}
        self._record_trouble = False
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
            self._stop_hints()

    def sweep_once(self) -> SweepResult:
        """Look through the inbox once, now, and take what is ready."""
        with self._lock:
            self._walk()
            taken = tuple(path for path, seen in self._settling.ready() if self._take(path, seen))
            return SweepResult(
                tuple(map(readable, taken)), self._settling.waiting(), self._settling.next_due()
            )

    def waiting(self) -> tuple[Waiting, ...]:
        """Give what is in the inbox and not taken yet, and why."""
        with self._lock:
            return self._settling.waiting()

    def idle(self) -> bool:
        """Tell, by a fresh look, whether nothing is left in the inbox that will be taken."""
        with self._lock:
            try:
                paths = walk(self._share.inbox).paths
            except OSError:
                return False
            return not self._unrecorded and all(map(self._settling.is_left_alone, paths))

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
            heard = self._hints.heard() if self._hints else None
            if self._clock() >= self._next_walk or (heard and heard.everywhere):
                self._walk()
                self._listen()
                self._next_walk = self._clock() + self._times.sweep_seconds
            if heard and not self._lost:
                self._settling.heard(heard.closed)
            for path, seen in islice(self._settling.ready(), _ROUND):
                self._take(path, seen)
            due = min(self._settling.next_due() or self._next_walk, self._next_walk)
            return max(0.0, due - self._clock())

    def _walk(self) -> None:
        self._record_the_rest()
        try:
            found = walk(self._share.inbox)
            here = self._share.inbox.stat()
        except OSError as error:
            self._share_lost(error)
            return
        self._share_there((here.st_dev, here.st_ino))
        self._settling.found(found.paths)
        for folder in found.unreadable.keys() - self._unreadable:
            logger.warning("The folder {} can't be read: {}.", readable(folder), found.unreadable[folder])
        self._unreadable = frozenset(found.unreadable)

    def _share_lost(self, error: OSError) -> None:
        if not self._lost:
            logger.warning(
                "Share lost: {}: {}. Everything waits.", self._share.inbox, error.strerror or error
            )
        self._lost, self._there = True, None
        self._settling.forget_all()
        self._stop_hints()

    def _share_there(self, identity: tuple[int, int]) -> None:
        if self._there == identity:
            return
        if self._lost:
            logger.info("Share back: {}.", self._share.inbox)
        self._lost, self._there = False, identity
        self._settling.forget_all()
        self._settling.sees_writers = sees_all_writers(self._share.inbox)
        self._stop_hints()

    # -- hints ----------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Make sure that hints come, if the system gives any; without them sweeps do it alone."""
        if self._lost or (self._hints and self._hints.is_listening()) or self._clock() < self._hints_retry_at:
            return
        self._stop_hints()
        hints = Hints(self._share.inbox, self._wake.set)
        try:
            hints.start()
        except OSError as error:
            self._hints_retry_at = self._clock() + _HINTS_RETRY_SECONDS
            logger.info(
                "No notices of changes from the system ({}): the inbox is looked through every {:g} s.",
                error.strerror or error, self._times.sweep_seconds,
            )  # fmt: skip
        else:
            self._hints = hints

    def _stop_hints(self) -> None:
        if self._hints is not None:
            self._hints.stop()
            self._hints = None
        self._hints_retry_at = self._clock()

    # -- taking a file --------------------------------------------------------------------------

    def _take(self, path: str, seen: Signature) -> bool:
        """Open a submission, then move the file: a crash in between leaves the file where it was."""
        try:
            number = self._register.open(readable(path))
        except (StlflowError, OSError) as error:
            self._settling.put_off(path, _reason(error))
            return False
        try:
            claimed_as = claim(self._share, path, number)
        except OSError as error:
            self._forget(number)
            self._settling.put_off(path, _reason(error))
            return False
        self._settling.forget(path)
        if claimed_as is None or self._swapped(path, claimed_as, seen):
            self._forget(number)
            return False
        self._unrecorded[number] = claimed_as
        self._record(number)
        return True

    def _swapped(self, path: str, claimed_as: str, seen: Signature) -> bool:
        """Tell whether another file took the name since the look; that one settles in the inbox first."""
        try:
            taken = signature_of((self._share.root / claimed_as).lstat())
            expected = seen._replace(ctime_ns=taken.ctime_ns)  # the rename itself changes it
            same = expected in {taken, taken._replace(inode=0)}  # 0: a mount, where inodes mean nothing
            return not same and give_back(self._share, claimed_as, path)
        except OSError:
            return False

    def _record(self, number: int) -> None:
        try:
            self._register.claimed(number, self._unrecorded[number])
        except (StlflowError, OSError) as error:
            if not self._record_trouble:
                logger.warning(
                    "Submission {} is taken, but can't be written down yet: {}.", number, _reason(error)
                )
            self._record_trouble = True
        else:
            del self._unrecorded[number]
            self._record_trouble = False

    def _record_the_rest(self) -> None:
        """Write down claims that could not be written down when they were made."""
        for number in tuple(self._unrecorded):
            self._record(number)

    def _forget(self, number: int) -> None:
        try:
            self._register.forget(number)
        except (StlflowError, OSError) as error:
            logger.debug("Submission {} was not forgotten: {}", number, _reason(error))


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text.rstrip(".")
