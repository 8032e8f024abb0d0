"""Events of the operating system: something happened in the inbox.

They only wake the scan early. They may be late, lost, repeated or wrong, and nothing depends on them.
"""

import logging
import math
import os
import secrets
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import field, replace
from functools import cache
from pathlib import Path

from loguru import logger
from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from workflow.errors import error_reason
from workflow.frozen import frozen
from workflow.intake.name_patterns import is_part_path
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS

_WATCHED_EVENTS = [
    FileCreatedEvent, FileMovedEvent, FileModifiedEvent, FileClosedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip
"""Not those that our own reading causes. Changes are asked for only to keep two closings apart: inotify(7)
tells one of two equal events that follow each other, and a second session would go unnoticed."""
_STOP_SECONDS = 5.0
_RETRY_SECONDS = 60.0
_SELF_TEST_TIMEOUT_SECONDS = 2.0
"""An event takes less than a millisecond; a system that is silent for so long tells nothing."""
SELF_TEST_PREFIX = ".stlflow-echo-"
"""How the names of self-test files begin, made to see whether events come at all."""


@frozen
class FileEvents:
    """What happened since the last time: paths under the inbox, with how many writers closed each.

    A rename that puts a file in place counts as one that closed it. `born` are those that were made or
    put in place. `everywhere` means that whole folders moved, so the inbox has to be walked.
    """

    closed: Mapping[str, int] = field(default_factory=dict)
    born: frozenset[str] = frozenset()
    everywhere: bool = False

    def without(self, paths: Collection[str]) -> "FileEvents":
        """Leave some paths out."""
        return replace(self, closed={path: n for path, n in self.closed.items() if path not in paths})


logging.getLogger("watchdog").addHandler(logging.NullHandler())
"""Or what its threads say while they end would stand on stderr (logging's last resort)."""


class _LostEventLog(logging.Handler):
    """Overflowed queues and exhausted watches are told in watchdog's log, and nowhere else."""

    def __init__(self, lost: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a warning of watchdog on (called by its threads)."""
        self._lost(record.getMessage())


class _EventCollector(FileSystemEventHandler):
    """Collects the events of the observer's thread until the scan asks."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._prefix = f"{inbox}{os.sep}"
        self._wake = wake
        self._lock = threading.Lock()
        self._closed: Counter[str] = Counter()
        self._born: set[str] = set()
        self._everywhere = False
        self._said_lost = False
        self.seen_self_test = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Record where something happened (called by watchdog)."""
        if isinstance(event, FileModifiedEvent):
            return
        place = os.fsdecode(event.dest_path or event.src_path)
        name = Path(place).name
        self.seen_self_test = self.seen_self_test or name.startswith(SELF_TEST_PREFIX)
        inside = place.startswith(self._prefix)
        path = place.removeprefix(self._prefix).replace(os.sep, "/") if inside else name
        if not event.is_directory and not is_part_path(path):
            return
        with self._lock:
            if event.is_directory or not inside:
                self._everywhere = True
            else:
                self._closed[path] += isinstance(event, FileClosedEvent | FileMovedEvent)
                if not isinstance(event, FileClosedEvent):
                    self._born.add(path)
        self._wake()

    def lost(self, why: str) -> None:
        """Record that events are missing: only a scan shows what is there. Logged once."""
        if not self._said_lost:
            logger.warning("Events of the system were lost ({}): the inbox is scanned.", why)
        self._said_lost = True
        with self._lock:
            self._everywhere = True
        self._wake()

    def take_events(self) -> FileEvents:
        """Return the events since the last call."""
        with self._lock:
            events = FileEvents(dict(self._closed), frozenset(self._born), self._everywhere)
            self._closed.clear()
            self._born.clear()
            self._everywhere = False
        return events


class FolderWatcher:
    """The watcher of one folder: started, proven by a self-test, started again when it ends.

    If `deep`, it watches all below, too. Where it may not write (`may_write`) there is no self-test.
    """

    def __init__(
        self,
        folder: Path,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        deep: bool = True,
        may_write: bool = True,
    ) -> None:
        self._folder, self._wake, self._clock = folder, wake, clock
        self._deep, self._may_write = deep, may_write
        self._collector = _EventCollector(folder, wake)
        self._log = _LostEventLog(self._collector.lost)
        self._observer: BaseObserver | None = None
        self._retry_at = clock()
        self._self_test_due: float | None = None

    @property
    def is_started(self) -> bool:
        """True from a start that the system accepted until the next stop."""
        return self._observer is not None

    def start(self) -> None:
        """Start watching. Raises OSError when the system gives no (more) events."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")  # one per folder event
        observer, collector = _make_observer(), _EventCollector(self._folder, self._wake)
        with ExitStack() as undo:
            undo.callback(_stop_observer, observer)  # no thread of it stays behind
            observer.schedule(
                collector, str(self._folder), recursive=self._deep, event_filter=_WATCHED_EVENTS
            )
            observer.start()
            undo.pop_all()
        self._observer, self._collector, self._log = observer, collector, _LostEventLog(collector.lost)
        logging.getLogger("watchdog").addHandler(self._log)

    def stop(self, retry_at: float | None = None) -> None:
        """Stop watching; `ensure_watching` starts again, at `retry_at` or at once."""
        self._retry_at = self._clock() if retry_at is None else retry_at
        logging.getLogger("watchdog").removeHandler(self._log)
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(_STOP_SECONDS)

    def take_events(self) -> FileEvents | None:
        """Return the events since the last call; None while nothing is watched."""
        return self._collector.take_events() if self._observer else None

    def is_watching(self) -> bool:
        """True if events can still arrive; they end when the folder itself goes away."""
        observer = self._observer
        return observer is not None and observer.is_alive() and all(e.is_alive() for e in observer.emitters)

    def has_seen_self_test(self) -> bool:
        """True if the self-test file had an event: events do arrive."""
        return self._collector.seen_self_test

    def ensure_watching(self, kind: str | None, scan_seconds: float) -> None:
        """Start or check the watcher, if this kind of file system gives events."""
        if self.is_watching():
            due = self._self_test_due
            if due is not None and not self.has_seen_self_test() and self._clock() >= due:
                self._fall_back_to_polling("the self-test file had no event", scan_seconds, math.inf)
        elif self._clock() >= self._retry_at:
            self._start_again(kind, scan_seconds)

    def _start_again(self, kind: str | None, scan_seconds: float) -> None:
        self.stop()
        if kind is not None and kind not in LOCAL_FILE_SYSTEMS:
            self._fall_back_to_polling(
                f"{kind}: changes of others there give no events", scan_seconds, math.inf
            )
            return
        try:
            self.start()
        except OSError as error:
            self._fall_back_to_polling(error_reason(error), scan_seconds, _RETRY_SECONDS)
            return
        self._self_test_due = None
        if self._may_write:  # some containers and mounts accept a watch and stay silent
            with suppress(OSError):
                _make_self_test_file(self._folder)
                self._self_test_due = self._clock() + _SELF_TEST_TIMEOUT_SECONDS

    def _fall_back_to_polling(self, why: str, scan_seconds: float, retry_seconds: float) -> None:
        self.stop(self._clock() + retry_seconds)
        logger.info("No events from the system ({}): the inbox is scanned every {:g} s.", why, scan_seconds)


def _make_self_test_file(folder: Path) -> None:
    """Make and remove a hidden file, which has to have an event."""
    file = folder / f"{SELF_TEST_PREFIX}{secrets.token_hex(4)}"
    file.touch(exist_ok=False)
    file.unlink()


def _stop_observer(observer: BaseObserver) -> None:
    with suppress(RuntimeError):  # it was never started
        observer.stop()


def _make_observer() -> BaseObserver:
    if sys.platform != "linux":
        from watchdog.observers import Observer

        return Observer()
    from watchdog.observers.inotify import InotifyObserver

    _do_not_wait_for_pairs()
    _forgive_lost_folders()
    return InotifyObserver(generate_full_events=True)  # a file that was moved in is told as moved


def _do_not_wait_for_pairs() -> None:
    """Each of our claims is half a move to watchdog, which holds back all events 0.5 s for the rest."""
    from watchdog.observers import inotify

    for name in ("InotifyMoveEventGrouper", "InotifyBuffer"):  # of watchdog 7, and of 6
        grouper = getattr(inotify, name, None)
        if grouper is not None:
            grouper.delay = 0.0


@cache
def _forgive_lost_folders() -> None:
    """A folder that comes and goes quickly is forgotten twice by watchdog 7; its KeyError ends its reader."""
    from watchdog.observers import inotify

    group = getattr(inotify, "InotifyWatchGroup", None)  # only watchdog 7 has it
    forget = getattr(group, "_remove_watch_internally", None)
    if group is None or forget is None:
        return

    def forgiving(watches: object, descriptor: int) -> None:
        with suppress(KeyError):
            forget(watches, descriptor)

    group._remove_watch_internally = forgiving


INOTIFY_WATCH_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
"""How many folders one user may have watched (inotify(7))."""
_LATENCY_TIMEOUT_SECONDS = 2.0
_TICK_SECONDS = 0.001


def measure_event_latency(inbox: Path) -> float | None:
    """Return how long the event of a new hidden file takes, in seconds; None when it never comes.

    One folder is watched for it, none below. Raises OSError when the system gives no (more) events, or
    the file can't be made.
    """
    watcher, tick = FolderWatcher(inbox, lambda: None, deep=False), threading.Event()
    watcher.start()
    try:
        began = time.monotonic()
        _make_self_test_file(inbox)
        while not watcher.has_seen_self_test():
            if time.monotonic() - began > _LATENCY_TIMEOUT_SECONDS:
                return None
            tick.wait(_TICK_SECONDS)
        return time.monotonic() - began
    finally:
        watcher.stop()


def count_folders(inbox: Path) -> int:
    """Count the inbox and all folders below it: each takes one watch, links do not."""
    count, below = 1, [str(inbox)]
    while below:
        with suppress(OSError), os.scandir(below.pop()) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            count += len(folders)
            below += folders
    return count
