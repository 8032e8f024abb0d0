"""Two other products' rules for when a file is complete, written anew from a description of them.

    python -m tests.bench.watched_folder_rules SHARE octoprint|paperless [--scale 1]

They watch and take as the intake does, so that the same writers can be put before them: a file that is
thought complete is moved to processing/. Prints one JSON line per file taken, until stdin ends.
`octoprint`: from a file's first event on its size is read every second; five equal sizes in a row.
`paperless`: five seconds without an event and with the same size and time; every 300 s all is looked
through.
"""

import argparse
import hashlib
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from workflow.intake import Share, is_part_file, scan_inbox

OCTOPRINT_SECONDS, OCTOPRINT_EQUAL = 1.0, 5
PAPERLESS_SECONDS, PAPERLESS_RESCAN_SECONDS = 5.0, 300.0
_LOOK_SECONDS = 0.1
"""How often paperless' loop looks at what it tracks."""


@dataclass
class Tracked:
    """One file under observation: when it was last heard of or looked at, and how it looked."""

    at: float
    seen: tuple[int, ...] = ()
    equal: int = 0


@dataclass(eq=False)
class Rule(FileSystemEventHandler):
    """What both rules share: events come in, files that are thought complete are taken."""

    share: Share
    scale: float
    tracked: dict[Path, Tracked] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0

    def heard(self, place: Path) -> None:
        """Note an event."""

    def look(self, now: float) -> None:
        """Check what is due."""

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Take an event from watchdog."""
        place = Path(os.fsdecode(event.dest_path or event.src_path))
        if not event.is_directory and is_part_file(place.name) and event.event_type not in _NO_CHANGE:
            with self.lock:
                self.heard(place)

    def rescan(self) -> None:
        """Treat everything that is there as just heard of."""
        with self.lock:
            for path in scan_inbox(self.share.inbox).paths:
                self.heard(self.share.inbox / path)

    def submit_file(self, place: Path) -> None:
        """Move a file out of the inbox, and say what it was."""
        self.count += 1
        claimed = self.share.processing / f"{self.count}~{place.name}"
        at = time.monotonic()
        try:
            place.rename(claimed)
        except OSError:  # gone meanwhile
            return
        digest = hashlib.sha256(claimed.read_bytes()).hexdigest()
        path = place.relative_to(self.share.inbox).as_posix()
        print(json.dumps({"path": path, "at": at, "sha256": digest}), flush=True)


_NO_CHANGE = {"opened", "closed_no_write", "deleted"}


class OctoPrint(Rule):
    """Five equal sizes at one second each."""

    def heard(self, place: Path) -> None:
        self.tracked.setdefault(place, Tracked(0.0))

    def look(self, now: float) -> None:
        for place, tracked in tuple(self.tracked.items()):
            if now >= tracked.at:
                size = (place.stat().st_size,) if place.is_file() else ()
                tracked.equal = tracked.equal + 1 if size == tracked.seen else 1
                tracked.seen, tracked.at = size, now + OCTOPRINT_SECONDS * self.scale
                if not size or tracked.equal >= OCTOPRINT_EQUAL:
                    del self.tracked[place]
                    if size:
                        self.submit_file(place)


class Paperless(Rule):
    """Five seconds of quiet: no event, same size, same time."""

    def heard(self, place: Path) -> None:
        self.tracked[place] = Tracked(time.monotonic(), _stat(place))

    def look(self, now: float) -> None:
        for place, tracked in tuple(self.tracked.items()):
            if now - tracked.at >= PAPERLESS_SECONDS * self.scale:
                seen = _stat(place)
                if seen == tracked.seen and seen:
                    self.submit_file(place)
                if seen == tracked.seen or not seen:
                    del self.tracked[place]
                else:
                    self.tracked[place] = Tracked(now, seen)


def _stat(place: Path) -> tuple[int, ...]:
    try:
        seen = place.stat()
    except OSError:
        return ()
    return (seen.st_size, seen.st_mtime_ns) if place.is_file() else ()


RULES: dict[str, Callable[[Share, float], Rule]] = {"octoprint": OctoPrint, "paperless": Paperless}


def main() -> None:
    """Watch and take until stdin ends."""
    words = argparse.ArgumentParser()
    words.add_argument("share", type=Path)
    words.add_argument("rule", choices=list(RULES))
    words.add_argument("--scale", type=float, default=1.0)
    asked = words.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # watchdog's, one per folder event
    rule = RULES[asked.rule](Share(asked.share), asked.scale)
    observer = Observer()
    observer.schedule(rule, str(asked.share / "inbox"), recursive=True)
    observer.start()
    stop = threading.Event()
    threading.Thread(target=_stop_with_stdin, args=(stop,)).start()
    rescan_at = 0.0
    while not stop.is_set():
        now = time.monotonic()
        if now >= rescan_at:
            rule.rescan()
            rescan_at = now + PAPERLESS_RESCAN_SECONDS * asked.scale
        with rule.lock:
            rule.look(now)
        stop.wait(_LOOK_SECONDS * asked.scale)
    observer.stop()
    observer.join()


def _stop_with_stdin(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
