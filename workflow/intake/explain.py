"""What happens to a file of a given name, what a waiting file waits for, and when it needs a note."""

import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow.errors import NotAPlainFile, error_reason
from workflow.frozen import frozen
from workflow.intake.claim import move_refusal_text
from workflow.intake.completeness import OpenSnapshot, has_unwritten_space, open_snapshot
from workflow.intake.filenames import split_path
from workflow.intake.name_patterns import KIND_MEANINGS, NameKind, is_known_kind, match_name, match_path
from workflow.intake.open_writers import WriterState, find_writer, sees_all_writers
from workflow.intake.scan import InboxScan, scan_inbox
from workflow.intake.share import account_name
from workflow.intake.stability import (
    COMPLETE_SHAPES,
    Observation,
    StabilityTimes,
    hard_link_text,
    incomplete_reason,
    required_quiet_seconds,
)

_LONG_OPEN_SECONDS = 300.0


@frozen
class FileExplanation:
    """What becomes of a path below the inbox, by which pattern, and what was seen there (None: no file).

    `blocked`: something keeps the file that does not end by itself; `seen` says what, and what to do.
    """

    path: str
    kind: NameKind
    pattern: str
    becomes: str
    why: str
    seen: str | None
    blocked: bool = False


BLOCKED = "waits in the inbox until a person puts it right"


def explain_file(inbox: Path, path: str, times: StabilityTimes, *, moves: bool = True) -> FileExplanation:
    """Return what happens to a path, by its name and by the file if it is there. Nothing is changed.

    `moves`: files are moved out of this inbox, so that their folders have to be writable.
    """
    named = match_path(path)
    becomes = KIND_MEANINGS[named.kind]
    if named.kind is not NameKind.PART:
        return FileExplanation(path, named.kind, named.pattern, becomes, named.why, None)
    if (obstacle := find_obstacle(inbox, path, moves=moves)) is not None:
        return FileExplanation(
            path, named.kind, named.pattern, BLOCKED, named.why, f"{obstacle}.", blocked=True
        )
    seen = _describe_file(inbox, path, times)
    return FileExplanation(path, named.kind, named.pattern, becomes, named.why, seen)


def find_blocked_files(inbox: Path, *, moves: bool = True, most: int = 1000) -> dict[str, str]:
    """Return the files and folders of the inbox that wait for a person, each with the reason.

    At most so many files are checked. Raises OSError when the inbox can't be read.
    """
    found = scan_inbox(inbox)
    obstacles = {path: find_obstacle(inbox, path, moves=moves) for path in sorted(found.paths)[:most]}
    return {**found.blocked, **{path: why for path, why in obstacles.items() if why is not None}}


def find_obstacle(inbox: Path, path: str, *, moves: bool = True) -> str | None:
    """Return what keeps a file in the inbox until a person puts it right; None for nothing, or no file.

    Rights are those of the account that asks.
    """
    *folders, name = path.split("/")
    place = inbox
    try:
        for folder in folders:
            place = place / folder
            if place.is_symlink():
                return (
                    f"it is below {folder}, which is a link. Links are not followed: copy the folder itself"
                )
        if (place / name).is_dir() and not (place / name).is_symlink():
            return None
        with open_snapshot(inbox, path) as seen:
            return _obstacle_of(seen, inbox, place, path) if moves else _held_open(seen, inbox)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotAPlainFile as refusal:
        return str(refusal).rstrip(".")
    except OSError as error:
        return f"it can't be read: {error_reason(error)}. Give {account_name()} the right to read it"


def _obstacle_of(seen: OpenSnapshot, inbox: Path, folder: Path, path: str) -> str | None:
    if folder.stat().st_dev != inbox.stat().st_dev:
        return move_refusal_text(OSError(errno.EXDEV, ""), path)
    if not os.access(folder, os.W_OK | os.X_OK):
        return move_refusal_text(PermissionError(errno.EACCES, ""), path)
    if _is_kept_by_sticky_bit(folder.stat(), os.fstat(seen.file.fileno())):
        return move_refusal_text(PermissionError(errno.EPERM, ""), path)
    if seen.snapshot.links > 1:
        return hard_link_text(seen.snapshot.links)
    return _held_open(seen, inbox)


def _is_kept_by_sticky_bit(folder: os.stat_result, file: os.stat_result) -> bool:
    """True if the folder lets only its owner, and those of its files, move them, and we are neither."""
    allowed = {0, folder.st_uid, file.st_uid}
    return bool(folder.st_mode & stat.S_ISVTX) and hasattr(os, "geteuid") and os.geteuid() not in allowed


