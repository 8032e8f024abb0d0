"""The mass-arrival guard: many files at once are set aside until a person says that they are meant.

A wrong folder, an old archive or a whole tree pasted in would else become hundreds of parts in the
cloud. Nothing is moved: the files stay in the inbox and wait.

The mass-arrival guard at work: what came in a crowd stays in the inbox until a person accepts it.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from workflow.intake.filenames import printable_path

MASS_ARRIVAL_WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class MassArrivalLimit:
    """More than `files` new files within `window_seconds` are a mass arrival; 0 files: there is no limit."""

    files: int = 0
    window_seconds: float = MASS_ARRIVAL_WINDOW_SECONDS


class MassArrivalCounter:
    """Counts what is new in the inbox. Times are readings of one clock, in seconds."""

    def __init__(self, limit: MassArrivalLimit) -> None:
        self._limit = limit
        self._times: deque[float] = deque()
        """When files came, whatever became of them."""
        self._passed: dict[str, float] = {}
        """Files that came lately and are not taken yet, oldest first."""
        self.waiting: set[str] = set()
        """Paths that wait for a person."""
        self._accepted: set[str] = set()

    def restore_waiting(self, set_aside: Mapping[str, bool]) -> None:
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

    def drop_vanished(self, found: Collection[str]) -> frozenset[str]:
        """Forget what is no longer in the inbox, by a walk: if it comes again, it is new.

        What went away without being taken does not count any more: a renamed folder counts once.
        """
        for path in self._passed.keys() - set(found):
            self._times.remove(self._passed.pop(path))
        gone = (self._accepted | self.waiting).difference(found)
        self._accepted -= gone
        self.waiting -= gone
        return frozenset(gone)

    def _forget_before(self, start: float) -> None:
        while self._times and self._times[0] < start:
            self._times.popleft()
        for path in [path for path, came in self._passed.items() if came < start]:
            del self._passed[path]


MASS_ARRIVAL_REASON = "it came with many others at once: `stlflow intake accept` says that they are meant"


class MassArrivalStore(Protocol):
    """Where it is written down which paths wait for a person. All may raise StlflowError or OSError."""

    def mass_arrival_paths(self) -> Mapping[str, bool]:
        """Give the paths that were set aside, each with whether a person has accepted it by now."""

    def record_mass_arrival(self, paths: Collection[str]) -> None:
        """So many files came at once that these wait for a person."""

    def remove_mass_arrival(self, paths: Collection[str]) -> None:
        """These are no longer in the inbox: taken after all, or taken away."""


class MassArrivalGuard:
    """Counts new files, and keeps back what comes in a crowd. Without a waitlist it lets all pass."""

    def __init__(self, limit: MassArrivalLimit, waitlist: MassArrivalStore | None) -> None:
        self._arrivals = MassArrivalCounter(limit)
        self._waitlist = waitlist
        self._begun = False

    def begin(self) -> None:
        """Take over what an earlier run set aside. Raises StlflowError, OSError."""
        if self._waitlist is not None:
            self._begun = True
            self._arrivals.restore_waiting(self._waitlist.mass_arrival_paths())

    def arrive(self, paths: Collection[str], now: float) -> frozenset[str]:
        """Count new files; gives those that have to wait from now on. Raises StlflowError, OSError."""
        if self._waitlist is None:
            return frozenset()
        crowd = self._arrivals.arrive(paths, now)
        if crowd:
            self._waitlist.record_mass_arrival([printable_path(path) for path in crowd])
        return crowd

    def taken(self, path: str) -> None:
        """A file is no longer in the inbox."""
        self._arrivals.taken(path)

    def look(self, found: Collection[str]) -> None:
        """Let go what a person has accepted, and forget what is gone. Raises StlflowError, OSError."""
        if self._waitlist is None:
            return
        if self._begun or self._arrivals.waiting:
            self._arrivals.restore_waiting(_match_found_names(self._waitlist.mass_arrival_paths(), found))
            self._begun = False
        if gone := self._arrivals.drop_vanished(found):
            self._waitlist.remove_mass_arrival([printable_path(path) for path in gone])

    def waiting(self) -> Collection[str]:
        """Give the paths that wait for a person."""
        return self._arrivals.waiting


def _match_found_names(set_aside: Mapping[str, bool], found: Collection[str]) -> Mapping[str, bool]:
    """Give what was set aside under the names that the file system has: it was written down readable."""
    odd = {path: printable_path(path) for path in found if not path.isprintable()}
    here = {path: set_aside[name] for path, name in odd.items() if name in set_aside}
    names = {odd[path] for path in here}
    return {**{path: accepted for path, accepted in set_aside.items() if path not in names}, **here}
