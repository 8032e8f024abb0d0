"""The facets of an ASCII STL, piece by piece, in memory that does not grow with the file.

Plain runs of facets are read a whole piece at a time: split into words, keywords counted, numbers read by
Python's own `float`. All other text goes word by word through `ascii_grammar`, which also finds the line of a
mistake.
"""

from collections.abc import Generator, Iterator

import numpy as np

from workflow.errors import format_count
from workflow.mesh.ascii_grammar import FACET_WORDS, AsciiParser
from workflow.mesh.format import (
    BLOCK_FACETS,
    AsciiLayout,
    BinaryLayout,
    BinaryReader,
    Block,
    HashingStream,
    UnreadableMesh,
    remove_negative_zeros,
)
from workflow.mesh.warnings import MeshWarning, MeshWarningKind

_WORD_BYTES = [word.encode() for word in FACET_WORDS]
_NUMBERS = [place for place, word in enumerate(FACET_WORDS) if word == "0"]
_KEYWORDS = [(place, word) for place, word in enumerate(_WORD_BYTES) if word not in {b"", b"0"}]


def parse_plain_facets(text: bytes) -> Block | None:
    """Return the corners of lower-case text that is whole facets and nothing else, or None if it is not."""
    if b"\0" in text or b"_" in text:  # Python reads 1_0 as 10
        return None
    words = text.split()
    facets, rest = divmod(len(words), len(FACET_WORDS))
    if not facets or rest:
        return None
    if any(words[place :: len(FACET_WORDS)].count(word) != facets for place, word in _KEYWORDS):
        return None
    try:
        rows = [
            np.fromiter(map(float, words[place :: len(FACET_WORDS)]), np.float64, facets)
            for place in _NUMBERS
        ]
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
        return np.array(rows).astype(np.float32)


PIECE_BYTES = 1 << 19
MAX_CACHED_FACETS = 1 << 18
"""They take 36 bytes each."""

_NO_BLANKS = bytes([0, *range(33, 256)])
_END_OF_FACET = b"endfacet"
_NO_FACETS: Block = np.empty((9, 0), np.float32)
_LONGEST_WORD = 1 << 16
_USUAL_FACET = 1 << 11
"""A facet takes 100 to 500 bytes, unless someone filled it with blanks."""


