"""One walk through the inbox: names only, so that a sweep stays cheap.

One visit to a folder that is not an inbox: the same gate, but every file stays where it is.

Files in the inbox that are no part files: left where they are, with one note after a while.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import ShareError, error_reason
from workflow.intake.filenames import split_path
from workflow.intake.name_patterns import is_ignored_folder, is_part_file, is_unsupported_file, match_name
from workflow.intake.open_writers import sees_all_writers
from workflow.intake.stability import StabilityTimes
from workflow.intake.stability_tracker import StabilityTracker


@dataclass(frozen=True, slots=True)
class InboxScan:
    """What a walk found: paths of part files and of strangers, and folders that can't be read, with why.

    Anything named like an STL is in `paths`, whatever it turns out to be; links are not followed.
    """

    paths: frozenset[str]
    unreadable: Mapping[str, str]
    strangers: frozenset[str] = frozenset()


def scan_inbox(inbox: Path) -> InboxScan:
    """Look through the inbox and its folders. Raises OSError only when the inbox itself can't be read."""
    paths: set[str] = set()
    strangers: set[str] = set()
    unreadable: dict[str, str] = {}
    below = _read_folder(inbox, "", paths, strangers)
    while below:
        folder = below.pop()
        try:
            below += _read_folder(inbox, folder, paths, strangers)
        except FileNotFoundError:
            continue  # moved away since it was listed
        except OSError as error:
            unreadable[folder.rstrip("/")] = error_reason(error)
    return InboxScan(frozenset(paths), unreadable, frozenset(strangers))


def _read_folder(inbox: Path, folder: str, paths: set[str], strangers: set[str]) -> list[str]:
    """Add what the folder holds to `paths` and `strangers`, and give the folders below."""
    below = []
    with os.scandir(f"{inbox}/{folder}") as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below += [] if is_ignored_folder(entry.name) else [f"{folder}{entry.name}/"]
            elif is_part_file(entry.name):
                paths.add(folder + entry.name)
            elif is_unsupported_file(entry.name):
                strangers.add(folder + entry.name)
    return below


def stable_files(
    folder: Path,
    times: StabilityTimes,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[str]:
    """Give the part files of a folder, each as soon as it is complete; paths are relative to it.

    Ends when all that were there at the start are given, or have gone. Links, pipes and folders named
    like an STL are left out. Raises ShareError when the folder can't be read.
    """
    settling = StabilityTracker(folder, times, clock)
    try:
        settling.sees_writers = sees_all_writers(folder)
        settling.update_from_scan(scan_inbox(folder).paths)
    except OSError as error:
        raise ShareError(f"{folder} can't be read: {error_reason(error)}.") from None
    while any(not waiting.left_alone for waiting in settling.waiting()):
        for path, _seen in settling.ready():
            settling.forget(path)
            yield path
        wait(max(0.0, (settling.next_due() or clock()) - clock()))


MAX_UNSUPPORTED_NOTES = 20
"""More strangers than that at once are somebody's whole folder: notes beside all of them help nobody."""


class UnsupportedFiles:
    """Remembers since when each stranger has been there, and of which one a note was asked for."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._since: dict[str, float] = {}
        self._noted: set[str] = set()

    def update_from_scan(self, paths: Collection[str], now: float) -> None:
        """Take over what a walk found."""
        gone = self._since.keys() - paths
        for path in gone:
            del self._since[path]
        self._noted -= gone
        for path in paths:
            self._since.setdefault(path, now)

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """Give each stranger that has been there for long enough, with what to do about it, once."""
        due = [path for path in self._since.keys() - self._noted if self._is_old(path, now)]
        self._noted.update(due)
        if len(due) <= MAX_UNSUPPORTED_NOTES:
            yield from ((path, match_name(split_path(path)[1]).why) for path in sorted(due))

    def _is_old(self, path: str, now: float) -> bool:
        return now - self._since[path] >= self._patience_seconds
