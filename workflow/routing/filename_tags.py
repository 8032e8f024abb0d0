"""Tags: what a file's name says, by the patterns for names in a rules file.

`{project}_{qty}x` takes `gearbox_4x.stl`: `tag.project` is `gearbox` and `tag.qty` is 4. A pattern
matches the whole name without its ending. Letters match whatever their case. A tag takes at least one
character and as few as the rest of the pattern allows; `{qty}` and `{word:number}` take digits alone,
`{due}` and `{word:date}` dates.
"""

import re
from collections.abc import Sequence

from workflow.frozen import frozen
from workflow.model import Facts, FactValue
from workflow.routing.due import parse_name_date
from workflow.routing.facts import TAG_PREFIX, FactKind
from workflow.routing.globs import normalize_nfc

MAX_TAGS = 6
"""In one pattern."""
QUANTITY_TAG = "qty"
NUMBER_SUFFIX = ":number"
_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
DUE_TAG = "due"
DATE_SUFFIX = ":date"
_KINDS_BY_SUFFIX = {NUMBER_SUFFIX: FactKind.COUNT, DATE_SUFFIX: FactKind.DATE, "": FactKind.TEXT}
_TAG = re.compile(rf"([a-z][a-z0-9_]*)({NUMBER_SUFFIX}|{DATE_SUFFIX})?")
_DIGITS = frozenset("0123456789")
_MAX_DIGITS = 6
_ENDING = re.compile(r"\.stl$", re.IGNORECASE)


@frozen
class Tag:
    """A piece of a pattern that matches any text, or digits or a date alone."""

    name: str
    kind: FactKind

    def matches(self, text: str) -> bool:
        """True if the tag can match the text."""
        if self.kind is FactKind.DATE:
            return parse_name_date(text) is not None
        if self.kind is FactKind.COUNT:
            return 0 < len(text) <= _MAX_DIGITS and _DIGITS.issuperset(text)
        return bool(text)


@frozen
class NamePattern:
    """One pattern for names, as its pieces: tags, and literal text in small letters."""

    text: str
    pieces: tuple[Tag | str, ...]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Tag))

    def read(self, stem: str) -> dict[str, FactValue] | None:
        """Return the facts in a name without its ending; None when the name does not match."""
        texts = _match_pieces(self.pieces, stem, 0, set())
        if texts is None:
            return None
        return {
            TAG_PREFIX + tag.name: _tag_value(tag, text) for tag, text in zip(self.tags, texts, strict=True)
        }


def _tag_value(tag: Tag, text: str) -> FactValue:
    if tag.kind is FactKind.DATE:
        return str(parse_name_date(text))
    return int(text) if tag.kind is FactKind.COUNT else text


def parse_name_pattern(text: str) -> NamePattern:
    """Read a pattern for names. Raises ValueError with a sentence for people."""
    pieces: list[Tag | str] = []
    for inside, literal, stray in _PIECE.findall(text):
        if stray:
            raise ValueError(f"a `{stray}` in `{text}` has no partner")
        if not literal and pieces and isinstance(pieces[-1], Tag):
            raise ValueError(f"two tags in `{text}` have nothing between them")
        pieces.append(normalize_nfc(literal).lower() if literal else _parse_tag(inside))
    pattern = NamePattern(text, tuple(pieces))
    _check_tags(text, [tag.name for tag in pattern.tags])
    return pattern


def _match_pieces(
    pieces: Sequence[Tag | str], stem: str, at: int, failed: set[tuple[int, int]]
) -> list[str] | None:
    """Return the texts of the tags; None when they don't match. Places that failed are not tried again."""
    if not pieces:
        return [] if at == len(stem) else None
    first, rest = pieces[0], pieces[1:]
    if isinstance(first, str):
        fits = stem[at : at + len(first)].lower() == first
        return _match_pieces(rest, stem, at + len(first), failed) if fits else None
    if (len(pieces), at) in failed:
        return None
    for end in range(at + 1, len(stem) + 1):
        after = _match_pieces(rest, stem, end, failed) if first.matches(stem[at:end]) else None
        if after is not None:
            return [stem[at:end], *after]
    failed.add((len(pieces), at))
    return None


def with_tags(patterns: Sequence[NamePattern], facts: Facts) -> Facts:
    """Add the tags of the first pattern that the file's name fits."""
    name = facts.get("name") if patterns else None
    if not isinstance(name, str):
        return facts
    stem = _ENDING.sub("", normalize_nfc(name))
    fitting = (tags for pattern in patterns if (tags := pattern.read(stem)) is not None)
    tags = next(fitting, None)
    return facts if tags is None else {**facts, **tags}


def _parse_tag(inside: str) -> Tag:
    found = _TAG.fullmatch(inside.strip())
    if found is None:
        raise ValueError(f"`{{{inside}}}` is no tag: small letters, digits and _, like {{project}}")
    suffix = found[2] or {QUANTITY_TAG: NUMBER_SUFFIX, DUE_TAG: DATE_SUFFIX}.get(found[1], "")
    return Tag(found[1], _KINDS_BY_SUFFIX[suffix])


def _check_tags(text: str, tags: Sequence[str]) -> None:
    if not tags:
        raise ValueError(f"`{text}` has no tag: write one like {{project}}")
    if len(tags) > MAX_TAGS:
        raise ValueError(f"`{text}` has {len(tags)} tags: {MAX_TAGS} at most")
    twice = next((tag for at, tag in enumerate(tags) if tag in tags[:at]), None)
    if twice is not None:
        raise ValueError(f"`{{{twice}}}` is there twice in `{text}`")
