"""Conditions as sets of files, with intersection and subtraction.

A condition becomes boxes: for each fact, the values it may have. A file meets the condition if it is in one
of the boxes. A box may contain something that no file is, since patterns for text are not compared to the
end; it is never empty while a file fits it. Numbers, times (minutes of the day), weekdays (0 to 6) and flags
(0, 1) are sets of intervals; whole numbers get closed ones, so that `> 0` and `>= 1` are the same.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from workflow.frozen import frozen
from workflow.routing.conditions import AllOf, AnyOf, Comparison, Condition, Flag, Matcher, Not
from workflow.routing.facts import TEXTUAL, Fact, FactKind
from workflow.routing.globs import Glob
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


MAX_BOXES = 48
"""A condition with more takes long to compare, and is not reported."""


class TooManyBoxes(Exception):
    """The condition has more boxes than are compared."""


@frozen
class Constraint:
    """The values of one fact: in `spans`, or text that matches one of each of `some` and none of `none`.

    `absent`: the thing may be missing altogether, as fiber may be.
    """

    spans: IntervalSet = ()
    some: tuple[tuple[Glob, ...], ...] = ()
    none: tuple[Glob, ...] = ()
    absent: bool = False


Box = Mapping[Fact, Constraint]
Boxes = tuple[Box, ...]


def boxes_of(condition: Condition) -> Boxes:
    """Return the boxes of a condition; none if nothing can meet it. Raises TooManyBoxes.

    The facts that are quick to compare come first in each box.
    """
    found = _to_boxes(condition, wanted=True)
    return tuple(dict(sorted(box.items(), key=lambda side: side[0].kind in TEXTUAL)) for box in found)


def contains_box(boxes: Boxes, box: Box, *, by_text_alone: bool = False) -> bool:
    """True if one of the boxes certainly contains all of another one; `by_text_alone` compares text only."""
    return any(
        all(
            _is_contained(fact, box, side)
            for fact, side in each.items()
            if not by_text_alone or fact.kind in TEXTUAL
        )
        for each in boxes
    )


def _is_contained(fact: Fact, box: Box, side: Constraint) -> bool:
    """True if all values that a box allows for a fact are certainly allowed by one side of another box."""
    here = box.get(fact) or _unconstrained(fact)
    if here.absent and not side.absent:
        return False
    if fact.kind not in TEXTUAL:
        return not subtract_intervals(here.spans, side.spans, fact.kind)
    takes_all = (any(_covers_each(globs, theirs) for theirs in here.some) for globs in side.some)
    avoids_all = (any(glob.covers(none) for glob in here.none) for none in side.none)
    return all(takes_all) and all(avoids_all)


def _covers_each(globs: Sequence[Glob], theirs: Sequence[Glob]) -> bool:
    return all(any(glob.covers(their) for glob in globs) for their in theirs)


def boxes_overlap(ones: Boxes, others: Boxes) -> bool:
    """True if two conditions may take the same file."""
    return any(_intersect_boxes(one, other) is not None for one in ones for other in others)


def subtract_boxes(boxes: Boxes, taken: Boxes, most: int) -> Boxes:
    """Return the first boxes without the second. Raises TooManyBoxes for more than `most`."""
    for each in taken:
        left: list[Box] = []
        for box in boxes:
            left.extend(_subtract_box(box, each))
            if len(left) > most:
                raise TooManyBoxes
        boxes = tuple(left)
    return boxes


def _to_boxes(condition: Condition, *, wanted: bool) -> Boxes:
    match condition:
        case Comparison():
            fact, side = condition.fact, _constraint_of(condition)
            if not wanted:
                side = next(_subtract_constraint(fact, _unconstrained(fact), side))
            return () if _is_empty(fact, side) else ({fact: side},)
        case Not(part):
            return _to_boxes(part, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            all_hold = isinstance(condition, AllOf) == wanted
            inner = [_to_boxes(part, wanted=wanted) for part in parts]
            found = _intersect_all(inner) if all_hold else tuple(box for boxes in inner for box in boxes)
            if len(found) > MAX_BOXES:
                raise TooManyBoxes
            return found


def _intersect_all(factors: Sequence[Boxes]) -> Boxes:
    boxes: Boxes = ({},)
    for factor in factors:
        both = (_intersect_boxes(one, other) for one in boxes for other in factor)
        boxes = tuple(box for box in both if box is not None)
        if len(boxes) > MAX_BOXES:
            raise TooManyBoxes
    return boxes


def _intersect_boxes(one: Box, other: Box) -> Box | None:
    """Return the box that is in both; None if certainly nothing is."""
    sides = dict(one)
    for fact, side in other.items():
        if fact not in sides:
            sides[fact] = side
            continue
        sides[fact] = _intersect_constraints(fact, sides[fact], side)
        if _is_empty(fact, sides[fact]):
            return None
    return sides


def _subtract_box(box: Box, taken: Box) -> Iterator[Box]:
    """Return the pieces of a box that are outside another one, cut along its sides."""
    if _intersect_boxes(box, taken) is None:
        yield box
        return
    rest = dict(box)
    for fact, side in taken.items():
        here = rest.get(fact, _unconstrained(fact))
        outside = _subtract_constraint(fact, here, side)
        for piece in outside:
            if not _is_empty(fact, piece):
                yield {**rest, fact: piece}
        rest[fact] = _intersect_constraints(fact, here, side)


def _constraint_of(condition: Comparison) -> Constraint:
    fact = condition.fact
    if fact.kind in TEXTUAL:
        return Constraint(some=(tuple(each for each in condition.wanted if isinstance(each, Glob)),))
    return Constraint(spans=interval_set_of(condition.wanted, fact.kind))


def _unconstrained(fact: Fact) -> Constraint:
    spans = () if fact.kind in TEXTUAL else (FULL_RANGES[fact.kind],)
    return Constraint(spans, absent=fact.none_without is not None)


def _intersect_constraints(fact: Fact, one: Constraint, other: Constraint) -> Constraint:
    absent = one.absent and other.absent
    if fact.kind in TEXTUAL:
        some = tuple(dict.fromkeys((*one.some, *other.some)))
        return Constraint(some=some, none=tuple(dict.fromkeys((*one.none, *other.none))), absent=absent)
    return Constraint(intersect_intervals(one.spans, other.spans, fact.kind), absent=absent)


def _subtract_constraint(fact: Fact, side: Constraint, taken: Constraint) -> Iterator[Constraint]:
    """Return the parts of one side that are outside the other: one for each thing it asks for."""
    absent = side.absent and not taken.absent
    if fact.kind not in TEXTUAL:
        yield replace(side, spans=subtract_intervals(side.spans, taken.spans, fact.kind), absent=absent)
        return
    for globs in taken.some:
        yield replace(side, none=tuple(dict.fromkeys((*side.none, *globs))), absent=absent)
    for glob in taken.none:
        yield replace(side, some=(*side.some, (glob,)), absent=absent and not taken.some)
    if absent and not taken.some and not taken.none:
        yield Constraint(none=(Glob("*"),), absent=True)


def _is_empty(fact: Fact, side: Constraint) -> bool:
    """True if certainly no file has such a value."""
    if side.absent:
        return False
    if fact.kind not in TEXTUAL:
        return not side.spans
    return any(not _can_match_any(globs, side) for globs in side.some) or any(
        none.covers(_anything(fact)) for none in side.none
    )


def _can_match_any(globs: Sequence[Glob], side: Constraint) -> bool:
    """True if one of these patterns may match a text that the other patterns of the side allow."""
    return any(
        not any(none.covers(glob) for none in side.none)
        and all(any(not glob.excludes(other) for other in others) for others in side.some)
        for glob in globs
    )


def _anything(fact: Fact) -> Glob:
    return Glob("**", by_folder=True) if fact.kind.value == "path" else Glob("*")
