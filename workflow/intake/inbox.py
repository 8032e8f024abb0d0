"""The inbox: events wake it, scans decide, and each file is taken once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from loguru import logger

from workflow.errors import ShareError, StlflowError, error_reason
from workflow.intake.claim import FileClaimer, FileTaker, IntakeStore, NotTakenYet
from workflow.intake.completeness import FileSignature
from workflow.intake.events import WatcherSupervisor
from workflow.intake.explain import NoteSchedule
from workflow.intake.filenames import printable_path
from workflow.intake.mass_arrival import MASS_ARRIVAL_REASON, MassArrivalGuard, MassArrivalLimit
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS, file_system_type, sees_all_writers
from workflow.intake.read_only import InPlaceSubmitter
from workflow.intake.scan import InboxScan, scan_inbox
from workflow.intake.share import Share
from workflow.intake.stability import StabilityTimes
from workflow.intake.stability_tracker import StabilityTracker, WaitingFile

_BATCH_FILES = 100
"""Files taken in one go, before others may ask what waits."""
_STOP_POLL_SECONDS = 1.0
"""How soon a stop is seen that nobody woke us for."""
_DEBOUNCE_SECONDS = 0.02
"""A burst of hints is answered by one round."""
_FAULT_PAUSE_SECONDS = 1.0
_REST_PER_WORK = 100
"""After a walk the inbox rests so much longer than the walk has worked: one percent of a core at most."""
_LONGEST_REST_SECONDS = 60.0
_DEFAULT_TIMES = StabilityTimes()
_NO_LIMIT = MassArrivalLimit()


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one sweep did: paths taken, what waits, and when the next look is due (None: nothing waits)."""

    claimed: tuple[str, ...]
    waiting: tuple[WaitingFile, ...]
    next_look: float | None


