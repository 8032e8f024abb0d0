"""What happens to a file of a given name, by which pattern; and what a file that is there waits for."""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NotAPlainFile, error_reason
from workflow.intake.claim import move_refusal_text
from workflow.intake.completeness import has_unwritten_space
from workflow.intake.name_patterns import KIND_MEANINGS, NameKind, match_path
from workflow.intake.open_writers import WriterState, find_writer, sees_all_writers
from workflow.intake.scan import scan_inbox
from workflow.intake.share import account_name
from workflow.intake.snapshot import OpenSnapshot, open_snapshot
from workflow.intake.stability import (
    COMPLETE_SHAPES,
    Observation,
    StabilityTimes,
    hard_link_text,
    incomplete_reason,
    required_quiet_seconds,
)

_LONG_OPEN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
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
    if seen.look.links > 1:
        return hard_link_text(seen.look.links)
    return _held_open(seen, inbox)


def _held_open(seen: OpenSnapshot, inbox: Path) -> str | None:
    """A program that writes now is none of a person's business; one that has long stopped is."""
    still_for = time.time() - seen.look.signature.ctime_ns / 1e9
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
    look, sighting = seen.look, Observation(seen.look, 0.0, sessions=1, born=True)
    writer = find_writer(seen.file.fileno()) if sees_writers else WriterState.UNKNOWN
    if seen.download:
        return f"{seen.download} is still being loaded: it is taken after that."
    if writer is WriterState.OPEN:
        return "it is still open in another program: it is taken after that."
    if look.ends.shape not in COMPLETE_SHAPES or has_unwritten_space(seen.file, look.ends.shape):
        return (
            f"{incomplete_reason(sighting)}; if that stays so for {times.stall_seconds:g} s, it is rejected."
        )
    still = required_quiet_seconds(sighting, times, writer)
    return (
        f"{look.ends.shape}, {look.ends.size:,} bytes: it is taken when it has not changed for {still:g} s."
    )
