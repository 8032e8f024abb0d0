"""Decimal numbers in text, many at once, each exactly as Python's own `float` would read it.

Sixteen characters are taken as two 64-bit words and read eight digits at a time (D. Lemire, "Quickly
parsing eight digits", 2018). A whole number below 2^53 that is multiplied or divided once by a power of ten
up to 10^22 is rounded correctly (W. Clinger, "How to read floating point numbers accurately", 1990).
Longer or odder numbers go to `float` one by one.
"""

import re
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

PADDING = 16
"""How many bytes must stand before the first number: words are read from its end backwards."""

_Words: TypeAlias = NDArray[np.uint64]
_Positions: TypeAlias = NDArray[np.intp]

_SPELLING = re.compile(
    rb"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)(\(\w*\))?|[+-]?1\.#(ind|qnan|snan|inf)0*"
)
_LONGEST = 400
_MOST_EXACT = np.uint64(2**53)
_MOST_TENS = 22
_TENS = np.array([float(f"1e{power}") for power in range(_MOST_TENS + 1)])


def _repeat_byte(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


_ZEROS, _DOTS, _ONES, _TOPS = (_repeat_byte(byte) for byte in (ord("0"), ord("."), 0x01, 0x80))
_HIGH_HALVES, _LOW_HALVES, _SIXES, _THREES = (_repeat_byte(byte) for byte in (0xF0, 0x0F, 0x06, 0x33))
_BEFORE_LAST = np.array([2 ** (8 * max(0, 8 - length)) - 1 for length in range(17)], np.uint64)
_BEFORE_FIRST = np.array([2 ** (8 * min(8, 16 - length)) - 1 for length in range(17)], np.uint64)
"""The bytes that stand before a number of this length, in its last eight and in the eight before those."""
_ABOVE_DOT = np.array([2**64 - 1, *(10**digits for digits in range(1, 17))], np.uint64)
_DOT_WEIGHT = np.array([0, *(9 * 10 ** (digits - 1) for digits in range(1, 17))], np.uint64)
"""By the number of digits from the dot on, the dot counted as one; 0 for none."""


def read_decimal(text: bytes) -> float:
    """Read one number in lower case, not-a-number and infinity included. Raises ValueError."""
    if len(text) > _LONGEST or not _SPELLING.fullmatch(text):
        raise ValueError("not a number")
    return float("nan") if b"#" in text else float(text.partition(b"(")[0])


def read_decimals(text: NDArray[np.uint8], starts: _Positions, ends: _Positions) -> NDArray[np.float64]:
    """Read the lower-case numbers that stand in `text` at [start, end), all shape (n,).

    At least PADDING bytes stand before the first. Raises ValueError if one is no number.
    """
    first = text[starts]
    negative = first == ord("-")
    exponents, digits_end = _exponents(text, starts, ends)
    length = digits_end - starts - (negative | (first == ord("+")))
    is_plain = (length >= 1) & (length <= PADDING)
    whole, from_dot, all_digits = _digits(text, digits_end, np.where(is_plain, length, 1))
    scale = exponents - np.maximum(from_dot - 1, 0)
    is_plain &= all_digits & (length > (from_dot > 0)) & (whole < _MOST_EXACT) & (np.abs(scale) <= _MOST_TENS)
    numbers = _scaled(whole, scale)
    numbers *= np.where(negative, -1.0, 1.0)
    for odd in np.flatnonzero(~is_plain):
        numbers[odd] = read_decimal(text[starts[odd] : ends[odd]].tobytes())
    return numbers


def _exponents(
    text: NDArray[np.uint8], starts: _Positions, ends: _Positions
) -> tuple[_Positions, _Positions]:
    """Give the exponents spelt `e+12` or `e+123`, 0 for the others, and where the digits before them end."""
    exponents, digits_end = np.zeros_like(ends), ends.copy()
    for size in (4, 5):
        spelt = np.flatnonzero((text[ends - size] == ord("e")) & (ends - starts > size))
        if spelt.size:
            tail = text[ends[spelt, None] - np.arange(size - 1, 0, -1)]
            digits = tail[:, 1:].astype(np.intp) - ord("0")
            is_negative = tail[:, 0] == ord("-")
            fits = ((digits >= 0) & (digits <= 9)).all(axis=1) & (is_negative | (tail[:, 0] == ord("+")))
            value = digits @ 10 ** np.arange(size - 3, -1, -1)
            value[is_negative] *= -1
            exponents[spelt[fits]] = value[fits]
            digits_end[spelt[fits]] -= size
    return exponents, digits_end


def _digits(
    text: NDArray[np.uint8], ends: _Positions, length: _Positions
) -> tuple[_Words, _Positions, NDArray[np.bool_]]:
    """Read up to 16 digits with at most one dot among them.

    Gives the number without its dot, how many characters there are from the dot on (0 without one), and
    whether there was nothing else.
    """
    words = np.ndarray(text.size - 7, "<u8", text, strides=(1,))
    last, last_from_dot = _replace_dot(_zero_before_number(words[ends - 8], _BEFORE_LAST[length]))
    before, before_from_dot = _replace_dot(_zero_before_number(words[ends - 16], _BEFORE_FIRST[length]))
    one_dot = (last_from_dot == 0) | (before_from_dot == 0)
    from_dot = np.where(last_from_dot > 0, last_from_dot, before_from_dot + 8 * (before_from_dot > 0))
    whole = _eight_digits(before) * np.uint64(10**8) + _eight_digits(last)
    # With the dot read as a 0, the digits above it are ten times too high: take off nine tenths of them.
    whole -= whole // _ABOVE_DOT[from_dot] * _DOT_WEIGHT[from_dot]
    return whole, from_dot, one_dot & _are_digits(last) & _are_digits(before)


def _zero_before_number(words: _Words, before: _Words) -> _Words:
    """Put zeros where other text stands before the number."""
    return (words & ~before) | (_ZEROS & before)


def _replace_dot(words: _Words) -> tuple[_Words, _Positions]:
    """Turn the first dot into a zero; gives also how many of the eight characters there are from it on."""
    others = words ^ _DOTS
    dot = (others - _ONES) & ~others & _TOPS
    dot &= ~dot + np.uint64(1)
    place = np.bitwise_count(dot - np.uint64(1)).astype(np.intp) >> 3
    return words ^ ((dot >> np.uint64(7)) * np.uint64(ord(".") ^ ord("0"))), 8 - place


def _are_digits(words: _Words) -> NDArray[np.bool_]:
    above_nine = ((words + _SIXES) & _HIGH_HALVES) >> np.uint64(4)
    halves: _Words = (words & _HIGH_HALVES) | above_nine
    return np.equal(halves, _THREES)


def _eight_digits(words: _Words) -> _Words:
    """Join digits to pairs, pairs to fours, fours to eight, each by one multiplication."""
    words = (words & _LOW_HALVES) * np.uint64(10 * 2**8 + 1) >> np.uint64(8)
    words = (words & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 * 2**16 + 1) >> np.uint64(16)
    return (words & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(10000 * 2**32 + 1) >> np.uint64(32)


def _scaled(whole: _Words, scale: _Positions) -> NDArray[np.float64]:
    """Multiply by powers of ten; those out of range are read again by the caller."""
    numbers = whole.astype(np.float64)
    numbers /= _TENS[np.clip(-scale, 0, _MOST_TENS)]
    if scale.size and scale.max() > 0:
        numbers *= _TENS[np.clip(scale, 0, _MOST_TENS)]
    return numbers
