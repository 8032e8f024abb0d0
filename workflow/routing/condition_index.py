"""Index of conditions: which of them can take the same files as another one. Long lists stay quick to check.

Most rules of a long list ask for a folder or a name of their own. Conditions are filed under such words, so
that a condition is compared with its like only, and with at most `MAX_CANDIDATES`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from workflow.routing.facts import TEXTUAL, Fact
from workflow.routing.globs import Glob, casefold_nfc
from workflow.routing.unreachable import Box, Boxes, Constraint

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
