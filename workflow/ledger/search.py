"""Submissions by text, state and time, page by page, and what has changed since a moment."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, func, or_, select

from workflow.frozen import frozen
from workflow.ledger.contains import ESCAPE, Contains
from workflow.ledger.store import Store
from workflow.ledger.tables import events, submissions
from workflow.model import Destination, Submission

LONGEST_COUNT = 5000
"""More is not counted: "5,000 or more" says as much."""
EVENTS_AT_ONCE = 1000
SEARCHED_FOR_ENDS = 5000
"""No shop sends more on one day."""
_NAMED_PLACES = (Destination.BACKLOG.value, Destination.JOB_REQUEST.value)
"""Where a build goes if not to a printer's queue, which is found by the printer."""

SORT_COLUMNS: Mapping[str, ColumnElement[object]] = {
    "number": submissions.c.id,
    "file": submissions.c.path,
    "state": submissions.c.state,
    "preset": func.coalesce(submissions.c.preset, ""),
    "destination": func.coalesce(submissions.c.device, submissions.c.destination, ""),
}
"""What a table can be sorted by; all other columns come from elsewhere."""


@frozen
class SubmissionFilter:
    """Which submissions: all conditions have to be true; an empty one is. `words`: see `_says`."""

    words: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values by column: state, hold, preset, device, destination, dropped_by; "rule" is either rule."""
    without_fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    only: frozenset[int] | None = None
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Part of a text by column, or a pattern of all of it with `*` and `?`; "rule" is either rule."""


@frozen
class SortOrder:
    """By which column, and in which direction; `number` decides among equals."""

    column: str = "number"
    descending: bool = True


@frozen
class LatestEvent:
    """The last line of a history: its number grows with each change, so that it is a version."""

    id: int
    at: datetime


Cursor = tuple[str | int, int]
"""Where the next page begins: the sorted value and the number of the last row."""


class SearchStore(Store):
    """Claimed submissions, for tables."""

    def page(
        self, wanted: SubmissionFilter, order: SortOrder, limit: int, after: Cursor | None = None
    ) -> tuple[Sequence[Submission], Cursor | None]:
        """Return one page, and where the next one begins; None at the end."""
        found = self._numbers(wanted, order, limit + 1, after)
        return self._rows(found, order, limit)

    def first_page(
        self, wanted: SubmissionFilter, order: SortOrder, limit: int
    ) -> tuple[Sequence[Submission], Cursor | None, int]:
        """Return the first page, where the next one begins, and how many there are, up to `LONGEST_COUNT`.

        A search by words reads a whole index: once for both.
        """
        found = self._numbers(wanted, order, LONGEST_COUNT if wanted.words else limit + 1)
        rows, following = self._rows(found, order, limit)
        is_counted = wanted.words or following is None
        return rows, following, len(found) if is_counted else self.count(wanted)

    def _numbers(
        self, wanted: SubmissionFilter, order: SortOrder, limit: int, after: Cursor | None = None
    ) -> Sequence[int]:
        """Return the numbers that match, in order: rows are wide, and would be carried through the sort."""
        column: ColumnElement[Any] = SORT_COLUMNS[order.column]
        number: ColumnElement[int] = submissions.c.id
        condition = _condition(wanted)
        if after is not None:
            condition = and_(condition, _behind(column, number, order, after))
        if wanted.words:  # sorted at the end: the index of what is searched is read from one end to the other
            number += 0
            column = number if order.column == "number" else func.coalesce(column, "")
        ways = [column.desc(), number.desc()] if order.descending else [column.asc(), number.asc()]
        with self.read_connection() as connection:
            query = select(submissions.c.id).where(condition).order_by(*ways).limit(limit)
            return connection.execute(query).scalars().all()

    def _rows(
        self, numbers: Sequence[int], order: SortOrder, limit: int
    ) -> tuple[Sequence[Submission], Cursor | None]:
        shown = numbers[:limit]
        found = {
            each.id: each
            for each in self.select_submissions(select(submissions).where(submissions.c.id.in_(shown)))
        }
        rows = [found[number] for number in shown if number in found]
        if len(numbers) <= limit or not rows:
            return rows, None
        return rows, (_sorted_value(order.column, rows[-1]), rows[-1].id)

    def count(self, wanted: SubmissionFilter) -> int:
        """Return how many there are, up to `LONGEST_COUNT`."""
        some = select(submissions.c.id).where(_condition(wanted)).limit(LONGEST_COUNT).subquery()
        with self.read_connection() as connection:
            return int(connection.execute(select(func.count()).select_from(some)).scalar_one())

    def count_ended_since(self, since: datetime) -> Mapping[str, int]:
        """Return how many of the newest submissions ended since a moment, by state."""
        newest = select(func.coalesce(func.max(submissions.c.id), 0) - SEARCHED_FOR_ENDS).scalar_subquery()
        lately = and_(submissions.c.id > newest, submissions.c.ended_at >= since.timestamp())
        query = select(submissions.c.state, func.count()).where(lately).group_by(submissions.c.state)
        with self.read_connection() as connection:
            return {state: int(n) for state, n in connection.execute(query)}

    def latest_events(self, numbers: Collection[int], kind: str | None = None) -> Mapping[int, LatestEvent]:
        """Return the last event of each of these submissions, or the last one of a kind."""
        query = select(events.c.submission, func.max(events.c.id), func.max(events.c.at))
        query = query.where(events.c.submission.in_(sorted(numbers))).group_by(events.c.submission)
        if kind is not None:
            query = query.where(events.c.event == kind)
        with self.read_connection() as connection:
            return {
                number: LatestEvent(int(last), datetime.fromtimestamp(at, UTC))
                for number, last, at in connection.execute(query)
            }

    def list_droppers(self, limit: int = 200) -> Sequence[str]:
        """Return who dropped files, by name."""
        query = select(submissions.c.dropped_by).where(submissions.c.dropped_by.is_not(None)).distinct()
        with self.read_connection() as connection:
            found = connection.execute(query.order_by(submissions.c.dropped_by).limit(limit))
            return [str(name) for name in found.scalars()]

    def list_details(self, kinds: Collection[str], limit: int) -> Sequence[str]:
        """Return the details of the newest events of these kinds."""
        query = select(events.c.detail).where(events.c.event.in_([str(each) for each in kinds]))
        with self.read_connection() as connection:
            found = connection.execute(query.order_by(events.c.id.desc()).limit(limit))
            return [str(detail) for detail in found.scalars()]

    def last_event(self) -> int:
        """Return the number of the newest event of all; 0 without any."""
        with self.read_connection() as connection:
            return int(connection.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())

    def changes_since(self, event: int) -> Mapping[int, int]:
        """Return which submissions have events after this one, each with its newest: its version."""
        query = select(events.c.id, events.c.submission).where(events.c.id > event)
        with self.read_connection() as connection:
            rows = connection.execute(query.order_by(events.c.id.desc()).limit(EVENTS_AT_ONCE)).all()
        return {submission: version for version, submission in reversed(rows)}


