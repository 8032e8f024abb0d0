"""Sets of numbers as intervals: the values that a rule wants of a number, a time, a weekday or a flag.

Times are minutes of the day, weekdays 0 to 6, flags 0 and 1. Whole numbers get closed spans with whole
ends, so that `> 0` and `>= 1` are the same.
"""

import math
from collections.abc import Iterator, Sequence

from workflow.routing.conditions import Flag, Matcher
from workflow.routing.facts import FactKind
from workflow.routing.matchers import Interval, TimeWindow, Weekdays

IntervalSet = tuple[Interval, ...]
FULL_RANGES = {
    FactKind.NUMBER: Interval(0),
    FactKind.COUNT: Interval(0),
    FactKind.FLAG: Interval(0, 1),
    FactKind.TIME: Interval(0, 24 * 60 - 1),
    FactKind.WEEKDAY: Interval(0, 6),
}
"""Everything that a fact of the kind can be."""


def interval_set_of(wanted: Sequence[Matcher], kind: FactKind) -> IntervalSet:
    """Return all values that are wanted."""
    return tuple(span for each in wanted for span in _intervals_of(each, kind) if not span.is_empty)


def intersect_intervals(ones: IntervalSet, others: IntervalSet, kind: FactKind) -> IntervalSet:
    """Return the values that are in both."""
    both = (_round_to_whole(one.intersect(other), kind) for one in ones for other in others)
    return tuple(span for span in both if not span.is_empty)


def subtract_intervals(spans: IntervalSet, taken: IntervalSet, kind: FactKind) -> IntervalSet:
    """Return the values of the first that are not in the second."""
    for hole in taken:
        below = Interval(high=hole.low, high_open=not hole.low_open)
        above = Interval(low=hole.high, low_open=not hole.high_open)
        spans = intersect_intervals(spans, (below, above), kind)
    return spans


def _intervals_of(wanted: Matcher, kind: FactKind) -> Iterator[Interval]:
    match wanted:
        case Interval():
            yield _round_to_whole(wanted.intersect(FULL_RANGES[kind]), kind)
        case Flag(flag):
            yield Interval(int(flag), int(flag))
        case TimeWindow():
            yield from (Interval(start, end) for start, end in wanted.spans())
        case Weekdays(days):
            yield from (Interval(day, day) for day in sorted(days))


def _round_to_whole(span: Interval, kind: FactKind) -> Interval:
    if kind is FactKind.NUMBER or span.is_empty:
        return span
    low, high = math.ceil(span.low) if math.isfinite(span.low) else span.low, span.high
    low += span.low_open and low == span.low
    if math.isfinite(high):
        high = math.floor(high) - (span.high_open and math.floor(high) == high)
    return Interval(low, high)
