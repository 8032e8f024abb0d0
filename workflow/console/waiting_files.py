"""What is in the inbox and not taken, as the pages show it.

The folder is read in a thread of its own, and seldom: a share that hangs or is slow keeps no page waiting.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock, Thread

from workflow.errors import catch_faults, error_reason
from workflow.frozen import frozen
from workflow.intake import InboxFile, InboxListing

MOST_SHOWN = 50
PAGE_SECONDS, HANGING_SECONDS = 1.0, 10.0
"""How long a page waits for the folder, and after how long it says that the folder does not answer."""
REST_PER_WORK, SHORTEST_REST_SECONDS = 20, 1.0
NO_ANSWER = "the inbox does not answer. Check the mount and the file server."
SLOW_ANSWER = "the inbox is still being read. Load the page again."


@frozen
class WaitingFiles:
    """Files that are not taken, and how many `more` there are; `trouble` is why they can't be listed."""

    files: tuple[InboxFile, ...] = ()
    more: int = 0
    trouble: str = ""


@dataclass(slots=True)
class InboxReader:
    """Reads the inbox at most once at a time, and keeps what it found for a while."""

    read: Callable[[], InboxListing]
    _lock: Lock = field(default_factory=Lock)
    _thread: Thread | None = None
    _begun: float = 0.0
    _due: float = 0.0
    _found: tuple[InboxListing, str] | None = None

    def __call__(self) -> tuple[InboxListing, str]:
        """Return what was found lately, and why nothing can be listed; "" if it can."""
        with self._lock:  # several pages may ask at once
            if not self._is_reading() and time.monotonic() >= self._due:
                self._begun = time.monotonic()
                self._thread = Thread(target=self._run, name="inbox reader", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None:
            thread.join(max(self._begun + PAGE_SECONDS - time.monotonic(), 0.0))
        if self._is_reading() and time.monotonic() - self._begun > HANGING_SECONDS:
            return InboxListing(), NO_ANSWER
        return self._found or (InboxListing(), SLOW_ANSWER)

    def _is_reading(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        self._found = catch_faults(
            lambda: (self.read(), ""), lambda fault: (InboxListing(), f"{error_reason(fault)}.")
        )
        worked = time.monotonic() - self._begun
        self._due = time.monotonic() + max(REST_PER_WORK * worked, SHORTEST_REST_SECONDS)


def show_waiting(files: Sequence[InboxFile], count: int, trouble: str) -> WaitingFiles:
    """Return the first of these files, and how many of `count` are not shown."""
    shown = tuple(files[:MOST_SHOWN])
    return WaitingFiles(shown, count - len(shown), trouble)
