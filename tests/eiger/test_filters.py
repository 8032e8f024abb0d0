"""Filters and sorting are the contract's, and nothing is lost in writing them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.contract import contract
from workflow.eiger import (
    BuildFilter,
    BuildSort,
    DeviceFilter,
    DeviceSort,
    PrintedPartFilter,
    PrintedPartSort,
    PrintJobFilter,
    PrintJobSort,
    UserFilter,
    UserSort,
)
from workflow.eiger.operations import Filter, filter_fields, filter_query, list_query, page_query

LISTS: dict[str, tuple[type[Filter], object]] = {
    "/builds": (BuildFilter, BuildSort),
    "/devices": (DeviceFilter, DeviceSort),
    "/print_jobs": (PrintJobFilter, PrintJobSort),
    "/printed_parts": (PrintedPartFilter, PrintedPartSort),
    "/users": (UserFilter, UserSort),
}
moments = st.datetimes(
    datetime(1990, 1, 1),
    datetime(2090, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]),
)


def parameters(path: str) -> dict[str, dict[str, object]]:
    known = contract()["components"]["parameters"]
    references = [each["$ref"].rsplit("/", 1)[1] for each in contract()["paths"][path]["get"]["parameters"]]
    return {known[name]["name"]: known[name]["schema"] for name in references}


@pytest.mark.parametrize("path", LISTS)
def test_every_filter_of_the_contract_has_a_field_and_no_other(path: str) -> None:
    ours = {where.parameter for where in filter_fields(LISTS[path][0]).values()}
    assert ours == {name for name in parameters(path) if name.startswith("filter[")}


@pytest.mark.parametrize("path", LISTS)
def test_sorting_is_by_what_the_contract_sorts_by(path: str) -> None:
    assert list(get_args(LISTS[path][1])) == parameters(path)["sort[by]"]["enum"]


def test_a_filter_in_a_query() -> None:
    filters = BuildFilter(
        title="a & b", created_from=datetime(2026, 8, 1, 12, tzinfo=UTC), part_count_max=3, approved_not=True
    )
    assert dict(filter_query(filters)) == {
        "filter[title][eq]": "a & b",
        "filter[created_at][ge]": "2026-08-01T12:00:00Z",
        "filter[part_count][le]": "3",
        "filter[approved][ne]": "true",
    }


def test_the_order_is_always_said() -> None:
    assert list_query(None, "created_at", "desc") == (("sort[by]", "created_at"), ("sort[order]", "desc"))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="A time to filter by needs a time zone"):
        filter_query(BuildFilter(created_to=datetime(2026, 8, 1)))


@pytest.mark.parametrize("size", [0, 1001])
def test_pages_have_the_contracts_limits(size: int) -> None:
    with pytest.raises(ValueError, match=f"A page holds 1 to 1000 entries, not {size}"):
        page_query(1, size)


@given(moments)
def test_whole_seconds_never_leave_anything_out(moment: datetime) -> None:
    """Rounding widens the span, by less than a second."""
    bounds = filter_query(BuildFilter(created_from=moment, created_to=moment))
    start, end = (datetime.fromisoformat(value) for _, value in bounds)
    assert start <= moment <= end
    assert end - start <= timedelta(seconds=1)
