"""Sets of numbers as spans: what is asked of a fact that is a number, a time, a weekday or a flag.

Times are minutes of the day, weekdays 0 to 6, flags 0 and 1. Whole numbers get closed spans with whole
ends, so that `> 0` and `>= 1` are the same.
"""

import math
from collections.abc import Iterator, Sequence

from workflow.routing.conditions import Flag, Wanted
from workflow.routing.facts import Kind
from workflow.routing.intervals import Interval
from workflow.routing.times import Days, Window

Spans = tuple[Interval, ...]
UNIVERSES = {
    Kind.NUMBER: Interval(0),
    Kind.COUNT: Interval(0),
    Kind.FLAG: Interval(0, 1),
    Kind.TIME: Interval(0, 24 * 60 - 1),
    Kind.WEEKDAY: Interval(0, 6),
}
"""Everything that a fact of the kind can be."""


def spans_of(wanted: Sequence[Wanted], kind: Kind) -> Spans:
    """Give everything that is wanted."""
    return tuple(span for each in wanted for span in _spans(each, kind) if not span.is_empty)


def shared(ones: Spans, others: Spans, kind: Kind) -> Spans:
    """Give what lies in both."""
    both = (_whole(one.overlap(other), kind) for one in ones for other in others)
    return tuple(span for span in both if not span.is_empty)


def without(spans: Spans, taken: Spans, kind: Kind) -> Spans:
    """Give what is left of the first when the second is taken away."""
    for hole in taken:
        below = Interval(high=hole.low, high_open=not hole.low_open)
        above = Interval(low=hole.high, low_open=not hole.high_open)
        spans = shared(spans, (below, above), kind)
    return spans


def _spans(wanted: Wanted, kind: Kind) -> Iterator[Interval]:
    match wanted:
        case Interval():
            yield _whole(wanted.overlap(UNIVERSES[kind]), kind)
        case Flag(flag):
            yield Interval(int(flag), int(flag))
        case Window():
            yield from (Interval(start, end) for start, end in wanted.spans())
        case Days(days):
            yield from (Interval(day, day) for day in sorted(days))


def _whole(span: Interval, kind: Kind) -> Interval:
    if kind is Kind.NUMBER or span.is_empty:
        return span
    low, high = math.ceil(span.low) if math.isfinite(span.low) else span.low, span.high
    low += span.low_open and low == span.low
    if math.isfinite(high):
        high = math.floor(high) - (span.high_open and math.floor(high) == high)
    return Interval(low, high)
