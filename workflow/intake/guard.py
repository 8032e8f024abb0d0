"""The mass-arrival guard at work: what came in a crowd stays in the inbox until a person accepts it."""

from collections.abc import Collection, Mapping
from typing import Protocol

from workflow.intake.arrivals import ArrivalLimit, Arrivals
from workflow.intake.names import readable

IN_A_CROWD = "it came with many others at once: `stlflow intake accept` says that they are meant"


class Waitlist(Protocol):
    """Where it is written down which paths wait for a person. All may raise StlflowError or OSError."""

    def set_aside(self) -> Mapping[str, bool]:
        """Give the paths that were set aside, each with whether a person has accepted it by now."""

    def crowd(self, paths: Collection[str]) -> None:
        """So many files came at once that these wait for a person."""

    def crowd_left(self, paths: Collection[str]) -> None:
        """These are no longer in the inbox: taken after all, or taken away."""


class Guard:
    """Counts new files, and keeps back what comes in a crowd. Without a waitlist it lets all pass."""

    def __init__(self, limit: ArrivalLimit, waitlist: Waitlist | None) -> None:
        self._arrivals = Arrivals(limit)
        self._waitlist = waitlist
        self._begun = False

    def begin(self) -> None:
        """Take over what an earlier run set aside. Raises StlflowError, OSError."""
        if self._waitlist is not None:
            self._begun = True
            self._arrivals.remember(self._waitlist.set_aside())

    def arrive(self, paths: Collection[str], now: float) -> frozenset[str]:
        """Count new files; gives those that have to wait from now on. Raises StlflowError, OSError."""
        if self._waitlist is None:
            return frozenset()
        crowd = self._arrivals.arrive(paths, now)
        if crowd:
            self._waitlist.crowd([readable(path) for path in crowd])
        return crowd

    def taken(self, path: str) -> None:
        """A file is no longer in the inbox."""
        self._arrivals.taken(path)

    def look(self, found: Collection[str]) -> None:
        """Let go what a person has accepted, and forget what is gone. Raises StlflowError, OSError."""
        if self._waitlist is None:
            return
        if self._begun or self._arrivals.waiting:
            self._arrivals.remember(_as_found(self._waitlist.set_aside(), found))
            self._begun = False
        if gone := self._arrivals.vanished(found):
            self._waitlist.crowd_left([readable(path) for path in gone])

    def waiting(self) -> Collection[str]:
        """Give the paths that wait for a person."""
        return self._arrivals.waiting


def _as_found(set_aside: Mapping[str, bool], found: Collection[str]) -> Mapping[str, bool]:
    """Give what was set aside under the names that the file system has: it was written down readable."""
    odd = {path: readable(path) for path in found if not path.isprintable()}
    here = {path: set_aside[name] for path, name in odd.items() if name in set_aside}
    names = {odd[path] for path in here}
    return {**{path: accepted for path, accepted in set_aside.items() if path not in names}, **here}
