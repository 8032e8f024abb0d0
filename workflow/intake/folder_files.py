"""One visit to a folder that is not an inbox: the same gate, but every file stays where it is."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import ShareError, error_reason
from workflow.intake.filenames import printable_path, split_path
from workflow.intake.name_patterns import match_name
from workflow.intake.open_writers import sees_all_writers
from workflow.intake.scan import InboxScan, scan_inbox
from workflow.intake.stability import StabilityTimes
from workflow.intake.stability_tracker import StabilityTracker, WaitingFile

_MAX_WRITING_SECONDS = 600.0
"""How long a batch waits for a file that is still being written."""


@dataclass(frozen=True, slots=True)
class UntakenFile:
    """A file or folder that a person may have meant and that is not taken: its path, and why."""

    path: str
    why: str


class FolderFiles:
    """The part files of a folder, each as soon as it is complete; `untaken` says what is left, and why."""

    def __init__(
        self,
        folder: Path,
        times: StabilityTimes,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._folder, self._times, self._clock, self._wait = folder, times, clock, wait
        self._untaken: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield paths relative to the folder. Raise ShareError when the folder can't be read.

        Ends when all files that were there at the start are taken, are gone, or have not become ready
        within `stall_seconds`.
        """
        settling = StabilityTracker(self._folder, self._times, self._clock, takes_hard_links=True)
        try:
            settling.sees_writers = sees_all_writers(self._folder)
            found = scan_inbox(self._folder)
        except OSError as error:
            raise ShareError(f"{self._folder} can't be read: {error_reason(error)}.") from None
        settling.update_from_scan(found.paths)
        began, taken = self._clock(), 0
        while waiting := self._still_worth_waiting(settling, began):
            for path, _seen in settling.ready():
                settling.forget(path)
                taken += 1
                yield path
            if waiting:
                self._wait(max(0.0, (settling.next_due() or self._clock()) - self._clock()))
        self._untaken.update(_overlooked(found, all_kinds=not taken))

    def give_up(self, path: str, why: str) -> None:
        """Note that a file is not taken after all."""
        self._untaken[path] = why

    @property
    def untaken(self) -> tuple[UntakenFile, ...]:
        """Return what is not taken; complete once all paths have been yielded."""
        return tuple(UntakenFile(printable_path(path), why) for path, why in sorted(self._untaken.items()))

    def _still_worth_waiting(self, settling: StabilityTracker, began: float) -> tuple[WaitingFile, ...]:
        """Drop what will never be ready; return the rest."""
        now = self._clock()
        for path, waiting in settling.entries():
            stuck = waiting.stuck_since is not None and now - waiting.stuck_since >= self._times.stall_seconds
            if waiting.left_alone or stuck or now - began >= _longest(self._times):
                self.give_up(path, waiting.why)
                settling.forget(path)
        return settling.waiting()


def _longest(times: StabilityTimes) -> float:
    return max(_MAX_WRITING_SECONDS, 10 * times.stall_seconds)


def _overlooked(found: InboxScan, *, all_kinds: bool) -> Iterator[tuple[str, str]]:
    """Yield what is not taken for its name: what is named like an STL; all, if nothing was taken."""
    yield from found.blocked.items()
    for path in found.strangers | found.unfinished:
        name = split_path(path)[1]
        if all_kinds or ".stl" in name.lower():
            yield path, match_name(name).why
