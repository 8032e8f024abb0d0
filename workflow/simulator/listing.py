"""Lists: filters, order and pages, as the contract's query parameters ask."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from workflow.simulator.contract_check import Operation
from workflow.simulator.shelf import Identified, Shelf

Row = TypeVar("Row", bound=Identified)
ValueOf = Callable[[Row, str], object]

FILTER = re.compile(r"filter\[(\w+)\]\[(\w+)\]")
COMPARE: Mapping[str, Callable[[object, object], bool]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
ORDER_OF_ARRIVAL = "created_at"


@dataclass(frozen=True, slots=True)
class Filter:
    """One `filter[field][test]`. Rows without a value pass `eq` to null and `ne` only."""

    field: str
    test: str
    value: object

    def passes(self, value: object) -> bool:
        """Whether a row with this value stays."""
        if self.test in {"lt", "le", "gt", "ge"} and value is None:
            return False  # measured: a filter on ended_at drops running jobs
        return COMPARE[self.test](value, self.value)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for."""

    filters: tuple[Filter, ...]
    sort_by: str
    descending: bool
    size: int
    number: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of rows, and whether more follow."""

    rows: tuple[Row, ...]
    has_more: bool


def query_of(operation: Operation, values: Mapping[str, object]) -> Query:
    """Read checked query values, with the contract's defaults for those not given."""

    def value(name: str, otherwise: object) -> object:
        default = operation.query[name].get("default") if name in operation.query else otherwise
        return values.get(name, default)

    filters = [(FILTER.fullmatch(name), wanted) for name, wanted in values.items()]
    return Query(
        filters=tuple(Filter(found[1], found[2], wanted) for found, wanted in filters if found),
        sort_by=str(value("sort[by]", ORDER_OF_ARRIVAL)),
        descending=value("sort[order]", "asc") == "desc",
        size=int(str(value("page[size]", 100))),
        number=int(str(value("page[number]", 1))),
    )


def page(shelf: Shelf[Row], query: Query, value_of: ValueOf[Row] = getattr) -> Page[Row]:
    """Give one page. Costs no sort where the order of arrival is asked for."""
    narrowed = shelf.narrowed({each.field: each.value for each in query.filters if each.test == "eq"})
    kept = (row for row in _ordered(narrowed, query, value_of) if _passes(row, query, value_of))
    start = (query.number - 1) * query.size
    if start > len(narrowed):
        return Page((), False)
    rows = tuple(islice(kept, start, start + query.size + 1))
    return Page(rows[: query.size], len(rows) > query.size)


def _passes(row: Row, query: Query, value_of: ValueOf[Row]) -> bool:
    return all(each.passes(value_of(row, each.field)) for each in query.filters)


def _ordered(shelf: Shelf[Row], query: Query, value_of: ValueOf[Row]) -> Iterator[Row]:
    """Rows without the value come last, either way; equal ones keep the order of arrival."""
    if query.sort_by == ORDER_OF_ARRIVAL:
        return reversed(shelf) if query.descending else iter(shelf)
    valued = [row for row in shelf if value_of(row, query.sort_by) is not None]
    valued.sort(key=lambda row: _key(value_of(row, query.sort_by)), reverse=query.descending)
    return iter([*valued, *(row for row in shelf if value_of(row, query.sort_by) is None)])


def _key(value: object) -> str:
    """Times in UTC sort as text like they sort as times; so do names."""
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat(timespec="microseconds")) if isoformat else str(value)
