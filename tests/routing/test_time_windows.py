"""Times of day and weekdays as rules write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.matchers import (
    WEEKDAYS,
    TimeWindow,
    Weekdays,
    parse_minute,
    parse_time_window,
    parse_weekday,
    parse_weekdays,
)

MINUTES = st.integers(0, 1439)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@pytest.mark.parametrize(
    ("text", "takes", "leaves"),
    [
        ("08:00..16:30", ["08:00", "12:00", "16:30"], ["07:59", "16:31"]),
        ("22:00..06:00", ["22:00", "23:59", "00:00", "6:00"], ["06:01", "21:59"]),
        (">= 17:00", ["17:00", "23:59"], ["16:59", "00:00"]),
        ("> 17:00", ["17:01"], ["17:00"]),
        ("<= 6:00", ["06:00", "00:00"], ["06:01"]),
        ("< 06:00", ["05:59"], ["06:00"]),
    ],
)
def test_windows(text: str, takes: list[str], leaves: list[str]) -> None:
    window = parse_time_window(text)
    assert [minute for minute in takes if not window.matches(parse_minute(minute) or 0)] == []
    assert [minute for minute in leaves if window.matches(parse_minute(minute) or 0)] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("17:00", "`17:00` is only one minute long"),
        ("24:00..25:00", "`24:00..25:00` is no time of day"),
        ("5 pm", "`5 pm` is no time of day"),
        ("> 23:59", "no time of day is `> 23:59`"),
        ("< 00:00", "no time of day is `< 00:00`"),
        ("", "`` is no time of day"),
    ],
)
def test_what_is_no_window(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        parse_time_window(text)


@given(start=MINUTES, end=MINUTES, minute=MINUTES)
def test_a_window_takes_what_its_spans_hold(start: int, end: int, minute: int) -> None:
    window = parse_time_window(f"{clock(start)}..{clock(end)}")
    assert window == TimeWindow(start, end)
    assert window.matches(minute) == any(low <= minute <= high for low, high in window.spans())


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", [0]),
        ("Sunday", [6]),
        ("mon..fri", [0, 1, 2, 3, 4]),
        ("fri .. mon", [0, 4, 5, 6]),
        ("tue..tue", [1]),
    ],
)
def test_days(text: str, days: list[int]) -> None:
    assert parse_weekdays(text) == Weekdays(frozenset(days))
    assert [day for day in range(7) if parse_weekdays(text).matches(day)] == days


@pytest.mark.parametrize("text", ["", "mo", "mon-fri", "weekend", "mon..", "5"])
def test_what_is_no_weekday(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no weekday$"):
        parse_weekdays(text)


def test_every_day_is_known_by_both_its_names() -> None:
    assert (
        [parse_weekday(day) for day in WEEKDAYS]
        == [parse_weekday(day[:3].upper()) for day in WEEKDAYS]
        == list(range(7))
    )
    assert (parse_weekday("someday"), parse_minute("7:5")) == (None, None)
