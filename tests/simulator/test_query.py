from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workflow.simulator.contract import operations, validate_query
from workflow.simulator.query import Filter, Page, Query, Table, parse_query, select_page

START = datetime(2026, 1, 31, tzinfo=UTC)
TITLES = st.lists(st.sampled_from("abc"), max_size=40)


@dataclass(frozen=True)
class Row:
    id: str
    title: str
    created_at: datetime
    ended_at: datetime | None = None


def table_of(titles: Sequence[str], ended: Sequence[int | None] = ()) -> Table[Row]:
    table: Table[Row] = Table("title")
    for place, title in enumerate(titles):
        end = ended[place] if ended else None
        ended_at = None if end is None else START + timedelta(days=end)
        table.put(Row(str(place), title, START + timedelta(hours=place), ended_at))
    return table


def asked(**changes: object) -> Query:
    plain: dict[str, object] = {"sort[by]": "created_at", "page[size]": 100}
    values = validate_query(operations()["listPrintJobs"], [])
    return parse_query(operations()["listPrintJobs"], {**plain, **values, **changes})


def ids(found: Page[Row]) -> str:
    return "".join(row.id for row in found.rows)


def test_the_contracts_defaults_are_used() -> None:
    assert parse_query(operations()["listBuilds"], {}) == Query((), "created_at", False, 100, 1)
    assert parse_query(operations()["listPrintJobs"], {}) == Query((), "created_at", True, 100, 1)
    assert parse_query(operations()["listDevices"], {}).sort_by == "name"
    assert parse_query(operations()["listApprovedBuilds"], {}).size == 100


def test_filters_are_read() -> None:
    query = parse_query(operations()["listBuilds"], {"filter[title][eq]": "x", "page[size]": 5})
    assert query.filters == (Filter("title", "eq", "x"),)
    assert query.size == 5


def test_newest_first_and_oldest_first() -> None:
    table = table_of("abc")
    assert ids(select_page(table, asked())) == "210"
    assert ids(select_page(table, asked(**{"sort[order]": "asc"}))) == "012"


def test_rows_without_the_value_come_last_either_way() -> None:
    table = table_of("abcd", [3, None, 1, None])
    assert ids(select_page(table, asked(**{"sort[by]": "ended_at"}))) == "0213"
    assert ids(select_page(table, asked(**{"sort[by]": "ended_at", "sort[order]": "asc"}))) == "2013"


def test_a_filter_on_a_time_drops_rows_that_have_none() -> None:
    table = table_of("abcd", [3, None, 1, None])
    old = asked(**{"filter[ended_at][lt]": START + timedelta(days=2)})
    assert ids(select_page(table, old)) == "2"


def test_strict_and_inclusive_bounds() -> None:
    bound = START + timedelta(hours=1)
    table = table_of("abc")
    found = {
        test: ids(select_page(table, asked(**{f"filter[created_at][{test}]": bound})))
        for test in ("lt", "le", "gt", "ge")
    }
    assert found == {"lt": "0", "le": "10", "gt": "2", "ge": "21"}


def test_an_indexed_field_finds_all_its_rows_in_order() -> None:
    table = table_of("abab")
    assert ids(select_page(table, Query((Filter("title", "eq", "b"),), "created_at", True, 10, 1))) == "31"
    assert ids(select_page(table, Query((Filter("title", "eq", "z"),), "created_at", True, 10, 1))) == ""


def test_a_row_replaced_keeps_its_place_and_one_removed_is_gone() -> None:
    table = table_of("abc")
    table.put(Row("0", "a", START, START))
    table.remove("1")
    assert ids(select_page(table, asked())) == "20"
    assert len(table.prefiltered({"title": "b"})) == 0


@given(TITLES, st.integers(1, 7), st.booleans(), st.sampled_from("abc"))
def test_pages_put_together_are_the_list(titles: list[str], size: int, descending: bool, title: str) -> None:
    table = table_of(titles)
    for filters in ((), (Filter("title", "ne", title),), (Filter("title", "eq", title),)):
        gathered: list[str] = []
        number, more = 1, True
        while more:
            found = select_page(table, Query(filters, "title", descending, size, number))
            gathered += [row.id for row in found.rows]
            number, more = number + 1, found.has_more
        whole = select_page(table, Query(filters, "title", descending, 1000, 1))
        assert gathered == [row.id for row in whole.rows]
        assert select_page(table, Query(filters, "title", descending, size, number + 50)) == Page((), False)
