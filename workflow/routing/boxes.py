"""Conditions as boxes: for each fact what it may be; a file meets a condition if it lies in one of its boxes.

What is left of some boxes when others are taken away shows which rules are never reached. A box may
seem to hold something that no file is (patterns for text are not compared to the end); it never seems
empty while there is a file for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.routing.conditions import AllOf, AnyOf, Condition, FactIs, Not
from workflow.routing.facts import TEXTUAL, Fact
from workflow.routing.globs import Glob
from workflow.routing.spans import UNIVERSES, Spans, shared, spans_of, without

MOST_BOXES = 48
"""More would take long; then nothing is said."""


class TooMany(Exception):
    """The condition has more boxes than can be looked at."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one fact may be: in `spans`, or text that fits one of each of `some` and nothing of `none`.

    `absent`: the thing may be missing altogether, as fiber may be.
    """

    spans: Spans = ()
    some: tuple[tuple[Glob, ...], ...] = ()
    none: tuple[Glob, ...] = ()
    absent: bool = False


Box = Mapping[Fact, Side]
Boxes = tuple[Box, ...]


def boxes_of(condition: Condition) -> Boxes:
    """Give the boxes of a condition; none at all if nothing can meet it. Raises TooMany.

    What is quickly compared stands first in each box.
    """
    found = _boxes(condition, wanted=True)
    return tuple(dict(sorted(box.items(), key=lambda side: side[0].kind in TEXTUAL)) for box in found)


def swallows(boxes: Boxes, box: Box, *, by_text_alone: bool = False) -> bool:
    """Tell whether one of the boxes surely holds the whole of another one, as far as it is looked at."""
    return any(
        all(
            _is_within(fact, box, side)
            for fact, side in each.items()
            if not by_text_alone or fact.kind in TEXTUAL
        )
        for each in boxes
    )


def _is_within(fact: Fact, box: Box, side: Side) -> bool:
    """Tell whether whatever a box leaves to a fact is surely taken by one side of another box."""
    here = box.get(fact) or _everything(fact)
    if here.absent and not side.absent:
        return False
    if fact.kind not in TEXTUAL:
        return not without(here.spans, side.spans, fact.kind)
    takes_all = (any(_takes_each(globs, theirs) for theirs in here.some) for globs in side.some)
    avoids_all = (any(glob.covers(none) for glob in here.none) for none in side.none)
    return all(takes_all) and all(avoids_all)


def _takes_each(globs: Sequence[Glob], theirs: Sequence[Glob]) -> bool:
    return all(any(glob.covers(their) for glob in globs) for their in theirs)


def overlap(ones: Boxes, others: Boxes) -> bool:
    """Tell whether two conditions may take the same file."""
    return any(_both(one, other) is not None for one in ones for other in others)


def remainder(boxes: Boxes, taken: Boxes, most: int = MOST_BOXES) -> Boxes:
    """Give what is left of the first when the second is taken away. Raises TooMany for more than `most`."""
    for each in taken:
        left: list[Box] = []
        for box in boxes:
            left.extend(_minus(box, each))
            if len(left) > most:
                raise TooMany
        boxes = tuple(left)
    return boxes


def _boxes(condition: Condition, *, wanted: bool) -> Boxes:
    match condition:
        case FactIs():
            side = _side(condition) if wanted else _without(_everything(condition.fact), condition)
            return () if _is_empty(condition.fact, side) else ({condition.fact: side},)
        case Not(part):
            return _boxes(part, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            all_hold = isinstance(condition, AllOf) == wanted
            inner = [_boxes(part, wanted=wanted) for part in parts]
            found = _product(inner) if all_hold else tuple(box for boxes in inner for box in boxes)
            if len(found) > MOST_BOXES:
                raise TooMany
            return found


def _product(factors: Sequence[Boxes]) -> Boxes:
    boxes: Boxes = ({},)
    for factor in factors:
        both = (_both(one, other) for one in boxes for other in factor)
        boxes = tuple(box for box in both if box is not None)
        if len(boxes) > MOST_BOXES:
            raise TooMany
    return boxes


def _both(one: Box, other: Box) -> Box | None:
    """Give what lies in both boxes; None if surely nothing does."""
    sides = dict(one)
    for fact, side in other.items():
        if fact not in sides:
            sides[fact] = side
            continue
        sides[fact] = _narrowed(fact, sides[fact], side)
        if _is_empty(fact, sides[fact]):
            return None
    return sides


def _minus(box: Box, taken: Box) -> Iterator[Box]:
    """Cut a box in pieces along the sides of the one that is taken away."""
    if _both(box, taken) is None:
        yield box
        return
    rest = dict(box)
    for fact, side in taken.items():
        here = rest.get(fact, _everything(fact))
        outside = _cut(fact, here, side)
        for piece in outside:
            if not _is_empty(fact, piece):
                yield {**rest, fact: piece}
        rest[fact] = _narrowed(fact, here, side)


def _side(condition: FactIs) -> Side:
    fact = condition.fact
    if fact.kind in TEXTUAL:
        return Side(some=(tuple(each for each in condition.wanted if isinstance(each, Glob)),))
    return Side(spans=spans_of(condition.wanted, fact.kind))


def _everything(fact: Fact) -> Side:
    absent = fact.none_without is not None
    return Side(absent=absent) if fact.kind in TEXTUAL else Side((UNIVERSES[fact.kind],), absent=absent)


def _without(side: Side, condition: FactIs) -> Side:
    return next(_cut(condition.fact, side, _side(condition)))


def _narrowed(fact: Fact, one: Side, other: Side) -> Side:
    absent = one.absent and other.absent
    if fact.kind in TEXTUAL:
        some = tuple(dict.fromkeys((*one.some, *other.some)))
        return Side(some=some, none=tuple(dict.fromkeys((*one.none, *other.none))), absent=absent)
    return Side(shared(one.spans, other.spans, fact.kind), absent=absent)


def _cut(fact: Fact, side: Side, taken: Side) -> Iterator[Side]:
    """Give the parts of one side that lie outside the other: one for each thing that is asked for there."""
    absent = side.absent and not taken.absent
    if fact.kind not in TEXTUAL:
        yield replace(side, spans=without(side.spans, taken.spans, fact.kind), absent=absent)
        return
    for globs in taken.some:
        yield replace(side, none=tuple(dict.fromkeys((*side.none, *globs))), absent=absent)
    for glob in taken.none:
        yield replace(side, some=(*side.some, (glob,)), absent=absent and not taken.some)
    if absent and not taken.some and not taken.none:
        yield Side(none=(Glob("*"),), absent=True)


def _is_empty(fact: Fact, side: Side) -> bool:
    """Tell whether surely no file has it so."""
    if side.absent:
        return False
    if fact.kind not in TEXTUAL:
        return not side.spans
    return any(not _possible(globs, side) for globs in side.some) or any(
        none.covers(_anything(fact)) for none in side.none
    )


def _possible(globs: Sequence[Glob], side: Side) -> bool:
    """Tell whether one of these patterns may take something that all else leaves to it."""
    return any(
        not any(none.covers(glob) for none in side.none)
        and all(any(not glob.excludes(other) for other in others) for others in side.some)
        for glob in globs
    )


def _anything(fact: Fact) -> Glob:
    return Glob("**", by_folder=True) if fact.kind.value == "path" else Glob("*")
