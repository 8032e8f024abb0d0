"""The inbox: events wake it, scans decide, and each file is taken once."""

import threading
import time
from collections.abc import Callable
from itertools import islice

from loguru import logger

from workflow.errors import ShareError, StlflowError, catch_faults, error_reason
from workflow.intake.claim import FileClaimer, FileTaker, IntakeStore, NotTakenYet
from workflow.intake.completeness import FileSignature
from workflow.intake.events import FolderWatcher
from workflow.intake.explain import NoteSchedule
from workflow.intake.filenames import printable_path
from workflow.intake.mass_arrival import MASS_ARRIVAL_REASON, MassArrivalGuard, MassArrivalLimit
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS, file_system_type, sees_all_writers
from workflow.intake.read_only import InPlaceSubmitter
from workflow.intake.scan import InboxScan, scan_inbox
from workflow.intake.share import Share
from workflow.intake.stability import StabilityTimes
from workflow.intake.stability_tracker import StabilityTracker, WaitingFile

_BATCH_FILES = 20
"""Files taken in one go: their submissions are opened together, and others wait who ask what is there."""
_STOP_POLL_SECONDS = 5.0
"""How soon a stop is seen that did not wake the inbox. The service does."""
_DEBOUNCE_SECONDS = 0.02
"""A burst of events is answered by one round."""
_FAULT_PAUSE_SECONDS = 1.0
_REST_PER_WORK, _REST_WITH_EVENTS = 100, 400
"""The inbox rests this many times as long as a scan has worked: one percent of a core at most, and a quarter
where the system tells of new files: there a scan only finds what was not told."""
_LONGEST_REST_SECONDS = 60.0
_DEFAULT_TIMES = StabilityTimes()
_NO_LIMIT = MassArrivalLimit()


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
        self._claimer = taking or (FileClaimer(share, store) if moves else InPlaceSubmitter(share, store))
        self._tracker = StabilityTracker(share.inbox, times, clock)
        self._mass_arrival = MassArrivalGuard(limit, store)
        self._notes = NoteSchedule(times.stranger_seconds)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watcher = FolderWatcher(share.inbox, self._wake.set, clock, may_write=moves)
        self._kind: str | None = None
        self._next_scan = clock()
        self._there: tuple[int, int] | None = None
        self._lost = False
        self._troubled = False
        self._unreadable: frozenset[str] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Take files until `stop` is set; outlives a vanished share, full disks and faults."""
        try:
            while not stop.is_set():
                pause = catch_faults(self._do_due_work, self._pause_after_fault)
                if self._wake.wait(min(pause, _STOP_POLL_SECONDS)):
                    stop.wait(_DEBOUNCE_SECONDS)
                    self._wake.clear()
        finally:
            self._watcher.stop()

    def wake(self) -> None:
        """Begin the next round at once: something happened, or the service stops."""
        self._wake.set()

    def waiting(self) -> tuple[WaitingFile, ...]:
        """Return what is in the inbox and not taken yet, and why; any thread may ask."""
        with self._lock:
            held = (
                WaitingFile(printable_path(path), MASS_ARRIVAL_REASON, self._next_scan)
                for path in sorted(self._mass_arrival.waiting)
            )
            return (*self._tracker.waiting().values(), *held)

    # -- one round ------------------------------------------------------------------------------

    def _pause_after_fault(self, fault: Exception) -> float:
        logger.opt(exception=fault).error("The inbox could not be scanned; it is tried again.")
        return _FAULT_PAUSE_SECONDS

    def _do_due_work(self) -> float:
        """Do what is due; return the seconds until something is due again."""
        events = self._watcher.take_events()
        if self._clock() >= self._next_scan or (events and events.everywhere):
            worked = time.thread_time()
            self.scan()
            if not self._lost:
                self._watcher.ensure_watching(self._kind, self._scan_interval_seconds())
            worked = time.thread_time() - worked
            per_work = _REST_WITH_EVENTS if self._watcher.is_watching() else _REST_PER_WORK
            rest = min(per_work * worked, _LONGEST_REST_SECONDS)
            self._next_scan = self._clock() + max(self._scan_interval_seconds(), rest)
        if events and not self._lost:
            with self._lock:
                self._hold_mass_arrival(self._tracker.untracked_paths(events.closed))
                self._tracker.update_from_events(events.without(self._mass_arrival.waiting))
        self.take_stable_files()
        due = min(self._tracker.next_due() or self._next_scan, self._next_scan)
        return max(0.0, due - self._clock())

    def scan(self) -> None:
        """Find what is new in the inbox and what is gone, if the share is there."""
        with self._lock:
            self._scan_share()

    def take_stable_files(self) -> tuple[str, ...]:
        """Check the files that are due, take those that are stable, and return their paths."""
        with self._lock:
            stable = dict(islice(self._tracker.find_stable_files(), _BATCH_FILES))
            try:
                self._claimer.prepare(tuple(stable))
            except NotTakenYet as trouble:
                for path in stable:
                    self._tracker.postpone(path, str(trouble))
                return ()
            taken = (path for path, seen in stable.items() if self._submit_file(path, seen))
            return tuple(map(printable_path, taken))

    def _scan_interval_seconds(self) -> float:
        local = self._kind is None or self._kind in LOCAL_FILE_SYSTEMS
        return self._times.sweep_seconds if local else self._times.network_sweep_seconds

    def _scan_share(self) -> None:
        try:
            if (absence := self._share.absence_reason()) is not None:
                self._mark_share_lost(absence)
                return
            self._attach_share()
            found = scan_inbox(self._share.inbox)
            self._apply_scan(found, self._claimer.new_paths(found.paths))
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
        self._claimer.record_pending_claims()
        self._mass_arrival.update_from_scan(news)
        self._hold_mass_arrival(self._tracker.untracked_paths(news))
        self._tracker.update_from_scan(news.difference(self._mass_arrival.waiting))
        now = self._clock()
        self._store.on_scan(found, self._notes.update(found, self._tracker.stuck(), now))
        for path, why in self._notes.due(now):
            self._store.on_untaken_file(path, why)
        for folder in found.unreadable.keys() - self._unreadable:
            logger.warning(
                "The folder {} can't be read: {}.", printable_path(folder), found.unreadable[folder]
            )
        self._unreadable = frozenset(found.unreadable)

    def _hold_mass_arrival(self, paths: frozenset[str]) -> None:
        for path in self._mass_arrival.arrive(paths, self._clock()):
            self._tracker.untrack(path)

    def _mark_share_lost(self, why: str) -> None:
        if not self._lost:
            logger.warning("Share lost: {}. Everything waits.", why)
        self._lost, self._there = True, None
        self._tracker.untrack_all()
        self._watcher.stop()

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
        self._claimer.record_pending_claims()
        self._store.on_share_available()
        self._mass_arrival.begin()
        if self._lost:
            logger.info("Share back: {}.", self._share.inbox)
        self._lost, self._there = False, (here.st_dev, here.st_ino)
        self._tracker.untrack_all()
        self._kind = file_system_type(self._share.inbox)
        self._tracker.sees_writers = sees_all_writers(self._share.inbox)
        self._watcher.stop()

    # -- taking a file --------------------------------------------------------------------------

    def _submit_file(self, path: str, seen: FileSignature) -> bool:
        try:
            taken = self._claimer.submit_file(path, seen)
        except NotTakenYet as trouble:
            self._tracker.postpone(path, str(trouble))
            return False
        self._tracker.untrack(path)
        self._mass_arrival.taken(path)
        return taken
