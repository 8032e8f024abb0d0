"""Files in the inbox that are no part files: left where they are, with one note after a while."""

from collections.abc import Collection, Iterator

from workflow.intake.kinds import name_kind
from workflow.intake.names import split

MOST_NOTES = 20
"""More strangers than that at once are somebody's whole folder: notes beside all of them help nobody."""


class Strangers:
    """Remembers since when each stranger has been there, and of which one a note was asked for."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._since: dict[str, float] = {}
        self._noted: set[str] = set()

    def found(self, paths: Collection[str], now: float) -> None:
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
        if len(due) <= MOST_NOTES:
            yield from ((path, name_kind(split(path)[1]).why) for path in sorted(due))

    def _is_old(self, path: str, now: float) -> bool:
        return now - self._since[path] >= self._patience_seconds
