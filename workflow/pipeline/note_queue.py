"""Which notes about files that are worked on have news: from stages, from the ledger, and after a start."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from workflow.errors import StateFolderError
from workflow.ledger import ChangeFeed, Ledger, list_newest
from workflow.notes import PROGRESS_STATES

NOTES_AT_ONCE = 100
CHECKED_AT_ONCE = 10
"""With one sweep, of the notes that may be out of date: thousands may be, and most are not."""
PRINTERS_KNOWN_SECONDS = 20.0
"""So long after the start at the latest, doubtful notes are checked. If Eiger has not named the printers by
then, it is away.
"""
MAX_SWEPT = 500


@dataclass
class NoteQueue:
    """The numbers of submissions whose notes have to be written, or checked, again. Any thread may add."""

    ledger: Ledger
    clock: Callable[[], float] = time.monotonic
    _news: set[int] = field(default_factory=set)
    _unchecked: set[int] = field(default_factory=set)
    """Notes that may be out of date, and that nothing was told of."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin to follow the ledger."""
        self._feed, self._check_at = ChangeFeed(self.ledger), self.clock() + PRINTERS_KNOWN_SECONDS

    def add(self, numbers: Collection[int]) -> None:
        """Something has changed in these."""
        with self._lock:
            self._news.update(numbers)

    def add_unchecked(self, numbers: Collection[int]) -> None:
        """The notes of these may be out of date."""
        with self._lock:
            self._unchecked.update(numbers)

    def sweep(self, noted: Collection[int], *, knows_printers: bool) -> None:
        """Add what any worker has changed; at first that may be all. Raises StateFolderError.

        `noted` have a note. Doubtful notes are checked a few at a time, once the printers are known.
        """
        changed = self._feed.read_changed()
        if changed is None:
            changed = self._list_newest()
            self.add_unchecked(noted)
        begins = knows_printers or self.clock() >= self._check_at
        with self._lock:
            few = sorted(self._unchecked, reverse=True)[: CHECKED_AT_ONCE * begins]
            self._unchecked.difference_update(few, changed)
            self._news.update(few, changed)

    def take(self) -> list[int]:
        """Return the newest submissions with news; they are no news any more."""
        with self._lock:
            numbers = sorted(self._news, reverse=True)[:NOTES_AT_ONCE]
            self._news.difference_update(numbers)
        return numbers

    def __bool__(self) -> bool:
        """True while anything has news."""
        return bool(self._news)

    def clear(self) -> None:
        """Forget everything: the next sweep adds all that are worked on."""
        self._feed.reset()
        with self._lock:
            self._news.clear()
            self._unchecked.clear()

    def _list_newest(self) -> frozenset[int]:
        try:
            return list_newest(self.ledger, PROGRESS_STATES, MAX_SWEPT)
        except StateFolderError:
            self._feed.reset()
            raise
