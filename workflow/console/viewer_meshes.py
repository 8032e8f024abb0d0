"""Meshes for the part viewer: made one at a time in an inspecting process, and kept for a while.

The process starts with the first part that someone opens, and ends when nobody has opened one for a moment.
No thread of the web server waits for it.
"""

import os
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from workflow.errors import InspectionFailed, StateFolderError, catch_faults
from workflow.mesh import InspectionLimits, Inspector

MESHES_FOLDER = "viewer"
"""In the state folder."""
MAX_KEPT_BYTES = 200 * 2**20
MAX_WAITING = 20
MAX_FILE_BYTES = 1024 * 2**20
"""Larger parts are shown by their picture alone."""
LIMITS = InspectionLimits(seconds=120, memory_mb=1024)
IDLE_SECONDS = 20.0
_SUFFIX = ".mesh"

Order = tuple[Path, str, Future[Path]]


class ViewerMeshes:
    """The meshes of one console; `close` ends the process that makes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._waiting: dict[str, Future[Path]] = {}
        self._lock = Lock()
        self._thread: Thread | None = None
        self._inspector: Inspector | None = None
        self._is_closed = False

    def find(self, source: Path, sha256: str) -> Future[Path]:
        """Return the file with the mesh of a part, now or once it is made.

        The future raises OSError, InspectionFailed, StateFolderError, or what a fault of stlflow raises.
        """
        kept = self._folder / f"{sha256}{_SUFFIX}"
        with self._lock:
            if (waiting := self._waiting.get(sha256)) is not None:
                return waiting
            found: Future[Path] = Future()
            if kept.exists():
                with suppress(OSError):
                    os.utime(kept)
                found.set_result(kept)
            elif self._is_closed or len(self._waiting) >= MAX_WAITING:
                found.set_exception(StateFolderError("Many parts are being prepared. Try again in a minute."))
            else:
                self._waiting[sha256] = found
                self._orders.put((source, sha256, found))
                if self._thread is None:
                    self._thread = Thread(target=self._work, name="viewer meshes", daemon=True)
                    self._thread.start()
        return found

    def close(self) -> None:
        """End the process; what waits for it is not made any more."""
        with self._lock:
            self._is_closed, thread = True, self._thread
        self._orders.put(None)
        if (inspector := self._inspector) is not None:
            inspector.close()
        if thread is not None:
            thread.join(timeout=5)

    def _work(self) -> None:
        with Inspector(limits=LIMITS) as self._inspector:
            while (order := self._next_order()) is not None:
                source, sha256, found = order
                make = partial(self._make, self._inspector, source, sha256)
                catch_faults(lambda: found.set_result(make()), found.set_exception)  # noqa: B023  # called at once
                with self._lock:
                    self._waiting.pop(sha256, None)

    def _next_order(self) -> Order | None:
        """Return the next order; None to end the thread, which a later order starts again."""
        while True:
            try:
                return self._orders.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._orders.empty():
                        self._thread = None
                        return None

    def _make(self, inspector: Inspector, source: Path, sha256: str) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        unfinished, kept = self._folder / f"{sha256}.tmp", self._folder / f"{sha256}{_SUFFIX}"
        try:
            report = inspector.write_viewer_mesh(source, unfinished)
            if report.sha256 != sha256:
                raise InspectionFailed("The file has changed since it was inspected.")
            unfinished.replace(kept)
        finally:
            unfinished.unlink(missing_ok=True)
        remove_oldest(self._folder, MAX_KEPT_BYTES)
        return kept


def remove_oldest(folder: Path, most_bytes: int) -> None:
    """Remove the meshes that were shown the longest ago, until the rest takes no more than this."""
    with suppress(OSError):
        found = sorted(((each.stat(), each) for each in folder.glob(f"*{_SUFFIX}")), key=_by_time)
        left = sum(stat.st_size for stat, _ in found)
        for stat, place in found[:-1]:
            if left <= most_bytes:
                return
            place.unlink(missing_ok=True)
            left -= stat.st_size


def _by_time(found: tuple[os.stat_result, Path]) -> float:
    return found[0].st_mtime
