"""Due dates."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.due import DueDate, parse_due

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
    ],
)
def test_days(text: str, today: date, due: date) -> None:
    assert parse_due(text).day(today) == due


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tomorrow", "`tomorrow` is no due date: write `2026-12-24`, `+3 days` or `+3 working days`"),
        ("3 days", "`3 days` is no due date"),
        ("+3 workdays", "`+3 workdays` is no due date"),
        ("2026-12-24T10:00", "`2026-12-24T10:00` is no due date"),
        ("2026-13-01", "there is no day 2026-13-01 in the calendar"),
        ("+4000 days", "4000 days are more than ten years"),
    ],
)
def test_refusals(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_due(text)


@given(today=DAYS, days=st.integers(0, 400))
def test_working_days_are_counted_one_by_one(today: date, days: int) -> None:
    due = DueDate(days=days, working=True).day(today)
    between = [today + timedelta(each + 1) for each in range((due - today).days)]
    assert due.weekday() < 5
    assert sum(day.weekday() < 5 for day in between) == max(days, today.weekday() > 4)
