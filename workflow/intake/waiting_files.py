"""What is in the inbox and not taken: read from the folder alone, as any other process can do it."""

import os
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path

from workflow.frozen import frozen
from workflow.intake.explain import explain_file
from workflow.intake.filenames import printable_path, split_path
from workflow.intake.mass_arrival import MASS_ARRIVAL_REASON
from workflow.intake.name_patterns import KIND_MEANINGS, NameKind
from workflow.intake.scan import InboxScan, scan_inbox
from workflow.intake.spool import account_of
from workflow.intake.stability import StabilityTimes


class WaitingKind(StrEnum):
    """How the waiting of a file in the inbox ends."""

    SETTLING = "settling"
    """By itself: it is taken once it is complete, or rejected in the end."""
    BLOCKED = "blocked"
    """Once a person has put something right: it is never taken as it is."""
    BULK_ARRIVAL = "bulk_arrival"
    """Once a person accepts the many files that came at once."""


@frozen
class InboxFile:
    """A file or folder of the inbox that is not taken: since when it is as it is, why, and what to do.

    `dropped_by` is its owner, or the person who dropped it at the console.
    """

    path: str
    kind: WaitingKind
    since: datetime
    why: str
    dropped_by: str | None


@frozen
class InboxListing:
    """What is not taken: the first files, what is to be put right before the rest, and how many there are.

    `bulk_arrival` is how many of them wait because many came at once.
    """

    files: tuple[InboxFile, ...] = ()
    count: int = 0
    bulk_arrival: int = 0


_URGENCY = (WaitingKind.BLOCKED, WaitingKind.SETTLING, WaitingKind.BULK_ARRIVAL)


def list_waiting_files(
    inbox: Path,
    times: StabilityTimes,
    *,
    moves: bool = True,
    set_aside: Collection[str] = (),
    is_passed_over: Callable[[str], bool] = lambda _: False,
    most: int = 200,
) -> InboxListing:
    """Return what is not taken. Raises OSError when the inbox can't be read.

    All are counted, and so many are opened to see why, the oldest parts first. `set_aside` came with many
    others at once, by their printable paths.
    """
    found = scan_inbox(inbox)
    visible = (path for path in found.unfinished if not split_path(path)[1].startswith("."))
    paths = (*found.blocked, *found.paths, *found.strangers, *visible)
    seen = {
        path: status for path in paths if (status := _status_of(inbox / path)) and not is_passed_over(path)
    }
    aside = {path for path in seen if printable_path(path) in set_aside}

    def turn(path: str) -> tuple[bool, bool, float]:
        return path in aside, path not in found.paths and path not in found.blocked, seen[path].st_ctime

    def describe() -> Iterator[InboxFile]:
        for path in sorted(seen, key=turn):
            if path in aside:
                kind, why = WaitingKind.BULK_ARRIVAL, f"{MASS_ARRIVAL_REASON}."
            else:
                kind, why = _explain(inbox, path, found, times, moves=moves)
            if why:
                since = datetime.fromtimestamp(seen[path].st_ctime, UTC)
                yield InboxFile(printable_path(path), kind, since, why, account_of(seen[path]))

    files = sorted(islice(describe(), most), key=lambda each: (_URGENCY.index(each.kind), each.since))
    return InboxListing(tuple(files), len(seen), len(aside))


def _status_of(place: Path) -> os.stat_result | None:
    try:
        return place.lstat()
    except OSError:  # taken, or moved away since
        return None


def _explain(
    inbox: Path, path: str, found: InboxScan, times: StabilityTimes, *, moves: bool
) -> tuple[WaitingKind, str]:
    """Return why a file is not taken; "" for one that is gone."""
    if (why := found.blocked.get(path)) is not None:
        return WaitingKind.BLOCKED, f"{why}."
    explained = explain_file(inbox, path, times, moves=moves)
    match explained.kind:
        case NameKind.PART:
            return WaitingKind.BLOCKED if explained.blocked else WaitingKind.SETTLING, explained.seen or ""
        case NameKind.UNFINISHED:
            return WaitingKind.SETTLING, f"{explained.why}: it {KIND_MEANINGS[NameKind.UNFINISHED]}."
    return WaitingKind.BLOCKED, explained.why
