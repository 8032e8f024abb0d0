"""One scan of the inbox (names only: it stays cheap), and one visit to a folder whose files stay in place."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path

from workflow.errors import ShareError, error_reason
from workflow.frozen import frozen
from workflow.intake.filenames import printable_path, split_path
from workflow.intake.name_patterns import NameKind, is_ignored_folder, is_part_file, match_name
from workflow.intake.open_writers import sees_all_writers
from workflow.intake.stability import StabilityTimes
from workflow.intake.stability_tracker import StabilityTracker, WaitingFile

_LINK_REASON = "it is a link, and links are not followed. Copy the folder itself into the inbox"


@frozen
class InboxScan:
    """What a walk found, by paths below the inbox.

    `paths` are named like a part, whatever they turn out to be. `strangers` are files of other kinds,
    `unfinished` those that a program will rename, and `texts` may be notes. `blocked` are folders that
    were not entered, each with the reason; `unreadable` those of them that the system refuses.
    """

    paths: frozenset[str]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    @property
    def blocked(self) -> dict[str, str]:
        """Return all folders that were not entered, each with the reason."""
        refused = {folder: f"the folder can't be read: {why}" for folder, why in self.unreadable.items()}
        return {**refused, **dict.fromkeys(self.links, _LINK_REASON)}


def scan_inbox(inbox: Path) -> InboxScan:
    """Walk through the inbox and its folders. Raises OSError only when the inbox itself can't be read."""
    found: dict[NameKind | str, set[str]] = {kind: set() for kind in (*NameKind, "texts", "links")}
    unreadable: dict[str, str] = {}
    below = _read_folder(inbox, "", found)
    while below:
        folder = below.pop()
        try:
            below += _read_folder(inbox, folder, found)
        except FileNotFoundError:
            continue  # moved away since it was listed
        except OSError as error:
            unreadable[folder.rstrip("/")] = error_reason(error)
    return InboxScan(
        paths=frozenset(found[NameKind.PART]),
        unreadable=unreadable,
        strangers=frozenset(found[NameKind.STRANGER]),
        unfinished=frozenset(found[NameKind.UNFINISHED]),
        texts=frozenset(found["texts"]),
        links=frozenset(found["links"]),
    )


def _read_folder(inbox: Path, folder: str, found: Mapping[NameKind | str, set[str]]) -> list[str]:
    """Sort what a folder holds into `found`; return the folders below."""
    below = []
    with os.scandir(f"{inbox}/{folder}") as entries:
        for entry in entries:
            path = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                below += [] if is_ignored_folder(entry.name) else [f"{path}/"]
            elif is_part_file(entry.name):
                found["links" if _is_linked_folder(entry) else NameKind.PART].add(path)
            elif _is_linked_folder(entry):
                found["links"].add(path)
            elif entry.name.endswith(".txt"):
                found["texts"].add(path)
            else:
                found[match_name(entry.name).kind].add(path)
    return below


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and entry.is_dir()


_MAX_WRITING_SECONDS = 600.0
"""How long a batch waits for a file that is still being written."""


@frozen
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
        """Yield paths relative to the folder. Raises ShareError when the folder can't be read.

        Ends when all files that were there at the start are taken, are gone, or have not become ready
        within `stall_seconds`.
        """
        tracker = StabilityTracker(self._folder, self._times, self._clock, takes_hard_links=True)
        try:
            tracker.sees_writers = sees_all_writers(self._folder)
            found = scan_inbox(self._folder)
        except OSError as error:
            raise ShareError(f"{self._folder} can't be read: {error_reason(error)}.") from None
        tracker.update_from_scan(found.paths)
        began, taken = self._clock(), 0
        while waiting := self._still_worth_waiting(tracker, began):
            for path, _seen in tracker.find_stable_files():
                tracker.untrack(path)
                taken += 1
                yield path
            if waiting:
                self._wait(max(0.0, (tracker.next_due() or self._clock()) - self._clock()))
        self._untaken.update(_overlooked(found, all_kinds=not taken))

    def give_up(self, path: str, why: str) -> None:
        """Note that a file is not taken after all."""
        self._untaken[path] = why

    @property
    def untaken(self) -> tuple[UntakenFile, ...]:
        """Return what is not taken; complete once all paths have been yielded."""
        return tuple(UntakenFile(printable_path(path), why) for path, why in sorted(self._untaken.items()))

    def _still_worth_waiting(self, tracker: StabilityTracker, began: float) -> tuple[WaitingFile, ...]:
        """Drop what will never be ready; return the rest."""
        now = self._clock()
        for path, waiting in tracker.waiting().items():
            stuck = waiting.stuck_since is not None and now - waiting.stuck_since >= self._times.stall_seconds
            if waiting.left_alone or stuck or now - began >= _longest(self._times):
                self.give_up(path, waiting.why)
                tracker.untrack(path)
        return tuple(tracker.waiting().values())


def _longest(times: StabilityTimes) -> float:
    return max(_MAX_WRITING_SECONDS, 10 * times.stall_seconds)


def _overlooked(found: InboxScan, *, all_kinds: bool) -> Iterator[tuple[str, str]]:
    """Yield what is not taken for its name: what is named like an STL; all, if nothing was taken."""
    yield from found.blocked.items()
    for path in found.strangers | found.unfinished:
        name = split_path(path)[1]
        if all_kinds or ".stl" in name.lower():
            yield path, match_name(name).why


def paths_below(folder: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder, by names alone."""
    for place, _folders, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        above = f"{below.as_posix()}/" if below.parts else ""
        yield from (f"{above}{name}" for name in names)


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the plain files below a folder and what `lstat` says of each, links left out."""
    for place in sorted(paths_below(folder)):
        try:
            seen = (folder / place).lstat()
        except OSError:  # it was moved on
            continue
        if stat.S_ISREG(seen.st_mode):
            yield folder / place, seen
