"""The grammar of ASCII STL, word by word: slow, strict, and it knows the line of every mistake.

Words are separated by blanks of any kind; only names run to the end of their line. Accepted although not
in the format's description (3D Systems, "StereoLithography Interface Specification", 1989): several
solids, `end solid`, `color` lines, facets with part of a normal or none, anything as a normal, text after
the end.
"""

import re

import numpy as np

from workflow.mesh.format import UnreadableMesh

FACET_WORDS = (
    "facet", "normal", "", "", "", "outer", "loop",
    "vertex", "0", "0", "0", "vertex", "0", "0", "0", "vertex", "0", "0", "0", "endloop", "endfacet",
)  # fmt: skip
"""The words of a facet: "" stands for anything, "0" for a number."""

_FACET_WORD_BYTES = tuple(word.encode() for word in FACET_WORDS)
_AFTER_NORMAL = FACET_WORDS.index("outer")
_WORD = re.compile(rb"[^\x01-\x20]+")  # a NUL is no blank: it is a sign of a broken copy
_LINE_END = re.compile(rb"[\r\n]")
_FIRST_FACET = re.compile(rb"\bfacet\s+normal\s+([-+]?[.\d]|nan)")
_NEXT_SOLID = re.compile(rb"\bsolid\b[^\r\n]{0,200}?\bfacet\s+normal\s")
_COLOR_NUMBERS = 3
_SPELLING = re.compile(
    rb"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)(\(\w*\))?|[+-]?1\.#(ind|qnan|snan|inf)0*"
)
_DECIMAL_COMMA = re.compile(rb"[+-]?\d+,\d+(e[+-]?\d+)?")
_AS_BINARY = "Export the part as binary STL."
_LONGEST = 400


