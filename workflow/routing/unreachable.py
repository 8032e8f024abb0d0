"""Find rules that are never reached, because rules above take everything that they ask for.

A rule that is reported is certainly never reached; one that is not reported may be unreachable all the same.

A condition becomes boxes: for each fact, the values it may have. A file meets the condition if it is in one
of the boxes. If nothing is left of a rule's boxes after those of the rules above are subtracted, the rule is
never reached. A box may contain something that no file is, since patterns for text are not compared to the
end; it is never empty while a file fits it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from workflow.routing.conditions import AllOf, AnyOf, Comparison, Condition, Not
from workflow.routing.facts import TEXTUAL, Fact
from workflow.routing.globs import Glob
from workflow.routing.interval_sets import (
    FULL_RANGES,
    IntervalSet,
    intersect_intervals,
    interval_set_of,
    subtract_intervals,
)
from workflow.routing.matchers import Interval

MAX_BOXES = 48
"""A condition with more takes long to compare, and is not reported."""


class TooManyBoxes(Exception):
    """The condition has more boxes than are compared."""


@dataclass(frozen=True, slots=True)
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


def subtract_boxes(boxes: Boxes, taken: Boxes, most: int = MAX_BOXES) -> Boxes:
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
            side = (
                _constraint_of(condition)
                if wanted
                else _subtract_condition(_unconstrained(condition.fact), condition)
            )
            return () if _is_empty(condition.fact, side) else ({condition.fact: side},)
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
    absent = fact.none_without is not None
    return (
        Constraint(absent=absent)
        if fact.kind in TEXTUAL
        else Constraint((FULL_RANGES[fact.kind],), absent=absent)
    )


def _subtract_condition(side: Constraint, condition: Comparison) -> Constraint:
    return next(_subtract_constraint(condition.fact, side, _constraint_of(condition)))


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


MAX_REMAINING_BOXES = 16
"""While several rules are subtracted; more would make long lists of rules slow to read."""

MAX_COMBINED_RULES = 8
"""How many rules are compared together with one that they may cover."""


def find_covering_conditions(
    above: Sequence[Boxes | None], inside: Boxes, places: Iterable[int]
) -> tuple[int, ...]:
    """Return the places of the conditions above that take all of `inside`; none if something is left.

    `places` are those to compare. One that takes all of it alone is enough; otherwise all that take a part.
    """
    overlapping = [
        (place, boxes) for place in places if (boxes := above[place]) and boxes_overlap(inside, boxes)
    ]
    for place, boxes in overlapping:
        if all(contains_box(boxes, box) for box in inside):
            return (place,)
    return _find_joint_cover(inside, _pick_candidates(overlapping, inside))


def _pick_candidates(overlapping: Sequence[tuple[int, Boxes]], inside: Boxes) -> list[tuple[int, Boxes]]:
    """Return a few that may take a part; first those that take all of the text: only numbers add up."""

    def leaves_text(each: tuple[int, Boxes]) -> bool:
        return not any(contains_box(each[1], box, by_text_alone=True) for box in inside)

    return sorted(sorted(overlapping, key=leaves_text)[:MAX_COMBINED_RULES], key=lambda each: each[0])


def _find_joint_cover(inside: Boxes, overlapping: Sequence[tuple[int, Boxes]]) -> tuple[int, ...]:
    left, parts = inside, list[int]()
    for place, boxes in overlapping:
        now = _subtract_or_none(left, boxes, MAX_REMAINING_BOXES)
        if now is None:
            return ()
        if now != left:
            left, parts = now, [*parts, place]
        if not left:
            return _minimal_cover(inside, [each for each in overlapping if each[0] in parts])
    return ()


def _minimal_cover(inside: Boxes, parts: Sequence[tuple[int, Boxes]]) -> tuple[int, ...]:
    """Return the places without those that are not needed to cover everything."""
    for part in parts:
        others = [each for each in parts if each is not part]
        left: Boxes | None = inside
        for _, boxes in others:
            left = None if left is None else _subtract_or_none(left, boxes, MAX_REMAINING_BOXES)
        if left == ():
            return _minimal_cover(inside, others)
    return tuple(place for place, _ in parts)


def boxes_or_none(condition: Condition) -> Boxes | None:
    """Return the boxes of a condition; None when there are too many to compare."""
    try:
        return boxes_of(condition)
    except TooManyBoxes:
        return None


def _subtract_or_none(boxes: Boxes, taken: Boxes, most: int = MAX_BOXES) -> Boxes | None:
    try:
        return subtract_boxes(boxes, taken, most)
    except TooManyBoxes:
        return None


def find_contradiction(condition: Condition) -> str | None:
    """Return why nothing can meet a condition; None when something may."""
    if boxes_or_none(condition) != ():
        return None
    asked: dict[str, list[Interval]] = {}
    for part in _conjuncts(condition):
        if len(part.wanted) == 1 and isinstance(part.wanted[0], Interval):
            asked.setdefault(part.fact.name, []).append(part.wanted[0])
    empty = (name for name, intervals in asked.items() if reduce(Interval.intersect, intervals).is_empty)
    name = next(empty, None)
    return f"no `{name}` meets all of its conditions" if name else "its conditions exclude each other"


def _conjuncts(condition: Condition) -> Iterator[Comparison]:
    """Yield the comparisons that all have to be met."""
    match condition:
        case Comparison():
            yield condition
        case AllOf(parts):
            for part in parts:
                yield from _conjuncts(part)
