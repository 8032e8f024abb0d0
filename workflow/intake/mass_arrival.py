"""The mass-arrival guard: many files at once stay in the inbox until a person says that they are meant.

A wrong folder, an old archive or a whole tree pasted in would otherwise become hundreds of parts in the
cloud. Nothing is moved.
"""

from collections.abc import Collection, Mapping

from workflow.frozen import frozen
from workflow.intake.claim import IntakeStore
from workflow.intake.filenames import printable_path

MASS_ARRIVAL_WINDOW_SECONDS = 60.0
MASS_ARRIVAL_REASON = "it came with many others at once: `stlflow intake accept` says that they are meant"


@frozen
class MassArrivalLimit:
    """More than `files` new files within `window_seconds` are a mass arrival; 0 files: there is no limit."""

    files: int = 0
    window_seconds: float = MASS_ARRIVAL_WINDOW_SECONDS


class MassArrivalGuard:
    """Counts new files, and keeps back what comes with too many others. Times are of one clock, in seconds.

    All methods but `taken` may raise StlflowError or OSError.
    """

    def __init__(self, limit: MassArrivalLimit, store: IntakeStore) -> None:
        self._limit, self._store = limit, store
        self._counted: dict[str, float] = {}
        """When files came, oldest first, whatever became of them: a late event counts none twice."""
        self._passed: dict[str, float] = {}
        """Files that came lately and are not taken yet, oldest first."""
        self.waiting: set[str] = set()
        """Paths that wait for a person."""
        self._accepted: set[str] = set()
        self._begun = False

    def begin(self) -> None:
        """Load what an earlier run set aside."""
        self._begun = True
        self._restore(self._store.mass_arrival_paths())

    def arrive(self, paths: Collection[str], now: float) -> frozenset[str]:
        """Count new paths; return those that have to wait now, earlier ones of the same arrival too."""
        new = set(paths) - self._accepted - self.waiting
        if not self._limit.files or not new:
            return frozenset()
        self._forget_before(now - self._limit.window_seconds)
        fresh = new - self._counted.keys()
        self._counted.update(dict.fromkeys(fresh, now))
        is_mass_arrival = len(self._counted) > self._limit.files
        self._passed.update(dict.fromkeys(new if is_mass_arrival else fresh, now))
        if not is_mass_arrival:
            return frozenset()
        arrival = frozenset(self._passed)
        self._passed.clear()
        self.waiting |= arrival
        self._store.record_mass_arrival([printable_path(path) for path in arrival])
        return arrival

    def taken(self, path: str) -> None:
        """Note that a file has passed: it still counts, and can't be set aside any more."""
        self._passed.pop(path, None)

    def update_from_scan(self, found: Collection[str]) -> None:
        """Release what a person has accepted, and forget what is gone: if it comes again, it is new.

        What went away without being taken does not count any more: a renamed folder counts once.
        """
        if self._begun or self.waiting:
            self._restore(_match_found_names(self._store.mass_arrival_paths(), found))
            self._begun = False
        there = set(found)
        for path in self._passed.keys() - there:
            self._counted.pop(path, None)
            del self._passed[path]
        gone = (self._accepted | self.waiting) - there
        self._accepted -= gone
        self.waiting -= gone
        for path in gone:
            self._counted.pop(path, None)
        if gone:
            self._store.remove_mass_arrival([printable_path(path) for path in gone])

    def _restore(self, set_aside: Mapping[str, bool]) -> None:
        self._accepted = {path for path, accepted in set_aside.items() if accepted}
        self.waiting = set_aside.keys() - self._accepted

    def _forget_before(self, start: float) -> None:
        for times in (self._counted, self._passed):
            for path in [path for path, came in times.items() if came < start]:
                del times[path]


def _match_found_names(set_aside: Mapping[str, bool], found: Collection[str]) -> Mapping[str, bool]:
    """Return what was set aside under the names of the file system: the store has them printable."""
    odd = {path: printable_path(path) for path in found if not path.isprintable()}
    here = {path: set_aside[name] for path, name in odd.items() if name in set_aside}
    names = {odd[path] for path in here}
    return {**{path: accepted for path, accepted in set_aside.items() if path not in names}, **here}
