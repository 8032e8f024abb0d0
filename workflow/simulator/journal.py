"""What was asked of the API, and what came of it."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice

ENTRIES_KEPT = 200_000


@dataclass(slots=True)
class Entry:
    """One request: filled in as it goes on. `status` stays None where no reply was made.

    `effect` says what the request changed, with ids; None if nothing. Holds no secret: headers and
    bodies are not kept.
    """

    number: int
    at: str
    method: str
    path: str
    query: str
    operation: str | None
    authorized: bool = False
    status: int | None = None
    effect: Mapping[str, object] | None = None
    fault: str | None = None
    message: str | None = None

    def finish(self, status: int, effect: Mapping[str, object] | None, message: str | None) -> None:
        """Write down what came of the request."""
        self.status, self.effect, self.message = status, effect, message


class Journal:
    """The latest requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=ENTRIES_KEPT)
        self._last = 0

    def open(self, at: str, method: str, path: str, query: str, operation: str | None) -> Entry:
        """Begin the entry of a request that has just come in."""
        self._last += 1
        entry = Entry(self._last, at, method, path, query, operation)
        self._entries.append(entry)
        return entry

    def since(self, number: int = 0) -> Sequence[dict[str, object]]:
        """Give the entries with a higher number than this one."""
        dropped = self._last - len(self._entries)
        wanted = islice(self._entries, max(number - dropped, 0), None)
        return [{each.name: getattr(entry, each.name) for each in fields(Entry)} for entry in wanted]
