"""Patterns for text: `*` any run of characters, `?` any one, `**` any run of folders.

Letters match whatever their case and however their accents are encoded (macOS decomposes them).
Everything else, brackets too, stands for itself. Matching takes time in proportion to the length of
pattern times text, whatever the pattern.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

ANY_FOLDERS = "**"
_WILD_SIGN = re.compile(r"[*?]")
_WILD = "\0"
"""Stands for a `*` of another pattern; only a `*` takes it. No file name can hold it."""
_WILD_FOLDERS = "\0\0"
"""Stands for a `**` of another pattern; only a `**` takes it."""


def composed(text: str) -> str:
    """Give the text with its accents in one piece with their letters (NFC)."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Give the text in the form in which texts are compared."""
    return composed(composed(text).casefold())


@dataclass(frozen=True, slots=True)
class Glob:
    """One pattern, for text with folders (`by_folder`) or without."""

    pattern: str
    by_folder: bool = False

    def __str__(self) -> str:
        """Give the pattern as it was written."""
        return self.pattern

    def takes(self, text: str) -> bool:
        """Tell whether the pattern matches the whole text."""
        return _fits(_segments(self.pattern, self.by_folder), _segments(text, self.by_folder))

    def covers(self, other: "Glob") -> bool:
        """Tell whether this pattern surely takes every text that the other takes; False when unsure."""
        if self.by_folder != other.by_folder:
            return False
        return _fits(_segments(self.pattern, self.by_folder), _as_text(other.pattern, other.by_folder))

    def excludes(self, other: "Glob") -> bool:
        """Tell whether surely no text fits both patterns; False when unsure."""
        mine, theirs = (_segments(each.pattern, each.by_folder) for each in (self, other))
        for one, another in zip(mine, theirs, strict=False):
            if ANY_FOLDERS in (one, another):
                return False
            if _begin_otherwise(one, another):
                return True
        return self.by_folder and ANY_FOLDERS not in {*mine, *theirs} and len(mine) != len(theirs)


def _begin_otherwise(one: str, other: str) -> bool:
    """Tell whether two segments differ for certain: before the first sign, or behind the last one."""
    if "*" not in one and "?" not in one:
        return not _segment_fits(other, one)
    if "*" not in other and "?" not in other:
        return not _segment_fits(one, other)
    (head, tail), (other_head, other_tail) = _ends(one), _ends(other)
    return not (
        (head.startswith(other_head) or other_head.startswith(head))
        and (tail.endswith(other_tail) or other_tail.endswith(tail))
    )


@lru_cache(maxsize=4096)
def _ends(segment: str) -> tuple[str, str]:
    """Give what stands before the first sign and behind the last one."""
    parts = _WILD_SIGN.split(segment)
    return parts[0], parts[-1]


@lru_cache(maxsize=4096)
def _as_text(pattern: str, by_folder: bool) -> Sequence[str]:
    """Give a pattern as a text that only a pattern takes which takes all that it does."""
    return tuple(
        _WILD_FOLDERS if segment == ANY_FOLDERS else segment.replace("*", _WILD)
        for segment in _segments(pattern, by_folder)
    )


@lru_cache(maxsize=4096)
def _segments(text: str, by_folder: bool) -> Sequence[str]:
    folded = fold(text)
    if not by_folder:
        return (folded,)
    return tuple(folded.split("/")) if folded else ()


def _fits(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    """Match segment by segment; on a mismatch only the latest `**` takes one more segment."""
    at = taken = 0
    star = resume = -1
    while taken < len(segments):
        if at < len(pattern) and pattern[at] == ANY_FOLDERS:
            star, resume = at, taken
            at += 1
        elif at < len(pattern) and _segment_fits(pattern[at], segments[taken]):
            at, taken = at + 1, taken + 1
        elif star >= 0:
            resume += 1
            at, taken = star + 1, resume
        else:
            return False
    return all(rest == ANY_FOLDERS for rest in pattern[at:])


def _segment_fits(pattern: str, segment: str) -> bool:
    return segment != _WILD_FOLDERS and _compiled(pattern).match(segment) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """`fnmatch` makes expressions that never backtrack far; its brackets are put out of action."""
    literal_brackets = pattern.replace("[", "[[]")
    return re.compile(fnmatch.translate(literal_brackets.replace("?", f"[!{_WILD}]")))
