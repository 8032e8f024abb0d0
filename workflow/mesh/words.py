"""Reading plain runs of ASCII facets at once: all words, all keywords, all numbers."""

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import Block
from workflow.mesh.decimals import PADDING, read_decimals
from workflow.mesh.grammar import FACET

_BLANK = 32
"""This character and all below it separate words."""

_NUMBERS = [place for place, word in enumerate(FACET) if word == "0"]
_KEYWORDS = [place for place, word in enumerate(FACET) if word not in {"", "0"}]
_LENGTHS = np.array([len(FACET[place]) for place in _KEYWORDS])
_LETTERS = np.array([int.from_bytes(FACET[place].encode(), "little") for place in _KEYWORDS], np.uint64)
_UNUSED_BITS = (64 - 8 * _LENGTHS).astype(np.uint64)
"""No keyword is longer than eight letters, so each fits a 64-bit word."""


def facet_corners(text: bytes) -> Block | None:
    """Give the corners of lower-case text that is whole facets and nothing else, or None if it is not."""
    if not text or b"\0" in text:
        return None
    padded = np.frombuffer(b" " * PADDING + text + b" ", np.uint8)
    words = _words(padded)
    if words is None or not _keywords_fit(padded, words):
        return None
    numbers = words[:, _NUMBERS].reshape(-1, 2)
    try:
        corners = read_decimals(padded, numbers[:, 0], numbers[:, 1])
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
        return corners.reshape(-1, 9).T.astype(np.float32)


def _words(text: NDArray[np.uint8]) -> NDArray[np.intp] | None:
    """Give start and end of each word, shape (facets, words of a facet, 2)."""
    is_blank = text <= _BLANK
    borders = np.flatnonzero(is_blank[1:] != is_blank[:-1]) + 1
    return None if borders.size % (2 * len(FACET)) else borders.reshape(-1, len(FACET), 2)


def _keywords_fit(text: NDArray[np.uint8], words: NDArray[np.intp]) -> bool:
    ends = words[:, _KEYWORDS, 1]
    if not np.array_equal(ends - words[:, _KEYWORDS, 0], np.broadcast_to(_LENGTHS, ends.shape)):
        return False
    letters = np.ndarray(text.size - 7, "<u8", text, strides=(1,))[ends - 8]
    return bool(((letters >> _UNUSED_BITS) == _LETTERS).all())
