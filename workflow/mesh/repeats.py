"""Which of many 64-bit hashes come up more than once, two to four times as fast as sorting them.

Each number writes its place in the list into a table, at a slot chosen by its highest bits; the last to
write owns the slot. Whoever finds another owner there is a copy of it, or has to try again in the next
table together with all its own copies, since those chose the same slot.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import Hashes

_FEW = 4096
_PIECE = 1 << 16
"""Short-lived arrays of this length stay in the processor's cache."""
_OTHER_BITS = np.uint64(0x9E3779B97F4A7C15)  # odd: numbers that differ still do after multiplying


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many different values come up more than once, and how many copies there are beyond the first."""

    values: int
    copies: int


def find_repeats(keys: Hashes) -> Repeats:
    """Count what is there more than once among numbers that are spread evenly; they stay as they are."""
    values = copies = 0
    while keys.size > _FEW:
        owners, keys = _try_table(keys)
        values += np.unique(owners).size
        copies += owners.size
        keys = keys * _OTHER_BITS
    keys = np.sort(keys)
    same = keys[1:] == keys[:-1]
    values += int(np.count_nonzero(same[1:] & ~same[:-1])) + int(np.count_nonzero(same[:1]))
    return Repeats(values, copies + int(np.count_nonzero(same)))


def _try_table(keys: Hashes) -> tuple[NDArray[np.uint32], Hashes]:
    """Give for each copy the number of what it is a copy of, and the numbers that have to try again."""
    bits = (keys.size - 1).bit_length()
    table = np.empty(1 << bits, np.uint32)  # only slots that were written are read
    shift = np.uint64(64 - bits)
    starts = range(0, keys.size, _PIECE)
    for start in starts:
        piece = keys[start : start + _PIECE]
        table[piece >> shift] = np.arange(start, start + piece.size, dtype=np.uint32)
    owners, others = [], []
    for start in starts:
        piece = keys[start : start + _PIECE]
        owner = table[piece >> shift]
        lost = np.flatnonzero(owner != np.arange(start, start + piece.size, dtype=np.uint32))
        is_copy = keys[owner[lost]] == piece[lost]
        owners.append(owner[lost[is_copy]])
        others.append(piece[lost[~is_copy]])
    return np.concatenate(owners), np.concatenate(others)