class AsciiParser:
    """The position in the text, and what was found so far.

    `solids` counts the solids begun, `facets` those that are complete, `without_normal` those of them
    that lack one; `has_trailing_text` is true if something that is no solid came after the end.
    """

    def __init__(self) -> None:
        self.solids = self.facets = self.without_normal = 0
        self.has_trailing_text = self.has_colour = False
        self._lines = self._facets_before = 0
        self._is_inside = False
        self._name_end: re.Pattern[bytes] | None = None
        self._expected = 0
        self._to_skip = 0
        self._is_split_end = False
        self._corners: list[float] = []

    @property
    def is_between_facets(self) -> bool:
        """True if a facet or the end of the solid comes next."""
        plain = not (self._to_skip or self._is_split_end)
        return self._is_inside and self._name_end is None and self._expected == 0 and plain

    @property
    def _has_no_facet_yet(self) -> bool:
        return self.facets == self._facets_before

    @property
    def is_in_name(self) -> bool:
        """True if the rest of the line is a name."""
        return self._name_end is not None

    def count_parsed_facets(self, text: bytes, facets: int) -> None:
        """Count facets that were read without the parser."""
        self._lines += _line_ends(text)
        self.facets += facets

    def feed(self, text: bytes) -> list[float]:
        """Return the corners of all facets that lower-case text, which ends between words, completes.

        Raises UnreadableMesh with the line of the mistake.
        """
        place = 0
        while place < len(text):
            if self._name_end:
                place = self._skip_name(text, place, self._name_end)
            elif match := _WORD.search(text, place):
                place = match.end()
                self._accept_at(text, match)
            else:
                break
        self._lines += _line_ends(text)
        return self._completed()

    def finish(self) -> None:
        """Raise UnreadableMesh if the file does not end with the end of a solid."""
        if self.facets == 0 and self._expected == 0:
            reason = "The file has no facets: nothing was selected when it was exported, or it is cut off."
            raise UnreadableMesh(f"{reason} Export it again.")
        if self._is_inside:
            reason = f"The text ends after {self.facets:,} facets without `endsolid`: the file is cut off."
            raise UnreadableMesh(f"{reason} Export it again, or wait until the copy has ended.")

    def _completed(self) -> list[float]:
        whole = len(self._corners) // 9 * 9
        corners, self._corners = self._corners[:whole], self._corners[whole:]
        return corners

    def _skip_name(self, text: bytes, place: int, name_end: re.Pattern[bytes]) -> int:
        line_end = _LINE_END.search(text, place)
        stop = line_end.start() if line_end else len(text)
        if early := name_end.search(text, place, stop):
            stop = early.start()
        if not self._is_inside and b"\0" in text[place:stop]:
            self.has_trailing_text = True
        if early or line_end:
            self._name_end = None
        return stop

    def _accept_at(self, text: bytes, match: re.Match[bytes]) -> None:
        try:
            self._accept_word(match.group())
        except UnreadableMesh as problem:
            line = self._lines + _line_ends(text[: match.start()]) + 1
            advice = "" if _AS_BINARY in str(problem) else " The file is damaged. Export it again."
            raise UnreadableMesh(f"Line {line:,}: {problem}{advice}") from None

    def _accept_word(self, word: bytes) -> None:
        if not self._is_inside:
            self._accept_outside_solid(word)
        elif self._to_skip:
            self._to_skip -= 1
        elif self._is_split_end or (self._expected == 0 and word != b"facet"):
            self._accept_between_facets(word)
        else:
            self._accept_in_facet(word)

    def _accept_outside_solid(self, word: bytes) -> None:
        if word == b"facet":
            raise UnreadableMesh("a facet is outside of any solid.")
        if word == b"solid":
            self.solids += 1
            self._facets_before = self.facets
            self._is_inside = True
            self._name_end = _FIRST_FACET
        else:
            self.has_trailing_text = self.has_trailing_text or word != b"endsolid"
            self._name_end = _NEXT_SOLID

    def _accept_between_facets(self, word: bytes) -> None:
        if word == b"solid" and not self._is_split_end and self._has_no_facet_yet:
            self._name_end = _FIRST_FACET  # `solid` in two lines, as OpenSCAD wrote it: part of the name
        elif word == b"endsolid" or (self._is_split_end and word == b"solid"):
            self._is_inside = self._is_split_end = False
            self._name_end = _NEXT_SOLID
        elif word == b"color":
            self._skip_color()
        elif word == b"end" and not self._is_split_end:
            self._is_split_end = True
        else:
            raise UnreadableMesh(f"`facet` or `endsolid` was expected, but {_quote_word(word)} is there.")

    def _accept_in_facet(self, word: bytes) -> None:
        expected = _FACET_WORD_BYTES[self._expected]
        if expected == b"0":
            self._corners.append(_parse_number(word))
        elif word == b"outer" and self._expected < _AFTER_NORMAL:
            self.without_normal += 1
            self._expected = _AFTER_NORMAL
        elif word == b"color" and expected:
            self._skip_color()
            return
        elif expected and word != expected:
            raise UnreadableMesh(f"`{expected.decode()}` was expected, but {_quote_word(word)} is there.")
        self._expected = (self._expected + 1) % len(_FACET_WORD_BYTES)
        self.facets += self._expected == 0

    def _skip_color(self) -> None:
        self._to_skip = _COLOR_NUMBERS
        self.has_colour = True


def read_decimal(text: bytes) -> float:
    """Return the number that lower-case text spells; also not-a-number and infinity. Raises ValueError."""
    if len(text) > _LONGEST or not _SPELLING.fullmatch(text):
        raise ValueError("not a number")
    return float("nan") if b"#" in text else float(text.partition(b"(")[0])


def _parse_number(word: bytes) -> float:
    try:
        return read_decimal(word)
    except ValueError:
        if _DECIMAL_COMMA.fullmatch(word):
            raise UnreadableMesh(f"the numbers have decimal commas. {_AS_BINARY}") from None
        if word.endswith(b",") and _SPELLING.fullmatch(word[:-1]):
            raise UnreadableMesh(f"there are commas between the numbers. {_AS_BINARY}") from None
        raise UnreadableMesh(f"a number was expected, but {_quote_word(word)} is there.") from None


def _quote_word(word: bytes) -> str:
    if b"\0" in word:
        return "a NUL byte"
    text = "".join(each if each.isprintable() else "?" for each in word[:20].decode("ascii", "replace"))
    return f"`{text}{'…' if len(word) > len(text) else ''}`"


def _line_ends(text: bytes) -> int:
    """Return the number of lines that end in LF, CR LF or CR."""
    characters = np.frombuffer(text, np.uint8)
    return max(int(np.count_nonzero(characters == ord(end))) for end in "\n\r")
