"""Hints of the operating system that something happened in the inbox.

They only wake the sweep early: they may be late, lost, repeated or wrong, and nothing depends on them.
"""

import logging
import os
import sys
import threading
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

from workflow.intake.kinds import is_part_path

_HEARD = [
    FileCreatedEvent, FileMovedEvent, FileModifiedEvent, FileClosedEvent, DirCreatedEvent, DirMovedEvent,
]  # fmt: skip
"""Not those that our own reading causes. Changes are asked for only to keep two closings apart: inotify(7)
tells one of two equal events that follow each other, and a second session would go unnoticed."""
_STOP_SECONDS = 5.0
ECHO = ".stlflow-echo-"
"""How the names of files begin that are made to hear whether hints come at all."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What happened since the last time: paths under the inbox, with how many writers closed each.

    A rename that puts a file in place counts as one that closed it. `born` are those that were made or
    put in place. `everywhere` means that whole folders moved, so the inbox has to be walked.
    """

    closed: Mapping[str, int] = field(default_factory=dict)
    born: frozenset[str] = frozenset()
    everywhere: bool = False

    def without(self, paths: Collection[str]) -> "Heard":
        """Leave some paths out."""
        return replace(self, closed={path: n for path, n in self.closed.items() if path not in paths})


class Hints:
    """The system's notices about one folder and, if `deep`, all below it."""

    def __init__(self, inbox: Path, wake: Callable[[], None], *, deep: bool = True) -> None:
        self._inbox, self._deep = inbox, deep
        self._listener = _Listener(inbox, wake)
        self._observer: BaseObserver | None = None
        self._losses = _Losses(self._listener.lost)

    def start(self) -> None:
        """Begin to listen. Raises OSError when the system gives no (more) notices."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")  # one per folder event
        observer = _make_observer()
        try:
            observer.schedule(self._listener, str(self._inbox), recursive=self._deep, event_filter=_HEARD)
            observer.start()
        except BaseException:  # raised again: no thread of the observer stays behind
            with suppress(RuntimeError):
                observer.stop()
            raise
        self._observer = observer
        logging.getLogger("watchdog").addHandler(self._losses)

    def stop(self) -> None:
        """Stop to listen."""
        logging.getLogger("watchdog").removeHandler(self._losses)
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(_STOP_SECONDS)

    def is_listening(self) -> bool:
        """Tell whether notices can still arrive; they end when the folder itself goes away."""
        observer = self._observer
        return observer is not None and observer.is_alive() and all(e.is_alive() for e in observer.emitters)

    def has_echoed(self) -> bool:
        """Tell whether a file named with `ECHO` was heard of: hints do come."""
        return self._listener.echoed

    def heard(self) -> Heard:
        """Give what was heard since the last call."""
        return self._listener.heard()


class _Losses(logging.Handler):
    """Overflowed queues and exhausted watches are told in watchdog's log, and nowhere else."""

    def __init__(self, lost: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a warning of watchdog on (called by its threads)."""
        self._lost(record.getMessage())


class _Listener(FileSystemEventHandler):
    """Collects what the observer's thread tells, until the sweep asks."""

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
        """Note where something happened (called by watchdog)."""
        if isinstance(event, FileModifiedEvent):
            return
        place = os.fsdecode(event.dest_path or event.src_path)
        name = Path(place).name
        self.echoed = self.echoed or name.startswith(ECHO)
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
        """Notices are missing: only a walk tells what is there. Said once."""
        if not self._said_lost:
            logger.warning("Notices of the system were lost ({}): the inbox is looked through.", why)
        self._said_lost = True
        with self._lock:
            self._everywhere = True
        self._wake()

    def heard(self) -> Heard:
        with self._lock:
            heard = Heard(dict(self._closed), frozenset(self._born), self._everywhere)
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
