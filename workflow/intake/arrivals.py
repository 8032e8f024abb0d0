"""The mass-arrival guard: many files at once are set aside until a person says that they are meant.

A wrong folder, an old archive or a whole tree pasted in would else become hundreds of parts in the
cloud. Nothing is moved: the files stay in the inbox and wait.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ArrivalLimit:
    """More than `files` new files within `window_seconds` are a mass arrival; 0 files: there is no limit."""

    files: int = 0
    window_seconds: float = WINDOW_SECONDS


class Arrivals:
    """Counts what is new in the inbox. Times are readings of one clock, in seconds."""

    def __init__(self, limit: ArrivalLimit) -> None:
        self._limit = limit
        self._times: deque[float] = deque()
        """When files came, whatever became of them."""
        self._passed: dict[str, float] = {}
        """Files that came lately and are not taken yet, oldest first."""
        self.waiting: set[str] = set()
        """Paths that wait for a person."""
        self._accepted: set[str] = set()

    def remember(self, set_aside: Mapping[str, bool]) -> None:
        """Take over which paths were set aside before, and whether a person has accepted them."""
        self._accepted = {path for path, accepted in set_aside.items() if accepted}
        self.waiting = set_aside.keys() - self._accepted

    def arrive(self, paths: Collection[str], now: float) -> frozenset[str]:
        """Count new paths; gives those that are set aside by this, earlier ones of the same crowd too."""
        new = set(paths) - self._accepted - self.waiting
        if not self._limit.files or not new:
            return frozenset()
        self._forget_before(now - self._limit.window_seconds)
        self._times.extend([now] * len(new))
        self._passed.update(dict.fromkeys(new, now))
        if len(self._times) <= self._limit.files:
            return frozenset()
        crowd = frozenset(self._passed)
        self._passed.clear()
        self.waiting |= crowd
        return crowd

    def taken(self, path: str) -> None:
        """A file has passed: it still counts, and can't be set aside any more."""
        self._passed.pop(path, None)

    def vanished(self, found: Collection[str]) -> frozenset[str]:
        """Forget what is no longer in the inbox, by a walk: if it comes again, it is new."""
        gone = (self._accepted | self.waiting).difference(found)
        self._accepted -= gone
        self.waiting -= gone
        return frozenset(gone)

    def _forget_before(self, start: float) -> None:
        while self._times and self._times[0] < start:
            self._times.popleft()
        for path in [path for path, came in self._passed.items() if came < start]:
            del self._passed[path]
