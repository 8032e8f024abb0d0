"""What would happen to a file of that name, by which pattern; and what one that is there waits for."""

from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NotAPlainFile, error_reason
from workflow.intake.completeness import has_unwritten_space
from workflow.intake.name_patterns import KIND_MEANINGS, NameKind, match_path
from workflow.intake.open_writers import WriterState, find_writer, sees_all_writers
from workflow.intake.snapshot import OpenSnapshot, open_snapshot
from workflow.intake.stability import (
    COMPLETE_SHAPES,
    Observation,
    StabilityTimes,
    incomplete_reason,
    required_quiet_seconds,
)


@dataclass(frozen=True, slots=True)
class FileExplanation:
    """What becomes of a path below the inbox, by which pattern, and what a look saw (None: no file)."""

    path: str
    kind: NameKind
    pattern: str
    becomes: str
    why: str
    seen: str | None


def explain_file(inbox: Path, path: str, times: StabilityTimes) -> FileExplanation:
    """Sort the name, and look at the file once if it is there. Nothing is changed."""
    named = match_path(path)
    seen = _describe_file(inbox, path, times) if named.kind is NameKind.PART else None
    return FileExplanation(path, named.kind, named.pattern, KIND_MEANINGS[named.kind], named.why, seen)


def _describe_file(inbox: Path, path: str, times: StabilityTimes) -> str | None:
    try:
        with open_snapshot(inbox, path) as seen:
            return _waiting_reason(seen, times, sees_all_writers(inbox))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotAPlainFile as refusal:
        return str(refusal)
    except OSError as error:
        return f"it can't be read: {error_reason(error)}. It is tried again and again."


def _waiting_reason(seen: OpenSnapshot, times: StabilityTimes, sees_writers: bool) -> str:
    look, sighting = seen.look, Observation(seen.look, 0.0, sessions=1, born=True)
    writer = find_writer(seen.file.fileno()) if sees_writers else WriterState.UNKNOWN
    if look.links > 1:
        return f"it has {look.links} names (hard links): copy it into the inbox instead."
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
