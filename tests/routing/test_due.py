"""Due dates."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.due import HOLIDAY_FORMS, DueDate, parse_due, parse_holiday, parse_name_date

THURSDAY = date(2026, 12, 17)
SATURDAY = date(2026, 12, 19)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("text", "today", "due"),
    [
        ("2026-12-24", THURSDAY, date(2026, 12, 24)),
        ("+3 days", THURSDAY, date(2026, 12, 20)),
        ("+1 day", THURSDAY, date(2026, 12, 18)),
        ("+ 0 days", THURSDAY, THURSDAY),
        ("+3 working days", THURSDAY, date(2026, 12, 22)),
        ("+1 working day", SATURDAY, date(2026, 12, 21)),
        ("+0 working days", SATURDAY, date(2026, 12, 21)),
        ("+5 working days", THURSDAY, date(2026, 12, 24)),
        ("+3650 days", THURSDAY, THURSDAY + timedelta(3650)),
    ],
)
def test_days(text: str, today: date, due: date) -> None:
    assert parse_due(text).day(today, {}, ()) == due


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "tomorrow",
            "`tomorrow` is no due date: write `2026-12-24`, `+3 days`, `+3 working days` or `tag.due`",
        ),
        ("3 days", "`3 days` is no due date"),
        ("+3 workdays", "`+3 workdays` is no due date"),
        ("2026-12-24T10:00", "`2026-12-24T10:00` is no due date"),
        ("2026-13-01", "there is no day 2026-13-01 in the calendar"),
        ("+3651 days", "3651 days are more than ten years"),
    ],
)
def test_refusals(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_due(text)


@given(today=DAYS, days=st.integers(0, 400))
def test_working_days_are_counted_one_by_one(today: date, days: int) -> None:
    due = DueDate(days=days, working=True).day(today, {}, ())
    assert due is not None
    between = [today + timedelta(each + 1) for each in range((due - today).days)]
    assert due.weekday() < 5
    assert sum(day.weekday() < 5 for day in between) == max(days, today.weekday() > 4)


@pytest.mark.parametrize(
    ("holidays", "days", "due"),
    [
        (["12-18"], 1, date(2026, 12, 21)),
        (["2026-12-18", "2026-12-21..2026-12-23"], 1, date(2026, 12, 24)),
        (["12-24", "12-25", "2026-12-28..2027-01-01"], 5, date(2027, 1, 4)),
        (["2026-12-17"], 0, date(2026, 12, 18)),
        (["2025-12-18"], 1, date(2026, 12, 18)),
    ],
)
def test_holidays_are_no_working_days(holidays: list[str], days: int, due: date) -> None:
    listed = tuple(map(parse_holiday, holidays))
    assert DueDate(days=days, working=True).day(THURSDAY, {}, listed) == due
    assert DueDate(days=days).day(THURSDAY, {}, listed) == THURSDAY + timedelta(days)


def test_working_days_end_even_where_all_days_are_holidays() -> None:
    every_day = (parse_holiday("2026-01-01..2035-12-20"), parse_holiday("2035-12-21..2045-12-01"))
    assert DueDate(days=3, working=True).day(THURSDAY, {}, every_day) is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("christmas", f"`christmas` is no holiday: {HOLIDAY_FORMS}"),
        ("13-01", "there is no day 2028-13-01 in the calendar"),
        ("2027-02-30", "there is no day 2027-02-30 in the calendar"),
        ("2027-01-02..2027-01-01", "`2027-01-02..2027-01-01` has no days: write the earlier one first"),
        ("2027-01-01..2036-12-30", "`2027-01-01..2036-12-30` is more than ten years: shorten it"),
        ("1-1", f"`1-1` is no holiday: {HOLIDAY_FORMS}"),
    ],
)
def test_what_is_no_holiday_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse_holiday(text)


def test_holidays_may_last_for_ten_years() -> None:
    assert parse_holiday("2027-01-01..2036-12-29").last == date(2036, 12, 29)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("20261224", date(2026, 12, 24)),
        ("2026_12_24", date(2026, 12, 24)),
        ("24.12.2026", date(2026, 12, 24)),
        ("1.2.2027", date(2027, 2, 1)),
        ("12-24-2026", None),
        ("24.12.26", None),
        ("2026-12_24", None),
        ("2026-02-30", None),
        ("", None),
    ],
)
def test_dates_in_names(text: str, day: date | None) -> None:
    assert parse_name_date(text) == day
    assert parse_due("tag.due").day(THURSDAY, {"tag.due": str(day)} if day else {}, ()) == day
