"""Filters and sorting of the six lists as typed values, and how they are written in a query.

A field that is None does not filter. `…_from` and `…_to` include the limit, `…_after` and `…_before`
do not; the same for counts: `…_min`, `…_max` include it, `…_over`, `…_under` do not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_type_hints

Order = Literal["asc", "desc"]
BuildSort = Literal["created_at", "title"]
DeviceSort = Literal["name", "created_at", "updated_at"]
PrintJobSort = Literal["created_at", "started_at", "updated_at", "ended_at"]
PrintedPartSort = Literal["printed_at", "updated_at"]
UserSort = Literal["name", "email", "created_at"]
Query = tuple[tuple[str, str], ...]

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Where:
    """Which field of the list is compared, and how; the contract's `filter[field][operator]`."""

    field: str
    operator: str = "eq"

    @property
    def parameter(self) -> str:
        """Give the name in the query."""
        return f"filter[{self.field}][{self.operator}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedFilter:
    """When something was made."""

    created_after: Annotated[datetime | None, Where("created_at", "gt")] = None
    created_from: Annotated[datetime | None, Where("created_at", "ge")] = None
    created_before: Annotated[datetime | None, Where("created_at", "lt")] = None
    created_to: Annotated[datetime | None, Where("created_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFilter(CreatedFilter):
    """When something was made, and changed last."""

    updated_after: Annotated[datetime | None, Where("updated_at", "gt")] = None
    updated_from: Annotated[datetime | None, Where("updated_at", "ge")] = None
    updated_before: Annotated[datetime | None, Where("updated_at", "lt")] = None
    updated_to: Annotated[datetime | None, Where("updated_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFilter(ChangedFilter):
    """Which builds."""

    title: Annotated[str | None, Where("title")] = None
    part_count: Annotated[int | None, Where("part_count")] = None
    part_count_not: Annotated[int | None, Where("part_count", "ne")] = None
    part_count_over: Annotated[int | None, Where("part_count", "gt")] = None
    part_count_min: Annotated[int | None, Where("part_count", "ge")] = None
    part_count_under: Annotated[int | None, Where("part_count", "lt")] = None
    part_count_max: Annotated[int | None, Where("part_count", "le")] = None
    sliced: Annotated[bool | None, Where("sliced")] = None
    blacksmith_enabled: Annotated[bool | None, Where("blacksmith_enabled")] = None
    approved: Annotated[bool | None, Where("approved")] = None
    approved_not: Annotated[bool | None, Where("approved", "ne")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter(ChangedFilter):
    """Which devices."""

    name: Annotated[str | None, Where("name")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter(ChangedFilter):
    """Which users."""

    name: Annotated[str | None, Where("name")] = None
    email: Annotated[str | None, Where("email")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintJobFilter(ChangedFilter):
    """Which print jobs. A filter on the end drops jobs that have not ended."""

    state: Annotated[str | None, Where("state")] = None
    state_not: Annotated[str | None, Where("state", "ne")] = None
    build: Annotated[str | None, Where("build")] = None
    device: Annotated[str | None, Where("device")] = None
    started_after: Annotated[datetime | None, Where("started_at", "gt")] = None
    started_from: Annotated[datetime | None, Where("started_at", "ge")] = None
    started_before: Annotated[datetime | None, Where("started_at", "lt")] = None
    started_to: Annotated[datetime | None, Where("started_at", "le")] = None
    ended_after: Annotated[datetime | None, Where("ended_at", "gt")] = None
    ended_from: Annotated[datetime | None, Where("ended_at", "ge")] = None
    ended_before: Annotated[datetime | None, Where("ended_at", "lt")] = None
    ended_to: Annotated[datetime | None, Where("ended_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedPartFilter:
    """Which printed parts."""

    state: Annotated[str | None, Where("state")] = None
    state_not: Annotated[str | None, Where("state", "ne")] = None
    notes: Annotated[str | None, Where("notes")] = None
    notes_not: Annotated[str | None, Where("notes", "ne")] = None


Filter = CreatedFilter | PrintedPartFilter


def comparisons(kind: type[Filter]) -> dict[str, Where]:
    """Give what each field of a filter compares."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def filter_query(filters: Filter) -> Query:
    """Write a filter as query parameters. Raises ValueError for a time without a zone."""
    chosen = ((where, getattr(filters, name)) for name, where in comparisons(type(filters)).items())
    return tuple((where.parameter, _written(value, where)) for where, value in chosen if value is not None)


def list_query(filters: Filter | None, sort_by: str, order: Order) -> Query:
    """Write filter and sorting; the order is always said, for the contract's defaults contradict its text."""
    sorting = (("sort[by]", sort_by), ("sort[order]", order))
    return sorting if filters is None else (*filter_query(filters), *sorting)


def page_query(number: int, size: int) -> Query:
    """Write which page. Raises ValueError outside 1 to 1000 entries."""
    if not 1 <= size <= LARGEST_PAGE:
        raise ValueError(f"A page holds 1 to {LARGEST_PAGE} entries, not {size}.")
    return (("page[number]", str(number)), ("page[size]", str(size)))


def _written(value: object, where: Where) -> str:
    if isinstance(value, datetime):
        return _moment(value, round_up=where.operator in {"lt", "le"})
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _moment(moment: datetime, *, round_up: bool) -> str:
    """Whole seconds, the only form seen on the real service, rounded so that nothing is left out."""
    if moment.tzinfo is None:
        raise ValueError("A time to filter by needs a time zone.")
    whole = moment.astimezone(UTC).replace(microsecond=0)
    if round_up and moment.microsecond:
        whole += timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
