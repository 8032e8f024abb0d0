"""Reading a file in bounded pieces, and hashing on the way, so that no byte is read twice for it.

A block: the corners of up to BLOCK_FACETS facets, one row per coordinate.

Rows are x, y, z of the first, second and third corner, so shape (9, n), float32, C order. Whole rows are
what numpy adds and multiplies fastest, and a block this small stays in the processor's cache. There is
no -0.0 in a block: equal coordinates have equal bits.

The one way in which reading an STL ends early.
"""

import hashlib
from io import FileIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.format import HEAD_BYTES

_DRAIN_BYTES = 1 << 18


class HashingStream:
    """The bytes of one open file, in order. `sha256` covers what was read until `drain` ended.

    Raises OSError from every method that reads.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._position = 0

    def head(self) -> bytes:
        """Return the first bytes, and begin again after them at 0."""
        head = self._file.read(HEAD_BYTES)
        self.rewind(0)
        return head or b""

    def rewind(self, position: int) -> None:
        """Go to a position, at or before the furthest that was read."""
        self._file.seek(position)
        self._position = position

    def skip(self, size: int) -> None:
        """Read over a few bytes."""
        self.fill(memoryview(bytearray(size)))

    def fill(self, into: memoryview) -> int:
        """Read until `into` is full or the file ends; gives how many bytes were read."""
        filled = 0
        while filled < len(into):
            count = self._file.readinto(into[filled:])
            if not count:
                break
            filled += count
        self._update_hash(into[:filled])
        self._position += filled
        return filled

    def drain(self) -> None:
        """Read the rest, for the hash alone."""
        self.rewind(self._hashed)
        rest = memoryview(bytearray(_DRAIN_BYTES))
        while self.fill(rest):
            pass

    @property
    def sha256(self) -> str:
        """The hash in hex of what was read so far."""
        return self._digest.hexdigest()

    def _update_hash(self, piece: memoryview) -> None:
        unseen = self._position + len(piece) - self._hashed
        if unseen > 0:
            self._digest.update(piece[len(piece) - unseen :])
            self._hashed += unseen


Block: TypeAlias = NDArray[np.float32]
Hashes: TypeAlias = NDArray[np.uint64]

BLOCK_FACETS = 8192


def remove_negative_zeros(block: Block) -> Block:
    """Turn -0.0 into 0.0, in place."""
    block += np.float32(0)
    return block


class UnreadableMesh(Exception):
    """The content can't be read as STL; the message says where and why, in shop words. Caught in the room."""
