"""Intervals of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.matchers import Interval, parse_interval, parse_number

NUMBERS = st.integers(-3, 3).map(float)
INTERVALS = st.builds(Interval, NUMBERS, NUMBERS, st.booleans(), st.booleans())


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("> 5", Interval(low=5, low_open=True)),
        (">=5", Interval(low=5)),
        ("< 0.5", Interval(high=0.5, high_open=True)),
        ("<= 0.5", Interval(high=0.5)),
        ("== 5", Interval(5, 5)),
        ("5", Interval(5, 5)),
        ("5..10", Interval(5, 10)),
        ("5 .. 10.5", Interval(5, 10.5)),
        ("-1..1", Interval(-1, 1)),
    ],
)
def test_reads(text: str, interval: Interval) -> None:
    assert parse_interval(text) == interval


@pytest.mark.parametrize("text", ["", "5 mm", "> ", "5...10", ".5", "1e3", "=> 5", "5..", "nan", "> > 5"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"is none$"):
        parse_interval(text)


def test_plain_numbers() -> None:
    assert parse_number(" 2.5 ") == 2.5
    assert parse_number("> 2.5") is None


@given(one=INTERVALS, other=INTERVALS, number=NUMBERS)
def test_overlap_takes_what_both_take(one: Interval, other: Interval, number: float) -> None:
    assert one.intersect(other).matches(number) == (one.matches(number) and other.matches(number))


@given(interval=INTERVALS, number=NUMBERS)
def test_an_empty_interval_takes_nothing(interval: Interval, number: float) -> None:
    assert not (interval.is_empty and interval.matches(number))