def _held_open(seen: OpenSnapshot, inbox: Path) -> str | None:
    """A program that writes now is none of a person's business; one that has long stopped is."""
    still_for = time.time() - seen.snapshot.signature.ctime_ns / 1e9
    if still_for < _LONG_OPEN_SECONDS or not sees_all_writers(inbox):
        return None
    open_for = (
        f"it is still open in another program, unchanged for {still_for / 60:.0f} minutes. Close it there"
    )
    return open_for if find_writer(seen.file.fileno()) is WriterState.OPEN else None


def _describe_file(inbox: Path, path: str, times: StabilityTimes) -> str | None:
    try:
        with open_snapshot(inbox, path) as seen:
            return _waiting_reason(seen, times, sees_all_writers(inbox))
    except (OSError, NotAPlainFile):  # gone, or changed since it was checked
        return None


def _waiting_reason(seen: OpenSnapshot, times: StabilityTimes, sees_writers: bool) -> str:
    snapshot = seen.snapshot
    observed = Observation(snapshot, 0.0, sessions=1, born=True)
    writer = find_writer(seen.file.fileno()) if sees_writers else WriterState.UNKNOWN
    if seen.download:
        return f"{seen.download} is still being loaded: it is taken after that."
    if writer is WriterState.OPEN:
        return "it is still open in another program: it is taken after that."
    if snapshot.ends.shape not in COMPLETE_SHAPES or has_unwritten_space(seen.file, snapshot.ends.shape):
        return (
            f"{incomplete_reason(observed)}; if that stays so for {times.stall_seconds:g} s, it is rejected."
        )
    still = required_quiet_seconds(observed, times, writer)
    size = f"{snapshot.ends.shape}, {snapshot.ends.size:,} bytes"
    return f"{size}: it is taken when it has not changed for {still:g} s."


MAX_NOTES = 20
"""More files of other kinds at once are a whole folder of other work, and get no notes."""
KNOWN_KIND_SECONDS = 5.0
"""A STEP file, an archive or a picture is told at once, while the person is still there."""


@frozen
class _Obstacle:
    why: str
    since: float
    delay_seconds: float
    stranger: bool = False


class NoteSchedule:
    """Remembers since when each file is not taken, why, and what its note says."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._obstacles: dict[str, _Obstacle] = {}
        self._noted: dict[str, str] = {}

    def update(self, found: InboxScan, stuck: Mapping[str, tuple[str, float]], now: float) -> tuple[str, ...]:
        """Record what a scan found; return the paths whose notes are no longer true."""
        former = self._obstacles
        self._obstacles = {
            path: _Obstacle(each.why, former[path].since if path in former else each.since,
                            each.delay_seconds, each.stranger)
            for path, each in self._collect(found, stuck, now)
        }  # fmt: skip
        gone = tuple(path for path in self._noted if path not in self._obstacles)
        for path in gone:
            del self._noted[path]
        return gone

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """Yield each path that needs a note now, with the reason; a reason is told once."""
        due = [path for path in sorted(self._obstacles) if self._is_due(path, now)]
        strangers = [path for path in due if self._obstacles[path].stranger]
        stuck = [path for path in due if not self._obstacles[path].stranger]
        self._noted.update((path, self._obstacles[path].why) for path in due)
        shown = (strangers if len(strangers) <= MAX_NOTES else []) + stuck[:MAX_NOTES]
        yield from ((path, self._obstacles[path].why) for path in shown)

    def _is_due(self, path: str, now: float) -> bool:
        each = self._obstacles[path]
        return self._noted.get(path) != each.why and now - each.since >= each.delay_seconds

    def _collect(
        self, found: InboxScan, stuck: Mapping[str, tuple[str, float]], now: float
    ) -> Iterator[tuple[str, _Obstacle]]:
        for path in found.strangers:
            name = split_path(path)[1]
            delay = self._delay_seconds
            if is_known_kind(name):
                delay = min(delay, KNOWN_KIND_SECONDS)
            yield path, _Obstacle(match_name(name).why, now, delay, stranger=True)
        for folder, why in found.blocked.items():
            yield folder, _Obstacle(f"{why}.", now, self._delay_seconds)
        for path, (why, since) in stuck.items():
            yield path, _Obstacle(f"{why.rstrip('.')}.", since, self._delay_seconds)
