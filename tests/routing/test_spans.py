"""Sets of numbers: what is meeting, and what is left."""

from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.conditions import Flag
from workflow.routing.facts import Kind
from workflow.routing.intervals import Interval, read_interval
from workflow.routing.spans import UNIVERSES, Spans, shared, spans_of, without
from workflow.routing.times import read_days, read_window

INTERVALS = st.builds(
    lambda sign, number: read_interval(f"{sign} {number}"),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.sampled_from([0, 1, 1.5, 2, 3]),
)
SETS = st.lists(INTERVALS, max_size=3)
KINDS = st.sampled_from([Kind.NUMBER, Kind.COUNT])


def holds(spans: Spans, number: float) -> bool:
    return any(span.takes(number) for span in spans)


@given(ones=SETS, others=SETS, kind=KINDS, number=st.sampled_from([0, 1, 2, 3, 4]))
def test_sets_are_what_they_say(
    ones: list[Interval], others: list[Interval], kind: Kind, number: float
) -> None:
    one, other = spans_of(ones, kind), spans_of(others, kind)
    assert holds(one, number) == any(each.takes(number) for each in ones)
    assert holds(shared(one, other, kind), number) == (holds(one, number) and holds(other, number))
    assert holds(without(one, other, kind), number) == (holds(one, number) and not holds(other, number))


def test_whole_numbers_have_whole_ends() -> None:
    assert spans_of([read_interval("> 0")], Kind.COUNT) == spans_of([read_interval(">= 1")], Kind.COUNT)
    assert spans_of([read_interval("< 3")], Kind.COUNT) == (Interval(0, 2),)
    between = [read_interval("> 1"), read_interval("< 2")]
    for kind, nothing in ((Kind.COUNT, True), (Kind.NUMBER, False)):
        one, other = (spans_of([each], kind) for each in between)
        assert (shared(one, other, kind) == ()) == nothing


def test_every_kind_has_its_numbers() -> None:
    everything = {
        Kind.FLAG: spans_of([Flag(True), Flag(False)], Kind.FLAG),
        Kind.WEEKDAY: spans_of([read_days("mon..sun")], Kind.WEEKDAY),
        Kind.TIME: spans_of([read_window("22:00..06:00"), read_window("06:01..21:59")], Kind.TIME),
    }
    for kind, spans in everything.items():
        assert without((UNIVERSES[kind],), spans, kind) == ()