def _condition(wanted: SubmissionFilter) -> ColumnElement[bool]:
    c = submissions.c
    conditions: list[ColumnElement[bool]] = [c.claimed_as.is_not(None)]
    conditions += _numbered(wanted.words)
    conditions += (_says(word) for word in wanted.words if not _is_number(word))
    conditions += (func.coalesce(_says(word), false()) == false() for word in wanted.without_words)
    for name, values in wanted.fields.items():
        if values:
            conditions.append(or_(*(column.in_(sorted(values)) for column in _columns(name))))
    for name, values in wanted.without_fields.items():
        conditions += (or_(each.is_(None), each.not_in(sorted(values))) for each in _columns(name))
    if wanted.only is not None:
        conditions.append(c.id.in_(sorted(wanted.only)))
    conditions += (_matches(name, pattern) for name, pattern in wanted.patterns.items() if pattern)
    if wanted.since is not None:
        conditions.append(c.opened_at >= wanted.since.timestamp())
    if wanted.until is not None:
        conditions.append(c.opened_at < wanted.until.timestamp())
    return and_(*conditions)


def _is_number(word: str) -> bool:
    return word.startswith("#") and word[1:].isascii() and word[1:].isdigit()


def _numbered(words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of words such as #17."""
    return (submissions.c.id == min(int(word[1:]), 2**31 - 1) for word in words if _is_number(word))


def _says(word: str) -> ColumnElement[bool]:
    """True for rows with this word in the path, a rule, a printer, a place, or who dropped it, or as number.

    Capitals of plain letters do not matter.
    """
    c = submissions.c
    places = [each for each in _NAMED_PLACES if word.casefold() in f"{each.replace('_', ' ')}s"]
    return or_(
        *(
            Contains(column, f"%{_escaped(word)}%")
            for column in (c.path, c.dropped_by, c.device, c.routing_rule, c.intake_rule)
        ),
        *([c.destination.in_(places)] if places else []),
        *_numbered([f"#{word}"] if _is_number(f"#{word}") else []),
    )


def _matches(name: str, pattern: str) -> ColumnElement[bool]:
    like = _escaped(pattern)
    like = like.replace("*", "%").replace("?", "_") if {"*", "?"} & set(pattern) else f"%{like}%"
    return or_(*(column.ilike(like, escape=ESCAPE) for column in _columns(name)))


def _columns(name: str) -> Sequence[Column[Any]]:
    c = submissions.c
    return (c.intake_rule, c.routing_rule) if name == "rule" else (c[name],)


def _escaped(text: str) -> str:
    return text.replace(ESCAPE, ESCAPE * 2).replace("%", r"\%").replace("_", r"\_")


def _behind(
    column: ColumnElement[object], number: ColumnElement[int], order: SortOrder, after: Cursor
) -> ColumnElement[bool]:
    value, last = after
    if order.column == "number":
        return number < last if order.descending else number > last
    if order.descending:
        return or_(column < value, and_(column == value, number < last))
    return or_(column > value, and_(column == value, number > last))


def _sorted_value(column: str, submission: Submission) -> str | int:
    match column:
        case "file":
            return submission.path
        case "state":
            return submission.state.value
        case "preset":
            return submission.preset or ""
        case "destination":
            return submission.device or submission.destination or ""
    return submission.id
