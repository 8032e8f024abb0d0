"""The facets of an ASCII STL, piece by piece, in memory that does not grow with the file.

Plain runs of facets are read a whole piece at a time (`words`); whatever does not fit goes word by word
through the `grammar`, which also finds the line of a mistake.
"""

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import BLOCK_FACETS, Block, without_minus_zero
from workflow.mesh.detect import Text
from workflow.mesh.grammar import Grammar
from workflow.mesh.oddities import Oddity, Remark
from workflow.mesh.phrases import counted
from workflow.mesh.stream import ByteStream
from workflow.mesh.unreadable import Unreadable
from workflow.mesh.words import facet_corners

PIECE_BYTES = 1 << 19
MOST_KEPT_FACETS = 1 << 18
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

    def __init__(self, stream: ByteStream, layout: Text, piece_bytes: int = PIECE_BYTES) -> None:
        self._stream = stream
        self._start = layout.start
        self._piece = memoryview(bytearray(piece_bytes))
        self._grammar = Grammar()
        self._kept: list[Block] | None = None

    def blocks(self) -> Iterator[Block]:
        """Give all facets from the start. Raises Unreadable where the text is no STL, and OSError.

        Reading text takes far longer than measuring, so not too many facets are kept for the next time.
        """
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] | None = []
        for block in self._read_all():
            if kept is not None:
                kept.append(block)
            if self._grammar.facets > MOST_KEPT_FACETS:
                kept = None
            yield block
        self._kept = kept

    def _read_all(self) -> Iterator[Block]:
        _keep_freed_memory()
        self._grammar = Grammar()
        self._stream.rewind(0)
        self._stream.skip(self._start)
        text = b""
        for piece, at_end in self._pieces():
            text = yield from self._read(text + piece, at_end)
            if len(text) > _LONGEST_WORD:
                raise Unreadable(f"A word of more than {_LONGEST_WORD:,} characters: this is no STL.")
        self._grammar.finish()

    @property
    def solids(self) -> int:
        """How many solids there are in the file."""
        return self._grammar.solids

    @property
    def has_colour(self) -> bool:
        """Whether a `color` line was met."""
        return self._grammar.has_colour

    def remarks(self) -> tuple[Remark, ...]:
        """Give what is odd about the file's form."""
        return tuple(self._remarks())

    def _remarks(self) -> Iterator[Remark]:
        if self._start:
            words = f"{counted(self._start, 'byte')} of byte order mark before the text: ignored."
            yield Remark(Oddity.BYTE_ORDER_MARK, words)
        if without := self._grammar.without_normal:
            yield Remark(Oddity.NO_NORMAL, f"{counted(without, 'facet')} without a normal: ignored.")
        if self._grammar.has_trailing_text:
            yield Remark(Oddity.TRAILING_TEXT, "Text after `endsolid`: ignored.")

    def _pieces(self) -> Iterator[tuple[bytes, bool]]:
        """Give the text in lower case, and with each piece whether it is the last."""
        at_end = False
        while not at_end:
            size = self._stream.fill(self._piece)
            at_end = size < len(self._piece)
            yield bytes(self._piece[:size]).lower(), at_end

    def _read(self, text: bytes, at_end: bool) -> Generator[Block, None, bytes]:
        """Give the facets in a piece of text; returns its rest, with which the next piece begins."""
        used = 0
        while used < len(text) and (at_end or not self._is_part_of_facet(text, used)):
            block, end = self._next_block(text, used, at_end)
            if end == used:
                break
            used = end
            for start in range(0, block.shape[1], BLOCK_FACETS):
                yield without_minus_zero(np.ascontiguousarray(block[:, start : start + BLOCK_FACETS]))
        return text[used:]

    def _is_part_of_facet(self, text: bytes, start: int) -> bool:
        """Tell whether the text may be the beginning of a facet that goes on in the next piece."""
        is_short = len(text) - start < _USUAL_FACET
        return is_short and self._grammar.is_between_facets and _end_of_facets(text, start) == start

    def _next_block(self, text: bytes, start: int, at_end: bool) -> tuple[Block, int]:
        """Read on from `start`; gives facets, perhaps none, and the place up to which was read."""
        if self._grammar.is_between_facets:
            end = _end_of_facets(text, start)
            block = facet_corners(text[start:end]) if end > start else None
            if block is not None:
                self._grammar.pass_over(text[start:end], block.shape[1])
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


def _keep_freed_memory() -> None:
    """Let glibc keep the memory of short-lived arrays instead of giving it back after each.

    Freeing one large mapped block raises the sizes from which it maps and trims (mallopt(3), dynamic
    mmap threshold), which halves the time for text. Elsewhere it does nothing.
    """
    np.empty(1 << 24, np.uint8)
