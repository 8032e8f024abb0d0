"""Sets of numbers: what is meeting, and what is left."""

from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.condition_sets import (
    FULL_RANGES,
    IntervalSet,
    intersect_intervals,
    interval_set_of,
    subtract_intervals,
)
from workflow.routing.conditions import Flag
from workflow.routing.facts import FactKind
from workflow.routing.matchers import Interval, parse_interval, parse_time_window, parse_weekdays

INTERVALS = st.builds(
    lambda sign, number: parse_interval(f"{sign} {number}"),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.sampled_from([0, 1, 1.5, 2, 3]),
)
SETS = st.lists(INTERVALS, max_size=3)
KINDS = st.sampled_from([FactKind.NUMBER, FactKind.COUNT])


def holds(spans: IntervalSet, number: float) -> bool:
    return any(span.matches(number) for span in spans)


@given(ones=SETS, others=SETS, kind=KINDS, number=st.sampled_from([0, 1, 2, 3, 4]))
def test_sets_are_what_they_say(
    ones: list[Interval], others: list[Interval], kind: FactKind, number: float
) -> None:
    one, other = interval_set_of(ones, kind), interval_set_of(others, kind)
    assert holds(one, number) == any(each.matches(number) for each in ones)
    assert holds(intersect_intervals(one, other, kind), number) == (
        holds(one, number) and holds(other, number)
    )
    assert holds(subtract_intervals(one, other, kind), number) == (
        holds(one, number) and not holds(other, number)
    )


def test_whole_numbers_have_whole_ends() -> None:
    assert interval_set_of([parse_interval("> 0")], FactKind.COUNT) == interval_set_of(
        [parse_interval(">= 1")], FactKind.COUNT
    )
    assert interval_set_of([parse_interval("< 3")], FactKind.COUNT) == (Interval(0, 2),)
    between = [parse_interval("> 1"), parse_interval("< 2")]
    for kind, nothing in ((FactKind.COUNT, True), (FactKind.NUMBER, False)):
        one, other = (interval_set_of([each], kind) for each in between)
        assert (intersect_intervals(one, other, kind) == ()) == nothing


def test_every_kind_has_its_numbers() -> None:
    everything = {
        FactKind.FLAG: interval_set_of([Flag(True), Flag(False)], FactKind.FLAG),
        FactKind.WEEKDAY: interval_set_of([parse_weekdays("mon..sun")], FactKind.WEEKDAY),
        FactKind.TIME: interval_set_of(
            [parse_time_window("22:00..06:00"), parse_time_window("06:01..21:59")], FactKind.TIME
        ),
    }
    for kind, spans in everything.items():
        assert subtract_intervals((FULL_RANGES[kind],), spans, kind) == ()
