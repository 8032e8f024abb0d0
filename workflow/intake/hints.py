"""Hints of the operating system that something happened in the inbox.

They only wake the sweep early: they may be late, lost, repeated or wrong, and nothing depends on them.
"""

import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from workflow.intake.kinds import is_part_file

_HEARD = [FileCreatedEvent, FileMovedEvent, FileClosedEvent, DirCreatedEvent, DirMovedEvent]
"""Not FileModified, which a growing file repeats; not those that our own reading causes."""
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What happened since the last time: paths under the inbox, with how many writers closed each.

    `everywhere` means that whole folders moved, so the inbox has to be walked.
    """

    closed: Mapping[str, int] = field(default_factory=dict)
    everywhere: bool = False


class Hints:
    """The system's notices about one folder and all below it."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._inbox = inbox
        self._listener = _Listener(inbox, wake)
        self._observer: BaseObserver | None = None

    def start(self) -> None:
        """Begin to listen. Raises OSError when the system gives no (more) notices."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")  # one per folder event
        observer = _make_observer()
        try:
            observer.schedule(self._listener, str(self._inbox), recursive=True, event_filter=_HEARD)
            observer.start()
        except BaseException:  # raised again: no thread of the observer stays behind
            with suppress(RuntimeError):
                observer.stop()
            raise
        self._observer = observer

    def stop(self) -> None:
        """Stop to listen."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(_STOP_SECONDS)
            self._observer = None

    def is_listening(self) -> bool:
        """Tell whether notices can still arrive; they end when the folder itself goes away."""
        observer = self._observer
        return observer is not None and observer.is_alive() and all(e.is_alive() for e in observer.emitters)

    def heard(self) -> Heard:
        """Give what was heard since the last call."""
        return self._listener.heard()


class _Listener(FileSystemEventHandler):
    """Collects what the observer's thread tells, until the sweep asks."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._prefix = f"{inbox}{os.sep}"
        self._wake = wake
        self._lock = threading.Lock()
        self._closed: Counter[str] = Counter()
        self._everywhere = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note where something happened (called by watchdog)."""
        place = os.fsdecode(event.dest_path or event.src_path)
        if not event.is_directory and not is_part_file(Path(place).name):
            return
        with self._lock:
            if event.is_directory or not place.startswith(self._prefix):
                self._everywhere = True
            else:
                path = place.removeprefix(self._prefix).replace(os.sep, "/")
                self._closed[path] += isinstance(event, FileClosedEvent)
        self._wake()

    def heard(self) -> Heard:
        with self._lock:
            heard = Heard(dict(self._closed), self._everywhere)
            self._closed.clear()
            self._everywhere = False
        return heard


def _make_observer() -> BaseObserver:
    if sys.platform != "linux":
        from watchdog.observers import Observer

        return Observer()
    from watchdog.observers.inotify import InotifyObserver

    _do_not_wait_for_pairs()
    return InotifyObserver(generate_full_events=True)  # a file that was moved in is told as moved


def _do_not_wait_for_pairs() -> None:
    """Each of our claims is half a move to watchdog, which holds back all events 0.5 s for the rest."""
    with suppress(ImportError):  # only watchdog 7 has it
        from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

        InotifyMoveEventGrouper.delay = 0.0
