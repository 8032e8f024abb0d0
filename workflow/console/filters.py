"""The search of a table: from the address to conditions, and back into chips and links."""

import base64
import binascii
import json
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo

from starlette.datastructures import QueryParams

from workflow.console.forms import Refused, is_whole_number
from workflow.console.render import STATE_WORDS
from workflow.frozen import frozen
from workflow.ledger import SORT_COLUMNS, Cursor, SortOrder, SubmissionFilter
from workflow.model import Destination, HoldReason

FIELDS = {
    "state": "state",
    "hold": "hold",
    "who": "dropped_by",
    "preset": "preset",
    "printer": "device",
    "rule": "rule",
    "to": "destination",
}
"""What can be asked for as `name:value`, and the column of each."""
DAYS = ("since", "until")
IN_PROGRESS = ("claimed", "inspected", "uploaded", "slicing", "sliced", "routed")


def _states_by_word() -> Mapping[str, Collection[str]]:
    found: dict[str, list[str]] = {}
    for state, word in STATE_WORDS.items():
        found.setdefault(_choice(word), []).append(state)
    return {"progress": IN_PROGRESS, **found}


def _choice(text: str) -> str:
    return text.casefold().replace(" ", "_")


CHOICES: Mapping[str, Mapping[str, Collection[str]]] = {
    "state": _states_by_word(),
    "hold": {each: (each,) for each in HoldReason},
    "to": {each: (each,) for each in Destination},
}
"""What may follow these names, and the values of the column that it means; other names take any text."""
CHIPS = (
    ("", "All"),
    ("since:today", "Today"),
    ("state:progress", "In progress"),
    ("state:held", "Held"),
    ("state:rejected", "Rejected"),
    ("state:canceled", "Canceled"),
    ("state:sent", "Sent"),
    ("state:printing", "Printing"),
    ("state:printed", "Printed"),
)
LONGEST_QUERY = 500
MOST_ONLY = 500


@frozen
class Chip:
    """A link that sets one condition; `active` if it is set."""

    text: str
    query: str
    active: bool


def parse_filter(parameters: QueryParams, zone: tzinfo | None) -> SubmissionFilter:
    """Return the conditions of an address. Raises Refused for what can't be understood."""
    fields: dict[str, set[str]] = {}
    without: dict[str, set[str]] = {}
    words: list[str] = []
    without_words: list[str] = []
    since = until = None
    for negative, name, value in _terms(parameters.get("q", "")):
        if negative and name in DAYS:
            other = DAYS[name == DAYS[0]]
            raise Refused(f"{name}: can't be excluded. Use {other}: instead.")
        if name == "since":
            since = _day(value, zone)
        elif name == "until":
            until = _day(value, zone, days_later=1)
        elif name:
            (without if negative else fields).setdefault(FIELDS[name], set()).update(_values(name, value))
        else:
            (without_words if negative else words).append(value)
    return SubmissionFilter(
        tuple(words),
        tuple(without_words),
        {name: frozenset(values) for name, values in fields.items()},
        {name: frozenset(values) for name, values in without.items()},
        since,
        until,
        _parse_only(parameters.get("only")),
    )


def _terms(text: str) -> Iterator[tuple[bool, str, str]]:
    """Yield each term: whether it excludes, the name before the colon if it is one of ours, the value."""
    if len(text) > LONGEST_QUERY:
        raise Refused(f"The search has {len(text)} characters. Use {LONGEST_QUERY} at most.", field="q")
    for term in _split(text):
        negative = term.startswith("-") and len(term) > 1
        name, colon, value = term.removeprefix("-" if negative else "").partition(":")
        if colon and name.lower() in {*FIELDS, *DAYS}:
            yield negative, name.lower(), value
        else:
            yield negative, "", term.removeprefix("-" if negative else "")


def _split(text: str) -> Iterable[str]:
    """Return words; quotes keep blanks together: `printer:"Mark Two left"`."""
    try:
        return shlex.split(text.replace("'", "\\'"))
    except ValueError:
        return text.split()


def _values(name: str, value: str) -> Iterable[str]:
    """Return what a column may hold. Raises Refused for what it never holds: no part would be found."""
    choices, chosen = CHOICES.get(name), _choice(value)
    if choices is None:
        if not value:
            raise Refused(f"Write a name behind {name}:, without a blank.")
        return [value]
    if name == "state" and chosen in STATE_WORDS and chosen not in choices:
        return [chosen]
    if chosen not in choices:
        raise Refused(f"{name}: takes {', '.join(choices)}, not {value[:40]!r}.")
    return choices[chosen]


def _day(value: str, zone: tzinfo | None, days_later: int = 0) -> datetime:
    """Return when a day of the shop's calendar begins, or one some days later: not all have 24 hours."""
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        if value == "today":
            day = today
        elif value.endswith("d") and is_whole_number(value[:-1], 4):
            day = today - timedelta(days=int(value[:-1]))
        else:
            day = datetime.fromisoformat(value)
        day += timedelta(days=days_later)
        return (day if day.tzinfo else day.replace(tzinfo=zone)).astimezone()
    except (ValueError, OverflowError):
        raise Refused(f"{value!r} is no day. Write it like 2026-11-28, today or 7d.", field="q") from None


def _parse_only(text: str | None) -> frozenset[int] | None:
    if text is None:
        return None
    numbers = [int(each) for each in text.split(",") if is_whole_number(each, 9)]
    return frozenset(numbers[:MOST_ONLY])


def parse_order(parameters: QueryParams) -> SortOrder:
    """Return how to sort: `sort=file`, or `sort=-file` for the other way round."""
    word = parameters.get("sort", "-number")
    column = word.removeprefix("-")
    if column not in SORT_COLUMNS:
        raise Refused(f"The table can't be sorted by {column[:20]!r}, but by {', '.join(SORT_COLUMNS)}.")
    return SortOrder(column, word.startswith("-"))


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as it is in an address."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")


def read_cursor(text: str | None, order: SortOrder) -> Cursor | None:
    """Return where a page begins; None at the beginning. Raises Refused for what was never a cursor."""
    if not text:
        return None
    try:
        value, number = json.loads(base64.urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}"))
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise ValueError
        if not isinstance(value, int if order.column == "number" else str) or isinstance(value, bool):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Refused("This page of the table is not there. Begin at the first one.") from None
    return value, number


def chips(query: str) -> tuple[Chip, ...]:
    """Return the chips above the table; each keeps what else is searched for."""
    ours = {term for term, _ in CHIPS}
    terms = query.split()
    others = [term for term in terms if term not in ours]
    return tuple(
        Chip(text, " ".join(filter(None, [*others, term])), term in terms if term else not ours & set(terms))
        for term, text in CHIPS
    )
