"""Which files of the inbox need a note because they are not taken, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.intake.filenames import split_path
from workflow.intake.name_patterns import is_known_kind, match_name
from workflow.intake.scan import InboxScan

MAX_NOTES = 20
"""More files of other kinds at once are a whole folder of other work, and get no notes."""
KNOWN_KIND_SECONDS = 5.0
"""A STEP file, an archive or a picture is told at once, while the person is still there."""


@dataclass(frozen=True, slots=True)
class _Obstacle:
    why: str
    since: float
    patience_seconds: float
    stranger: bool = False


class NoteSchedule:
    """Remembers since when each file is not taken, why, and what its note says."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._obstacles: dict[str, _Obstacle] = {}
        self._noted: dict[str, str] = {}

    def update(self, found: InboxScan, stuck: Mapping[str, tuple[str, float]], now: float) -> tuple[str, ...]:
        """Record what a scan found; return the paths whose notes are no longer true."""
        former = self._obstacles
        self._obstacles = {
            path: _Obstacle(each.why, former[path].since if path in former else each.since,
                            each.patience_seconds, each.stranger)
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
        return self._noted.get(path) != each.why and now - each.since >= each.patience_seconds

    def _collect(
        self, found: InboxScan, stuck: Mapping[str, tuple[str, float]], now: float
    ) -> Iterator[tuple[str, _Obstacle]]:
        for path in found.strangers:
            name = split_path(path)[1]
            patience = self._patience_seconds
            if is_known_kind(name):
                patience = min(patience, KNOWN_KIND_SECONDS)
            yield path, _Obstacle(match_name(name).why, now, patience, stranger=True)
        for folder, why in found.blocked.items():
            yield folder, _Obstacle(f"{why}.", now, self._patience_seconds)
        for path, (why, since) in stuck.items():
            yield path, _Obstacle(f"{why.rstrip('.')}.", since, self._patience_seconds)
