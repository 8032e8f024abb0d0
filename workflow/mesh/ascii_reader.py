"""The facets of an ASCII STL, piece by piece, in memory that does not grow with the file.

Plain runs of facets are read a whole piece at a time (`words`); whatever does not fit goes word by word
through the `grammar`, which also finds the line of a mistake.

Reading plain runs of ASCII facets at once: all words, all keywords, all numbers.
"""

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.ascii_grammar import FACET_WORDS, AsciiParser
from workflow.mesh.decimals import PADDING, read_decimals
from workflow.mesh.format import AsciiLayout
from workflow.mesh.stream import BLOCK_FACETS, Block, HashingStream, UnreadableMesh, remove_negative_zeros
from workflow.mesh.warnings import MeshWarning, MeshWarningKind, format_count

_BLANK = 32
"""This character and all below it separate words."""

_NUMBERS = [place for place, word in enumerate(FACET_WORDS) if word == "0"]
_KEYWORDS = [place for place, word in enumerate(FACET_WORDS) if word not in {"", "0"}]
_LENGTHS = np.array([len(FACET_WORDS[place]) for place in _KEYWORDS])
_LETTERS = np.array([int.from_bytes(FACET_WORDS[place].encode(), "little") for place in _KEYWORDS], np.uint64)
_UNUSED_BITS = (64 - 8 * _LENGTHS).astype(np.uint64)
"""No keyword is longer than eight letters, so each fits a 64-bit word."""


def parse_plain_facets(text: bytes) -> Block | None:
    """Give the corners of lower-case text that is whole facets and nothing else, or None if it is not."""
    if not text or b"\0" in text:
        return None
    padded = np.frombuffer(b" " * PADDING + text + b" ", np.uint8)
    words = _word_bounds(padded)
    if words is None or not _keywords_match(padded, words):
        return None
    numbers = words[:, _NUMBERS].reshape(-1, 2)
    try:
        corners = read_decimals(padded, numbers[:, 0], numbers[:, 1])
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
        return corners.reshape(-1, 9).T.astype(np.float32)


def _word_bounds(text: NDArray[np.uint8]) -> NDArray[np.intp] | None:
    """Give start and end of each word, shape (facets, words of a facet, 2)."""
    is_blank = text <= _BLANK
    borders = np.flatnonzero(is_blank[1:] != is_blank[:-1]) + 1
    return None if borders.size % (2 * len(FACET_WORDS)) else borders.reshape(-1, len(FACET_WORDS), 2)


def _keywords_match(text: NDArray[np.uint8], words: NDArray[np.intp]) -> bool:
    ends = words[:, _KEYWORDS, 1]
    if not np.array_equal(ends - words[:, _KEYWORDS, 0], np.broadcast_to(_LENGTHS, ends.shape)):
        return False
    letters = np.ndarray(text.size - 7, "<u8", text, strides=(1,))[ends - 8]
    return bool(((letters >> _UNUSED_BITS) == _LETTERS).all())


PIECE_BYTES = 1 << 19
MAX_CACHED_FACETS = 1 << 18
"""They take 36 bytes each."""

_NO_BLANKS = bytes([0, *range(33, 256)])
_END_OF_FACET = b"endfacet"
_LONGEST_WORD = 1 << 16
_USUAL_FACET = 1 << 11
"""A facet takes 100 to 500 bytes, unless somebody filled it with blanks."""


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
        """Give all facets from the start. Raises Unreadable where the text is no STL, and OSError.

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
        """How many solids there are in the file."""
        return self._grammar.solids

    @property
    def has_colour(self) -> bool:
        """Whether a `color` line was met."""
        return self._grammar.has_colour

    def remarks(self) -> tuple[MeshWarning, ...]:
        """Give what is odd about the file's form."""
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
        """Give the text in lower case, and with each piece whether it is the last."""
        at_end = False
        while not at_end:
            size = self._stream.fill(self._piece)
            at_end = size < len(self._piece)
            yield bytes(self._piece[:size]).lower(), at_end

    def _parse_piece(self, text: bytes, at_end: bool) -> Generator[Block, None, bytes]:
        """Give the facets in a piece of text; returns its rest, with which the next piece begins."""
        used = 0
        while used < len(text) and (at_end or not self._may_be_partial_facet(text, used)):
            block, end = self._next_block(text, used, at_end)
            if end == used:
                break
            used = end
            for start in range(0, block.shape[1], BLOCK_FACETS):
                yield remove_negative_zeros(np.ascontiguousarray(block[:, start : start + BLOCK_FACETS]))
        return text[used:]

    def _may_be_partial_facet(self, text: bytes, start: int) -> bool:
        """Tell whether the text may be the beginning of a facet that goes on in the next piece."""
        is_short = len(text) - start < _USUAL_FACET
        return is_short and self._grammar.is_between_facets and _end_of_facets(text, start) == start

    def _next_block(self, text: bytes, start: int, at_end: bool) -> tuple[Block, int]:
        """Read on from `start`; gives facets, perhaps none, and the place up to which was read."""
        if self._grammar.is_between_facets:
            end = _end_of_facets(text, start)
            block = parse_plain_facets(text[start:end]) if end > start else None
            if block is not None:
                self._grammar.count_parsed_facets(text[start:end], block.shape[1])
                return block, end
        end = self._end_of_words(text, start, at_end)
        corners = np.array(self._grammar.feed(text[start:end]), np.float64)
        return _as_block(corners), end

    def _end_of_words(self, text: bytes, start: int, at_end: bool) -> int:
        """Give the end of what is to be read word by word: one line, or all if facets can't be told."""
        end = len(text) if at_end or self._grammar.is_in_name else _last_blank(text, start)
        if self._grammar.is_between_facets and not text.startswith(b"endsolid", start):
            return end
        line_end = text.find(b"\n", start, end)
        return end if line_end < 0 else line_end + 1


def _as_block(corners: NDArray[np.float64]) -> Block:
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
        return corners.reshape(-1, 9).T.astype(np.float32)


def _end_of_facets(text: bytes, start: int) -> int:
    """Give the end of the last whole facet before this solid ends, or `start`."""
    solid_end = text.find(b"endsolid", start)
    last = text.rfind(_END_OF_FACET, start, solid_end if solid_end >= 0 else len(text))
    return last + len(_END_OF_FACET) if last >= 0 else start


def _last_blank(text: bytes, start: int) -> int:
    """Give the place after the last blank, or `start`: the word there may go on in the next piece."""
    return start + len(text[start:].rstrip(_NO_BLANKS))
