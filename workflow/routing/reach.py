"""Which rules are never reached: what they ask for is taken, all of it, by rules above.

The answers err to one side: what is said is certain, silence may mean that it can't be told.
"""

from collections.abc import Iterator, Sequence
from functools import reduce

from workflow.routing.boxes import (
    MOST_BOXES,
    Boxes,
    TooMany,
    boxes_of,
    overlap,
    remainder,
    swallows,
)
from workflow.routing.conditions import AllOf, Condition, FactIs
from workflow.routing.intervals import Interval

MOST_PIECES = 16
"""Of what is left while several rules take from it; more would make long lists of rules slow to read."""

MOST_TOGETHER = 8
"""Rules that may take everything from another one together."""


def covers(wide: Condition, narrow: Condition) -> bool:
    """Tell whether every file that the narrow condition takes is surely taken by the wide one."""
    return takers([boxes_or_none(wide)], narrow) == (0,)


def takers(above: Sequence[Boxes | None], narrow: Condition) -> tuple[int, ...]:
    """Give which of the conditions above take everything from the narrow one; none if something is left.

    One that takes all of it alone stands for itself; else all that take a part of it.
    """
    inside = boxes_or_none(narrow)
    if not inside:
        return ()
    overlapping = [(place, boxes) for place, boxes in enumerate(above) if boxes and overlap(inside, boxes)]
    for place, boxes in overlapping:
        if all(swallows(boxes, box) for box in inside):
            return (place,)
    return _together_take(inside, _promising(overlapping, inside))


def _promising(overlapping: Sequence[tuple[int, Boxes]], inside: Boxes) -> list[tuple[int, Boxes]]:
    """Give a few that may take a part, those first that take all of the text: numbers add up, text hardly."""

    def leaves_text(each: tuple[int, Boxes]) -> bool:
        return not any(swallows(each[1], box, by_text_alone=True) for box in inside)

    return sorted(sorted(overlapping, key=leaves_text)[:MOST_TOGETHER], key=lambda each: each[0])


def _together_take(inside: Boxes, overlapping: Sequence[tuple[int, Boxes]]) -> tuple[int, ...]:
    left, parts = inside, list[int]()
    for place, boxes in overlapping:
        now = _left(left, boxes, MOST_PIECES)
        if now is None:
            return ()
        if now != left:
            left, parts = now, [*parts, place]
        if not left:
            return _needed(inside, [each for each in overlapping if each[0] in parts])
    return ()


def _needed(inside: Boxes, parts: Sequence[tuple[int, Boxes]]) -> tuple[int, ...]:
    """Leave out those without which nothing is left over either."""
    for part in parts:
        others = [each for each in parts if each is not part]
        left: Boxes | None = inside
        for _, boxes in others:
            left = None if left is None else _left(left, boxes, MOST_PIECES)
        if left == ():
            return _needed(inside, others)
    return tuple(place for place, _ in parts)


def boxes_or_none(condition: Condition) -> Boxes | None:
    """Give the boxes of a condition; None when they are too many to be looked at."""
    try:
        return boxes_of(condition)
    except TooMany:
        return None


def _left(boxes: Boxes, taken: Boxes, most: int = MOST_BOXES) -> Boxes | None:
    try:
        return remainder(boxes, taken, most)
    except TooMany:
        return None


def contradiction(condition: Condition) -> str | None:
    """Say why nothing can meet a condition; None when something may."""
    if boxes_or_none(condition) != ():
        return None
    asked: dict[str, list[Interval]] = {}
    for part in _together(condition):
        if len(part.wanted) == 1 and isinstance(part.wanted[0], Interval):
            asked.setdefault(part.fact.name, []).append(part.wanted[0])
    empty = (name for name, intervals in asked.items() if reduce(Interval.overlap, intervals).is_empty)
    name = next(empty, None)
    return f"no `{name}` meets all of its conditions" if name else "its conditions exclude each other"


def _together(condition: Condition) -> Iterator[FactIs]:
    """Give the comparisons that all have to hold."""
    match condition:
        case FactIs():
            yield condition
        case AllOf(parts):
            for part in parts:
                yield from _together(part)
