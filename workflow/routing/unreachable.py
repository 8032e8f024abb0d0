"""Find rules that are never reached, because rules above take everything that they ask for.

A rule that is reported is certainly never reached; one that is not reported may be unreachable all the same.
Nothing is left of such a rule's boxes after those of the rules above are subtracted. In a long list most
rules ask for a folder or a name of their own: filed under such words, a condition is compared only with at
most `MAX_CANDIDATES` of its like.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

from workflow.routing.condition_sets import (
    Box,
    Boxes,
    Constraint,
    TooManyBoxes,
    boxes_of,
    boxes_overlap,
    contains_box,
    subtract_boxes,
)
from workflow.routing.conditions import AllOf, Comparison, Condition
from workflow.routing.facts import TEXTUAL, Fact
from workflow.routing.globs import Glob, casefold_nfc
from workflow.routing.matchers import Interval

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
        now = _subtract_or_none(left, boxes)
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
            left = None if left is None else _subtract_or_none(left, boxes)
        if left == ():
            return _minimal_cover(inside, others)
    return tuple(place for place, _ in parts)


def boxes_or_none(condition: Condition) -> Boxes | None:
    """Return the boxes of a condition; None when there are too many to compare."""
    try:
        return boxes_of(condition)
    except TooManyBoxes:
        return None


def _subtract_or_none(boxes: Boxes, taken: Boxes) -> Boxes | None:
    try:
        return subtract_boxes(boxes, taken, MAX_REMAINING_BOXES)
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


MAX_CANDIDATES = 80
"""Of more, those alike and the first and last of the others: 1,500 rules then take seconds, not minutes."""
_WILDCARDS = re.compile(r"[*?]")


class ConditionIndex:
    """The boxes of conditions by their place, filed under the plain word that one text must begin with."""

    def __init__(self) -> None:
        self.boxes: list[Boxes | None] = []
        self._unfiled: set[int] = set()
        self._filed: dict[Fact, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def add(self, boxes: Boxes | None) -> None:
        """File the boxes of the next condition; None for a condition with too many of them."""
        place = len(self.boxes)
        self.boxes.append(boxes)
        for box in boxes or ():
            words = dict(_plain_words(box))
            if not words:
                self._unfiled.add(place)
                continue
            fact = next(iter(words))
            for word in words[fact]:
                self._filed[fact][word].add(place)

    def find_candidates(self, boxes: Boxes) -> list[int]:
        """Return the places of conditions that can take the same files, in order."""
        alike, others = set[int](), set(self._unfiled)
        for box in boxes:
            words = dict(_plain_words(box))
            for fact, by_word in self._filed.items():
                found = alike if fact in words else others
                for word in words.get(fact, tuple(by_word)):
                    found |= by_word.get(word, set())
        first, rest = sorted(alike)[:MAX_CANDIDATES], sorted(others - alike)
        room = MAX_CANDIDATES - len(first)
        if len(rest) > room:
            rest = [*rest[: room // 2], *rest[len(rest) - room // 2 :]]
        return sorted((*first, *rest))


def _plain_words(box: Box) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """Return for each text that has to begin with one of a few words: the fact and those words."""
    for fact, side in box.items():
        if fact.kind in TEXTUAL and (words := _first_words(side)):
            yield fact, words


def _first_words(side: Constraint) -> tuple[str, ...]:
    """Return the first folder or the whole text of each pattern; nothing where one has a wildcard there."""
    if side.absent:
        return ()
    for globs in side.some:
        words = [_first_word(glob) for glob in globs]
        if not any(map(_WILDCARDS.search, words)):
            return tuple(words)
    return ()


def _first_word(glob: Glob) -> str:
    text = casefold_nfc(glob.pattern)
    return text.partition("/")[0] if glob.by_folder else text
