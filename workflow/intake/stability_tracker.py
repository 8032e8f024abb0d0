"""What waits in the inbox: when to check each file again, and which are ready now."""

import heapq
import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from loguru import logger

from workflow.errors import NotAPlainFile, error_reason
from workflow.frozen import frozen
from workflow.intake.completeness import (
    FileSignature,
    FileSnapshot,
    OpenSnapshot,
    has_unwritten_space,
    open_snapshot,
)
from workflow.intake.events import FileEvents
from workflow.intake.filenames import printable_path
from workflow.intake.open_writers import WriterState, find_writer, is_only_server_cached
from workflow.intake.stability import (
    COMPLETE_SHAPES,
    Observation,
    StabilityTimes,
    StabilityVerdict,
    decide_stability,
    may_be_server_cached,
    update_observation,
)

_SHORTEST_PAUSE_SECONDS = 0.01
_REFUSED_RECHECK_SECONDS = 30.0
_LONGEST_RETRY_SECONDS = _AFTER_FAULT_SECONDS = 60.0
_CHECK_BATCH_SECONDS = 0.25
_PACE_SECONDS = 0.02
"""Between checks of unfinished files without events: fifty a second cost 0.5 % of a core."""


@frozen
class WaitingFile:
    """A file that is not taken yet: why, and when it is checked again (on the inbox's clock).

    `left_alone` files are never taken as they are: links and pipes. `stuck_since` says since when
    something keeps the file that does not end by itself; None while it only settles.
    """

    path: str
    why: str
    until: float
    left_alone: bool = False
    stuck_since: float | None = None


@dataclass(slots=True)
class _TrackedFile:
    due: float
    why: str = "it has just arrived"
    observation: Observation | None = None
    sessions: int = 0
    born: bool = False
    tries: int = 0
    left_alone: bool = False
    stuck_since: float | None = None
    told: bool = False