class AsciiReader:
    """Reads an ASCII STL; what it says about the file holds once `blocks` has been read to the end."""

    format = "ascii"
    facets_at_least = 0  # nothing is known before reading

    def __init__(self, stream: HashingStream, layout: AsciiLayout, piece_bytes: int = PIECE_BYTES) -> None:
        self._stream = stream
        self._start = layout.start
        self._piece = memoryview(bytearray(piece_bytes))
        self._grammar = AsciiParser()
        self._kept: list[Block] | None = None

    def blocks(self) -> Iterator[Block]:
        """Return all facets from the start. Raises Unreadable where the text is no STL, and OSError.

        Reading text takes far longer than measuring, so not too many facets are kept for the next time.
        """
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] | None = []
        for block in self._parse_all():
            if kept is not None:
                kept.append(block)
            if self._grammar.facets > MAX_CACHED_FACETS:
                kept = None
            yield block
        self._kept = kept

    def _parse_all(self) -> Iterator[Block]:
        self._grammar = AsciiParser()
        self._stream.rewind(0)
        self._stream.skip(self._start)
        text = b""
        for piece, at_end in self._pieces():
            text = yield from self._parse_piece(text + piece, at_end)
            if len(text) > _LONGEST_WORD:
                raise UnreadableMesh(f"A word of more than {_LONGEST_WORD:,} characters: this is no STL.")
        self._grammar.finish()

    @property
    def solids(self) -> int:
        """Return the number of solids in the file."""
        return self._grammar.solids

    @property
    def has_colour(self) -> bool:
        """True if a `color` line was met."""
        return self._grammar.has_colour

    def remarks(self) -> tuple[MeshWarning, ...]:
        """Return what is odd about the file's form."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[MeshWarning]:
        if self._start:
            words = f"{format_count(self._start, 'byte')} of byte order mark before the text: ignored."
            yield MeshWarning(MeshWarningKind.BYTE_ORDER_MARK, words)
        if without := self._grammar.without_normal:
            yield MeshWarning(
                MeshWarningKind.NO_NORMAL, f"{format_count(without, 'facet')} without a normal: ignored."
            )
        if self._grammar.has_trailing_text:
            yield MeshWarning(MeshWarningKind.TRAILING_TEXT, "Text after `endsolid`: ignored.")

    def _pieces(self) -> Iterator[tuple[bytes, bool]]:
        """Return the text in lower case, and with each piece whether it is the last."""
        at_end = False
        while not at_end:
            size = self._stream.fill(self._piece)
            at_end = size < len(self._piece)
            yield bytes(self._piece[:size]).lower(), at_end

    def _parse_piece(self, text: bytes, at_end: bool) -> Generator[Block, None, bytes]:
        """Yield the facets in a piece of text; return its rest, with which the next piece begins."""
        used = 0
        end_of_words = len(text.rstrip(_NO_BLANKS))  # the last word may go on in the next piece
        while used < len(text) and (at_end or not self._may_be_partial_facet(text, used)):
            block, end = self._next_block(text, used, len(text) if at_end else end_of_words)
            if end == used:
                break
            used = end
            for start in range(0, block.shape[1], BLOCK_FACETS):
                yield remove_negative_zeros(np.ascontiguousarray(block[:, start : start + BLOCK_FACETS]))
        return text[used:]

    def _may_be_partial_facet(self, text: bytes, start: int) -> bool:
        """True if the text may be the beginning of a facet that continues in the next piece."""
        is_short = len(text) - start < _USUAL_FACET
        return is_short and self._grammar.is_between_facets and _end_of_facets(text, start) == start

    def _next_block(self, text: bytes, start: int, end_of_words: int) -> tuple[Block, int]:
        """Return the facets from `start` on, perhaps none, and the index up to which the text was read."""
        if self._grammar.is_between_facets:
            end = _end_of_facets(text, start)
            block = parse_plain_facets(text[start:end]) if end > start else None
            if block is not None:
                self._grammar.count_parsed_facets(text[start:end], block.shape[1])
                return block, end
        end = self._end_of_slow_part(text, start, end_of_words)
        return _as_block(self._grammar.feed(text[start:end])), end

    def _end_of_slow_part(self, text: bytes, start: int, end_of_words: int) -> int:
        """Return the end of the text to read word by word: the lines before the next facet, at least one.

        The cost must stay in proportion to the text that is used up, also for a million empty solids.
        """
        end = max(end_of_words, start)
        if end == start and self._grammar.is_in_name:  # a name may be longer than a piece
            end = len(text)
        if self._grammar.is_between_facets and not text.startswith(b"endsolid", start):
            return end
        facet = text.find(b"facet", start, end)
        line_end = text.rfind(b"\n", start, facet if facet >= 0 else end)
        if line_end < 0:
            line_end = text.find(b"\n", start, end)
        return end if line_end < 0 else line_end + 1


def _as_block(corners: list[float]) -> Block:
    if not corners:
        return _NO_FACETS
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
        return np.array(corners).reshape(-1, 9).T.astype(np.float32)


def _end_of_facets(text: bytes, start: int) -> int:
    """Return the end of the last whole facet before this solid ends, or `start`."""
    solid_end = text.find(b"endsolid", start)
    last = text.rfind(_END_OF_FACET, start, solid_end if solid_end >= 0 else len(text))
    return last + len(_END_OF_FACET) if last >= 0 else start


def make_reader(stream: HashingStream, layout: BinaryLayout | AsciiLayout) -> BinaryReader | AsciiReader:
    """Return the reader for a file of this layout."""
    return BinaryReader(stream, layout) if isinstance(layout, BinaryLayout) else AsciiReader(stream, layout)
