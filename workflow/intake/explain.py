"""What would happen to a file of that name, by which pattern; and what one that is there waits for."""

from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NotAPlainFile
from workflow.intake.gate import WHOLE, GateTimes, Sighting, quiet_seconds, why_unfinished
from workflow.intake.kinds import BECOMES, Kind, path_kind
from workflow.intake.shape import has_holes
from workflow.intake.sight import InSight, looking_at
from workflow.intake.writers import Writer, find_writer, sees_all_writers


@dataclass(frozen=True, slots=True)
class Explained:
    """What becomes of a path below the inbox, by which pattern, and what a look saw (None: no file)."""

    path: str
    kind: Kind
    pattern: str
    becomes: str
    why: str
    seen: str | None


def explain_file(inbox: Path, path: str, times: GateTimes) -> Explained:
    """Sort the name, and look at the file once if it is there. Nothing is changed."""
    named = path_kind(path)
    seen = _look(inbox, path, times) if named.kind is Kind.PART else None
    return Explained(path, named.kind, named.pattern, BECOMES[named.kind], named.why, seen)


def _look(inbox: Path, path: str, times: GateTimes) -> str | None:
    try:
        with looking_at(inbox, path) as seen:
            return _what_it_waits_for(seen, times, sees_all_writers(inbox))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotAPlainFile as refusal:
        return str(refusal)
    except OSError as error:
        return f"it can't be read: {error.strerror}. It is tried again and again."


def _what_it_waits_for(seen: InSight, times: GateTimes, sees_writers: bool) -> str:
    look, sighting = seen.look, Sighting(seen.look, 0.0, sessions=1, born=True)
    writer = find_writer(seen.file.fileno()) if sees_writers else Writer.UNKNOWN
    if look.links > 1:
        return f"it has {look.links} names (hard links): copy it into the inbox instead."
    if seen.download:
        return f"{seen.download} is still being loaded: it is taken after that."
    if writer is Writer.OPEN:
        return "it is still open in another program: it is taken after that."
    if look.ends.shape not in WHOLE or has_holes(seen.file, look.ends.shape):
        return f"{why_unfinished(sighting)}; if that stays so for {times.stall_seconds:g} s, it is rejected."
    still = quiet_seconds(sighting, times, writer)
    return (
        f"{look.ends.shape}, {look.ends.size:,} bytes: it is taken when it has not changed for {still:g} s."
    )
