"""Events of the operating system: something happened in the inbox.

They only wake the scan early. They may be late, lost, repeated or wrong, and nothing depends on them.
"""

import logging
import os
import secrets
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from workflow.intake.name_patterns import is_part_path
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS

_WATCHED_EVENTS = [
    FileCreatedEvent, FileMovedEvent, FileModifiedEvent, FileClosedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip
"""Not those that our own reading causes. Changes are asked for only to keep two closings apart: inotify(7)
tells one of two equal events that follow each other, and a second session would go unnoticed."""
_STOP_SECONDS = 5.0
SELF_TEST_PREFIX = ".stlflow-echo-"
"""How the names of self-test files begin, made to see whether events come at all."""


@dataclass(frozen=True, slots=True)
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


class FolderWatcher:
    """The events of one folder and, if `deep`, all below it."""

    def __init__(self, inbox: Path, wake: Callable[[], None], *, deep: bool = True) -> None:
        self._inbox, self._deep = inbox, deep
        self._listener = _EventCollector(inbox, wake)
        self._observer: BaseObserver | None = None
        self._losses = _LostEventLog(self._listener.lost)

    def start(self) -> None:
        """Start watching. Raises OSError when the system gives no (more) events."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")  # one per folder event
        observer = _make_observer()
        try:
            observer.schedule(
                self._listener, str(self._inbox), recursive=self._deep, event_filter=_WATCHED_EVENTS
            )
            observer.start()
        except BaseException:  # raised again: no thread of the observer stays behind
            with suppress(RuntimeError):
                observer.stop()
            raise
        self._observer = observer
        logging.getLogger("watchdog").addHandler(self._losses)

    def stop(self) -> None:
        """Stop watching."""
        logging.getLogger("watchdog").removeHandler(self._losses)
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(_STOP_SECONDS)

    def is_watching(self) -> bool:
        """True if events can still arrive; they end when the folder itself goes away."""
        observer = self._observer
        return observer is not None and observer.is_alive() and all(e.is_alive() for e in observer.emitters)

    def has_seen_self_test(self) -> bool:
        """True if the self-test file had an event: events do come."""
        return self._listener.echoed

    def heard(self) -> FileEvents:
        """Return the events since the last call."""
        return self._listener.heard()


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
        self.echoed = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Record where something happened (called by watchdog)."""
        if isinstance(event, FileModifiedEvent):
            return
        place = os.fsdecode(event.dest_path or event.src_path)
        name = Path(place).name
        self.echoed = self.echoed or name.startswith(SELF_TEST_PREFIX)
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

    def heard(self) -> FileEvents:
        with self._lock:
            heard = FileEvents(dict(self._closed), frozenset(self._born), self._everywhere)
            self._closed.clear()
            self._born.clear()
            self._everywhere = False
        return heard


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
    with suppress(ImportError):  # only watchdog 7 has it
        from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

        InotifyMoveEventGrouper.delay = 0.0


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
    hints, tick = FolderWatcher(inbox, lambda: None, deep=False), threading.Event()
    hints.start()
    try:
        probe = inbox / f"{SELF_TEST_PREFIX}{secrets.token_hex(4)}"
        began = time.monotonic()
        probe.touch(exist_ok=False)
        probe.unlink()
        while not hints.has_seen_self_test():
            if time.monotonic() - began > _LATENCY_TIMEOUT_SECONDS:
                return None
            tick.wait(_TICK_SECONDS)
        return time.monotonic() - began
    finally:
        hints.stop()


def count_folders(inbox: Path) -> int:
    """Count the inbox and all folders below it: each takes one watch, links do not."""
    count, below = 1, [str(inbox)]
    while below:
        with suppress(OSError), os.scandir(below.pop()) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            count += len(folders)
            below += folders
    return count


_RETRY_SECONDS = 60.0
_SELF_TEST_TIMEOUT_SECONDS = 2.0
"""An event takes less than a millisecond; a system that is silent for so long tells nothing."""


class WatcherSupervisor:
    """The watcher of one inbox: started, proven by a self-test, started again when it ends."""

    def __init__(
        self, inbox: Path, wake: Callable[[], None], clock: Callable[[], float], *, may_write: bool = True
    ) -> None:
        self._inbox, self._wake, self._clock, self._may_write = inbox, wake, clock, may_write
        self._hints: FolderWatcher | None = None
        self._retry_at = clock()
        self._echo_due: float | None = None

    def heard(self) -> FileEvents | None:
        """Return the events since the last call; None while nothing is watched."""
        return self._hints.heard() if self._hints else None

    def ensure_watching(self, kind: str | None, sweep_seconds: float) -> None:
        """Start or check the watcher, if this kind of file system gives events."""
        if self._hints and self._hints.is_watching():
            self._check_self_test(sweep_seconds)
        elif self._clock() >= self._retry_at:
            self._start_watcher(kind, sweep_seconds)

    def stop(self) -> None:
        """Stop watching; the next `ensure_watching` starts again."""
        self._stop_watcher(self._clock())

    def _start_watcher(self, kind: str | None, sweep_seconds: float) -> None:
        self.stop()
        if kind is not None and kind not in LOCAL_FILE_SYSTEMS:
            self._fall_back_to_polling(
                f"{kind}: changes of others there give no events", sweep_seconds, for_good=True
            )
            return
        hints = FolderWatcher(self._inbox, self._wake)
        try:
            hints.start()
        except OSError as error:
            self._fall_back_to_polling(error_reason(error), sweep_seconds)
            return
        self._hints = hints
        self._start_self_test()

    def _start_self_test(self) -> None:
        """Make and remove a hidden file: some containers and mounts take a watch and stay silent."""
        self._echo_due = None
        if self._may_write:
            probe = self._inbox / f"{SELF_TEST_PREFIX}{secrets.token_hex(4)}"
            with suppress(OSError):
                probe.touch(exist_ok=False)
                probe.unlink()
                self._echo_due = self._clock() + _SELF_TEST_TIMEOUT_SECONDS

    def _check_self_test(self, sweep_seconds: float) -> None:
        if self._echo_due is None or self._hints is None or self._hints.has_seen_self_test():
            return
        if self._clock() >= self._echo_due:
            self._fall_back_to_polling("the self-test file had no event", sweep_seconds, for_good=True)

    def _fall_back_to_polling(self, why: str, sweep_seconds: float, *, for_good: bool = False) -> None:
        self._stop_watcher(float("inf") if for_good else self._clock() + _RETRY_SECONDS)
        logger.info(
            "No events from the system ({}): the inbox is scanned every {:g} s.",
            why, sweep_seconds,
        )  # fmt: skip

    def _stop_watcher(self, retry_at: float) -> None:
        if self._hints is not None:
            self._hints.stop()
            self._hints = None
        self._retry_at = retry_at