class StabilityTracker:
    """Checks each file when it is due, and yields what is ready. One thread at a time."""

    def __init__(
        self,
        inbox: Path,
        times: StabilityTimes,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        *,
        takes_hard_links: bool = False,
    ) -> None:
        self._takes_hard_links = takes_hard_links
        self._inbox, self._times, self._clock, self._wall = inbox, times, clock, wall
        self._entries: dict[str, _TrackedFile] = {}
        self._agenda: list[tuple[float, str]] = []
        self._unfinished: set[str] = set()
        self.sees_writers = False
        """Whether the file system tells of every writer; set whenever the inbox is (again) there."""

    def update_from_scan(self, paths: Collection[str]) -> None:
        """Track what a scan found: new files are due at once, vanished ones are forgotten."""
        for path in self._entries.keys() - paths:
            self.untrack(path)
        for path in paths - self._entries.keys():
            self._schedule(path, self._clock())

    def untracked_paths(self, paths: Collection[str]) -> frozenset[str]:
        """Return those of the paths that are not tracked yet."""
        return frozenset(path for path in paths if path not in self._entries)

    def update_from_events(self, events: FileEvents) -> None:
        """Check files soon that had an event."""
        for path, sessions in events.closed.items():
            entry = self._schedule(path, self._clock())
            entry.sessions += sessions
            entry.born = entry.born or path in events.born

    def find_stable_files(self) -> Iterator[tuple[str, FileSignature]]:
        """Check everything that is due; yield each file that is to be taken now."""
        start = self._clock()
        while self._agenda and self._agenda[0][0] <= start:
            due, path = heapq.heappop(self._agenda)
            entry = self._entries.get(path)
            if entry is None or entry.due != due:
                continue
            self._schedule(path, start + _AFTER_FAULT_SECONDS)  # unless all goes well from here on
            if self._is_ready(path, entry) and entry.observation:
                yield path, entry.observation.snapshot.signature

    def untrack(self, path: str) -> None:
        """Drop a file that is no longer in the inbox, or not its business."""
        self._entries.pop(path, None)
        self._unfinished.discard(path)

    def untrack_all(self) -> None:
        """Forget everything: the share went away, and all files settle again when it is back."""
        self._entries.clear()
        self._agenda.clear()
        self._unfinished.clear()

    def postpone(self, path: str, why: str) -> None:
        """A file that was ready could not be taken: try again, ever less often."""
        entry = self._entries[path]
        self._warn_once(entry, f"{path} can't be taken yet: {why}. It is tried again.")
        entry.why, entry.tries = why, entry.tries + 1
        entry.stuck_since = self._clock() if entry.stuck_since is None else entry.stuck_since
        self._schedule(path, self._clock() + min(2.0 ** (entry.tries - 1), _LONGEST_RETRY_SECONDS))

    def waiting(self) -> dict[str, WaitingFile]:
        """Return everything that is in the inbox and not taken, by its path in the file system."""
        return {
            path: WaitingFile(printable_path(path), each.why, each.due, each.left_alone, each.stuck_since)
            for path, each in sorted(self._entries.items())
        }

    def stuck(self) -> dict[str, tuple[str, float]]:
        """Return the files that something keeps which does not end by itself: why, and since when."""
        return {
            path: (entry.why, entry.stuck_since)
            for path, entry in self._entries.items()
            if entry.stuck_since is not None
        }

    def next_due(self) -> float | None:
        """Return when the next check is due, None if nothing waits; outdated plans are dropped."""
        while self._agenda:
            due, path = self._agenda[0]
            if (entry := self._entries.get(path)) is not None and entry.due == due:
                return due
            heapq.heappop(self._agenda)
        return None

    def _schedule(self, path: str, due: float) -> _TrackedFile:
        entry = self._entries.setdefault(path, _TrackedFile(due))
        entry.due = due
        heapq.heappush(self._agenda, (due, path))
        return entry

    def _is_ready(self, path: str, entry: _TrackedFile) -> bool:
        try:
            verdict = self._observe_file(path, entry)
        except (FileNotFoundError, NotADirectoryError):
            self.untrack(path)
            return False
        except NotAPlainFile as refusal:
            entry.left_alone, entry.why = True, str(refusal)
            entry.stuck_since = self._clock() if entry.stuck_since is None else entry.stuck_since
            self._warn_once(entry, f"{path.rpartition('/')[0]}/{refusal}".removeprefix("/"))
            self._schedule(path, self._clock() + _REFUSED_RECHECK_SECONDS)
            return False
        except OSError as error:
            self.postpone(path, error_reason(error))
            return False
        entry.left_alone, entry.why = False, verdict.why
        if verdict.blocked and entry.observation is not None:
            entry.stuck_since = entry.observation.since
        elif not verdict.ready:  # one that is ready may be stuck all the same: the move is still to come
            entry.stuck_since = None
        if verdict.stalled:
            self._warn_once(entry, f"{path} still waits: {verdict.why}.")
        if not verdict.ready:
            self._schedule(path, self._next_check_time(path, entry, verdict.due))
        return verdict.ready

    def _next_check_time(self, path: str, entry: _TrackedFile, due: float) -> float:
        """Return when to check again: unfinished files together, and less often the more there are."""
        now = self._clock()
        if entry.observation is None or entry.observation.snapshot.ends.shape in COMPLETE_SHAPES:
            self._unfinished.discard(path)
            return max(due, now + _SHORTEST_PAUSE_SECONDS)
        self._unfinished.add(path)
        due = max(due, now + _PACE_SECONDS * len(self._unfinished))
        return math.ceil(due / _CHECK_BATCH_SECONDS) * _CHECK_BATCH_SECONDS

    def _observe_file(self, path: str, entry: _TrackedFile) -> StabilityVerdict:
        with open_snapshot(self._inbox, path) as seen:
            now = self._clock()
            snapshot = seen.snapshot if self.sees_writers else seen.snapshot.without_inode()
            snapshot = replace(snapshot, links=1) if self._takes_hard_links else snapshot
            age = self._unchanged_seconds(snapshot)
            entry.observation = update_observation(
                entry.observation, snapshot, now, entry.sessions, born=entry.born, age=age
            )
            entry.sessions, entry.born = 0, False
            return self._decide_stability(seen, entry.observation, now)

    def _unchanged_seconds(self, snapshot: FileSnapshot) -> float:
        """Return for how many seconds a file has not changed in any way, where its times can be trusted.

        Nobody can set a change time, and on a local disk it is of the clock that `wall` reads.
        """
        return max(0.0, self._wall() - snapshot.signature.ctime_ns / 1e9) if self.sees_writers else 0.0

    def _decide_stability(self, seen: OpenSnapshot, observation: Observation, now: float) -> StabilityVerdict:
        """Ask the cheap questions first; the lease and the zero scan only when all others say yes."""
        obstacle = f"{seen.download} is still being loaded" if seen.download else None
        writer = WriterState.NONE if self.sees_writers else WriterState.UNKNOWN
        verdict = decide_stability(observation, now, self._times, writer, obstacle)
        if verdict.ready and self.sees_writers:
            writer = self._find_writer(seen, observation, now)
            verdict = decide_stability(observation, now, self._times, writer, obstacle)
        if verdict.ready and has_unwritten_space(seen.file, seen.snapshot.ends.shape):
            obstacle = "room is reserved in it, but not filled"
            verdict = decide_stability(observation, now, self._times, writer, obstacle)
        if verdict.ready and not seen.is_unchanged():
            return StabilityVerdict(False, now, "it is being written")
        return verdict

    def _find_writer(self, seen: OpenSnapshot, observation: Observation, now: float) -> WriterState:
        fd = seen.file.fileno()
        writer = find_writer(fd)
        is_cached = may_be_server_cached(observation, now, self._times, writer) and is_only_server_cached(fd)
        return WriterState.UNKNOWN if is_cached else writer

    @staticmethod
    def _warn_once(entry: _TrackedFile, sentence: str) -> None:
        """Log a sentence once for each file."""
        if not entry.told:
            logger.warning("{}", printable_path(sentence))
            entry.told = True
