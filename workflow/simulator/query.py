"""Tables of rows, and lists of them: filters, order and pages, as in the contract's query parameters."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from workflow.simulator.contract import Operation


class Identified(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)


class Table(Generic[Row]):
    """Rows by id, in the order they came: a row that is replaced keeps its place."""

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[str, Row] = {}
        self._index: dict[str, dict[object, dict[str, None]]] = {field: {} for field in indexed}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __reversed__(self) -> Iterator[Row]:
        return reversed(self._rows.values())

    def put(self, row: Row) -> Row:
        """Add a row at the end, or replace the row with the same id in its place."""
        before = self._rows.get(row.id)
        self._rows[row.id] = row
        for field, by_value in self._index.items():
            value = getattr(row, field)
            if before is None or getattr(before, field) == value:
                by_value.setdefault(value, {})[row.id] = None
                continue
            del by_value[getattr(before, field)][row.id]  # seldom: a job request gets its printer
            by_value[value] = {each.id: None for each in self if getattr(each, field) == value}
        return row

    def get(self, row_id: str) -> Row | None:
        """Return the row with an id; None if there is none."""
        return self._rows.get(row_id)

    def remove(self, row_id: str) -> None:
        """Remove a row."""
        row = self._rows.pop(row_id)
        for field, by_value in self._index.items():
            del by_value[getattr(row, field)][row_id]

    def __getitem__(self, row_id: str) -> Row:
        return self._rows[row_id]

    def prefiltered(self, wanted: Mapping[str, object]) -> "Table[Row]":
        """Return a table of the rows with one of the wanted values; all rows if no field is indexed."""
        for field, value in wanted.items():
            if field in self._index:
                few: Table[Row] = Table()
                few._rows = {row_id: self._rows[row_id] for row_id in self._index[field].get(value, ())}
                return few
        return self


R = TypeVar("R", bound=Identified)
FieldGetter = Callable[[R, str], object]

FILTER_PARAMETER = re.compile(r"filter\[(\w+)\]\[(\w+)\]")
COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
INSERTION_ORDER = "created_at"


@dataclass(frozen=True, slots=True)
class Filter:
    """One `filter[field][test]`. A row without a value passes only `eq` with null and `ne`."""

    field: str
    test: str
    value: object

    def passes(self, value: object) -> bool:
        """True if a row with this value passes."""
        if self.test in {"lt", "le", "gt", "ge"} and value is None:
            return False  # measured: a filter on ended_at drops running jobs
        return COMPARISONS[self.test](value, self.value)


@dataclass(frozen=True, slots=True)
class Query:
    """The filters, order and page of a list request."""

    filters: tuple[Filter, ...]
    sort_by: str
    descending: bool
    size: int
    number: int


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of rows, and whether more follow."""

    rows: tuple[R, ...]
    has_more: bool


def parse_query(operation: Operation, values: Mapping[str, object]) -> Query:
    """Return the query of checked values, with the contract's defaults for missing ones."""

    def value(name: str, otherwise: object) -> object:
        default = operation.query[name].get("default") if name in operation.query else otherwise
        return values.get(name, default)

    filters = [(FILTER_PARAMETER.fullmatch(name), wanted) for name, wanted in values.items()]
    return Query(
        filters=tuple(Filter(found[1], found[2], wanted) for found, wanted in filters if found),
        sort_by=str(value("sort[by]", INSERTION_ORDER)),
        descending=value("sort[order]", "asc") == "desc",
        size=int(str(value("page[size]", 100))),
        number=int(str(value("page[number]", 1))),
    )


def select_page(table: Table[R], query: Query, value_of: FieldGetter[R] = getattr) -> Page[R]:
    """Return one page of a table; the order of arrival needs no sorting."""
    narrowed = table.prefiltered({each.field: each.value for each in query.filters if each.test == "eq"})
    kept = (row for row in _sorted_rows(narrowed, query, value_of) if _passes_filters(row, query, value_of))
    start = (query.number - 1) * query.size
    if start > len(narrowed):
        return Page((), False)
    rows = tuple(islice(kept, start, start + query.size + 1))
    return Page(rows[: query.size], len(rows) > query.size)


def _passes_filters(row: R, query: Query, value_of: FieldGetter[R]) -> bool:
    return all(each.passes(value_of(row, each.field)) for each in query.filters)


def _sorted_rows(table: Table[R], query: Query, value_of: FieldGetter[R]) -> Iterator[R]:
    """Yield the rows sorted; rows without the value come last, equal rows in the order of arrival."""
    if query.sort_by == INSERTION_ORDER:
        return reversed(table) if query.descending else iter(table)
    valued = [row for row in table if value_of(row, query.sort_by) is not None]
    valued.sort(key=lambda row: _sort_key(value_of(row, query.sort_by)), reverse=query.descending)
    return iter([*valued, *(row for row in table if value_of(row, query.sort_by) is None)])


def _sort_key(value: object) -> str:
    """Times in UTC sort as text like they sort as times; so do names."""
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat(timespec="microseconds")) if isoformat else str(value)