class Inbox:
    """Takes every part file of a share's inbox once it is complete."""

    def __init__(
        self,
        share: Share,
        store: IntakeStore,
        *,
        times: StabilityTimes = _DEFAULT_TIMES,
        limit: MassArrivalLimit = _NO_LIMIT,
        clock: Callable[[], float] = time.monotonic,
        taking: FileTaker | None = None,
    ) -> None:
        """`taking` takes the files once they are complete; without it, they are claimed, or left in place."""
        self._share, self._store, self._times, self._clock = share, store, times, clock
        moves = share.left_inbox is None
        self._taking = taking or (FileClaimer(share, store) if moves else InPlaceSubmitter(share, store))
        self._settling = StabilityTracker(share.inbox, times, clock)
        self._guard = MassArrivalGuard(limit, store)
        self._notes = NoteSchedule(times.stranger_seconds)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._listening = WatcherSupervisor(share.inbox, self._wake.set, clock, may_write=moves)
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
                pause = self._safe_round()
                if self._wake.wait(min(pause, _STOP_POLL_SECONDS)):
                    stop.wait(_DEBOUNCE_SECONDS)
                    self._wake.clear()
        finally:
            self._listening.stop()

    def wake(self) -> None:
        """Scan at once: something happened, or the service stops."""
        self._wake.set()

    def scan_once(self) -> ScanResult:
        """Scan the inbox once, now, and take what is ready."""
        with self._lock:
            self._scan_share()
            taken = tuple(path for path, seen in self._settling.ready() if self._submit_file(path, seen))
            return ScanResult(
                tuple(map(printable_path, taken)), self._waiting_files(), self._settling.next_due()
            )

    def waiting(self) -> tuple[WaitingFile, ...]:
        """Return what is in the inbox and not taken yet, and why."""
        with self._lock:
            return self._waiting_files()

    def is_idle(self) -> bool:
        """True if a fresh scan finds nothing that will be taken without a person."""
        with self._lock:
            try:
                paths = self._taking.new_paths(scan_inbox(self._share.inbox).paths)
            except (StlflowError, OSError):
                return False
            coming = paths - set(self._guard.waiting)
            return self._taking.record_pending_claims() and all(map(self._settling.is_never_taken, coming))

    # -- one round ------------------------------------------------------------------------------

    def _safe_round(self) -> float:
        try:
            return self._do_due_work()
        except Exception:  # noqa: BLE001  # the loop's edge: a fault with one file must not stop the others
            logger.exception("The inbox could not be scanned; it is tried again.")
            return _FAULT_PAUSE_SECONDS

    def _do_due_work(self) -> float:
        """Do what is due; return the seconds until something is due again."""
        with self._lock:
            heard = self._listening.heard()
            if self._clock() >= self._next_walk or (heard and heard.everywhere):
                worked = time.thread_time()
                self._scan_share()
                if not self._lost:
                    self._listening.ensure_watching(self._kind, self._scan_interval_seconds())
                worked = time.thread_time() - worked
                rest = min(_REST_PER_WORK * worked, _LONGEST_REST_SECONDS)
                self._next_walk = self._clock() + max(self._scan_interval_seconds(), rest)
            if heard and not self._lost:
                self._hold_mass_arrival(self._settling.untracked_paths(heard.closed))
                self._settling.heard(heard.without(self._guard.waiting))
            for path, seen in islice(self._settling.ready(), _BATCH_FILES):
                self._submit_file(path, seen)
            due = min(self._settling.next_due() or self._next_walk, self._next_walk)
            return max(0.0, due - self._clock())

    def _scan_interval_seconds(self) -> float:
        local = self._kind is None or self._kind in LOCAL_FILE_SYSTEMS
        return self._times.sweep_seconds if local else self._times.network_sweep_seconds

    def _scan_share(self) -> None:
        """Scan the whole inbox, if the share is there."""
        try:
            if (absence := self._share.absence_reason()) is not None:
                self._mark_share_lost(absence)
                return
            self._attach_share()
            found = scan_inbox(self._share.inbox)
            self._apply_scan(found, self._taking.new_paths(found.paths))
        except OSError as error:
            self._mark_share_lost(f"{self._share.inbox}: {error_reason(error)}")
        except ShareError as error:
            self._mark_share_lost(error_reason(error))
        except StlflowError as error:
            self._say_trouble(error_reason(error))
        else:
            self._troubled = False

    def _apply_scan(self, found: InboxScan, news: frozenset[str]) -> None:
        """Pass on what a scan found: new files settle or wait for a person, other files get a note."""
        self._taking.record_pending_claims()
        self._guard.update_from_scan(news)
        self._hold_mass_arrival(self._settling.untracked_paths(news))
        self._settling.update_from_scan(news.difference(self._guard.waiting))
        now = self._clock()
        self._store.on_scan(found, self._notes.update(found, self._settling.stuck(), now))
        for path, why in self._notes.due(now):
            self._store.on_untaken_file(path, why)
        for folder in found.unreadable.keys() - self._unreadable:
            logger.warning(
                "The folder {} can't be read: {}.", printable_path(folder), found.unreadable[folder]
            )
        self._unreadable = frozenset(found.unreadable)

    def _hold_mass_arrival(self, paths: frozenset[str]) -> None:
        for path in self._guard.arrive(paths, self._clock()):
            self._settling.forget(path)

    def _mark_share_lost(self, why: str) -> None:
        if not self._lost:
            logger.warning("Share lost: {}. Everything waits.", why)
        self._lost, self._there = True, None
        self._settling.untrack_all()
        self._listening.stop()

    def _say_trouble(self, why: str) -> None:
        if not self._troubled:
            logger.warning("The inbox waits: {}.", why)
        self._troubled = True

    def _attach_share(self) -> None:
        """Start over in a share that is there for the first time, or again. Raises StlflowError, OSError."""
        if self._there is None and self._share.marker:
            self._share.prepare()
        here = self._share.inbox.stat()
        if self._there == (here.st_dev, here.st_ino):
            return
        self._taking.record_pending_claims()
        self._store.on_share_available()
        self._guard.begin()
        if self._lost:
            logger.info("Share back: {}.", self._share.inbox)
        self._lost, self._there = False, (here.st_dev, here.st_ino)
        self._settling.untrack_all()
        self._kind = file_system_type(self._share.inbox)
        self._settling.sees_writers = sees_all_writers(self._share.inbox)
        self._listening.stop()

    # -- taking a file --------------------------------------------------------------------------

    def _waiting_files(self) -> tuple[WaitingFile, ...]:
        set_aside = (
            WaitingFile(printable_path(path), MASS_ARRIVAL_REASON, self._next_walk)
            for path in sorted(self._guard.waiting)
        )
        return (*self._settling.waiting(), *set_aside)

    def _submit_file(self, path: str, seen: FileSignature) -> bool:
        try:
            taken = self._taking.submit_file(path, seen)
        except NotTakenYet as trouble:
            self._settling.postpone(path, str(trouble))
            return False
        self._settling.forget(path)
        self._guard.taken(path)
        return taken
