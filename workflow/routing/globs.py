"""Patterns for text: `*` any run of characters, `?` any one, `**` any run of folders.

Letters match whatever their case and however their accents are encoded (macOS decomposes them).
Everything else, brackets too, matches itself. Matching takes time in proportion to the length of the
pattern times that of the text, whatever the pattern.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from workflow.frozen import frozen

ANY_FOLDERS = "**"
_WILD_SIGN = re.compile(r"[*?]")
_STAR_MARK = "\0"
"""Marks a `*` of another pattern; only a `*` matches it. No file name can contain it."""
_ANY_FOLDERS_MARK = "\0\0"
"""Marks a `**` of another pattern; only a `**` matches it."""


NAME_SEPARATOR = ", "


def enclose_names(names: str) -> list[str]:
    """Return the names of a list, each between two separators, as `name_in_list` looks for one."""
    return [f"{NAME_SEPARATOR}{name}{NAME_SEPARATOR}" for name in names.split(NAME_SEPARATOR) if name]


def name_in_list(pattern: str) -> "Glob":
    """Return the pattern for an enclosed list in which some name matches the given pattern."""
    return Glob(f"*{NAME_SEPARATOR}{pattern}{NAME_SEPARATOR}*")


def normalize_nfc(text: str) -> str:
    """Return the text with each accent and its letter as one character (NFC)."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def casefold_nfc(text: str) -> str:
    """Return the text in the form in which texts are compared."""
    return normalize_nfc(normalize_nfc(text).casefold())


@frozen
class Glob:
    """One pattern, for text with folders (`by_folder`) or without."""

    pattern: str
    by_folder: bool = False

    def __str__(self) -> str:
        """Return the pattern as written."""
        return self.pattern

    def matches(self, text: str) -> bool:
        """True if the pattern matches the whole text."""
        return _match_segments(
            _split_segments(self.pattern, self.by_folder), _split_segments(text, self.by_folder)
        )

    def covers(self, other: "Glob") -> bool:
        """True if this pattern certainly matches every text that the other matches; False when unsure."""
        if self.by_folder != other.by_folder:
            return False
        return _match_segments(
            _split_segments(self.pattern, self.by_folder), _pattern_as_text(other.pattern, other.by_folder)
        )

    def excludes(self, other: "Glob") -> bool:
        """True if certainly no text matches both patterns; False when unsure."""
        mine, theirs = (_split_segments(each.pattern, each.by_folder) for each in (self, other))
        for one, another in zip(mine, theirs, strict=False):
            if ANY_FOLDERS in (one, another):
                return False
            if _certainly_differ(one, another):
                return True
        return self.by_folder and ANY_FOLDERS not in {*mine, *theirs} and len(mine) != len(theirs)


def _certainly_differ(one: str, other: str) -> bool:
    """True if two segments certainly differ: before the first wildcard, or behind the last."""
    if "*" not in one and "?" not in one:
        return not _match_segment(other, one)
    if "*" not in other and "?" not in other:
        return not _match_segment(one, other)
    (head, tail), (other_head, other_tail) = _ends(one), _ends(other)
    return not (
        (head.startswith(other_head) or other_head.startswith(head))
        and (tail.endswith(other_tail) or other_tail.endswith(tail))
    )


@lru_cache(maxsize=4096)
def _ends(segment: str) -> tuple[str, str]:
    """Return the text before the first wildcard, and the text behind the last."""
    parts = _WILD_SIGN.split(segment)
    return parts[0], parts[-1]


@lru_cache(maxsize=4096)
def _pattern_as_text(pattern: str, by_folder: bool) -> Sequence[str]:
    """Return a pattern as a text that matches only patterns that match everything it matches."""
    return tuple(
        _ANY_FOLDERS_MARK if segment == ANY_FOLDERS else segment.replace("*", _STAR_MARK)
        for segment in _split_segments(pattern, by_folder)
    )


@lru_cache(maxsize=4096)
def _split_segments(text: str, by_folder: bool) -> Sequence[str]:
    folded = casefold_nfc(text)
    if not by_folder:
        return (folded,)
    return tuple(folded.split("/")) if folded else ()


def _match_segments(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    """Match segment by segment; on a mismatch only the latest `**` takes one more segment."""
    at = taken = 0
    star = resume = -1
    while taken < len(segments):
        if at < len(pattern) and pattern[at] == ANY_FOLDERS:
            star, resume = at, taken
            at += 1
        elif at < len(pattern) and _match_segment(pattern[at], segments[taken]):
            at, taken = at + 1, taken + 1
        elif star >= 0:
            resume += 1
            at, taken = star + 1, resume
        else:
            return False
    return all(rest == ANY_FOLDERS for rest in pattern[at:])


def _match_segment(pattern: str, segment: str) -> bool:
    return segment != _ANY_FOLDERS_MARK and _compile_segment(pattern).match(segment) is not None


@lru_cache(maxsize=4096)
def _compile_segment(pattern: str) -> re.Pattern[str]:
    """`fnmatch` makes expressions that never backtrack far; its brackets are put out of action."""
    literal_brackets = pattern.replace("[", "[[]")
    return re.compile(fnmatch.translate(literal_brackets.replace("?", f"[!{_STAR_MARK}]")))
