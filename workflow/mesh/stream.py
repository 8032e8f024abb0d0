"""Reading a file in bounded pieces, hashed on the way so that no byte is read twice for it; binary facets.

A block holds the corners of up to BLOCK_FACETS facets, one row per coordinate: x, y, z of the first, second
and third corner, so shape (9, n), float32, C order. Whole rows are what numpy adds and multiplies fastest,
and a block this small stays in the processor's cache. There is no -0.0 in a block: equal coordinates have
equal bits.
"""

import hashlib
from collections.abc import Iterator
from io import FileIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from stl import Mesh

from workflow.mesh.format import FACET_BYTES, HEAD_BYTES, HEADER_BYTES, BinaryLayout
from workflow.mesh.warnings import MeshWarning, MeshWarningKind, format_count

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


class BinaryReader:
    """Reads the facets that `layout` counts; `has_colour` tells of attribute bytes or a colour header."""

    format = "binary"
    solids = 1

    def __init__(self, stream: HashingStream, layout: BinaryLayout) -> None:
        self._stream = stream
        self._layout = layout
        self.facets_at_least = layout.facets
        self.has_colour = b"COLOR=" in layout.header
        self._only: Block | None = None

    def blocks(self) -> Iterator[Block]:
        """Return all facets from the start; each block is overwritten by the next.

        The layout of a facet is that of numpy-stl's `Mesh.dtype`. Raises Unreadable where room was reserved
        for facets and never filled, as a copy over a share leaves it that breaks off, and OSError.
        """
        if self._only is not None:
            yield self._only
            return
        self._stream.rewind(0)
        self._stream.skip(HEADER_BYTES)
        piece = bytearray(FACET_BYTES * min(BLOCK_FACETS, self._layout.facets))
        corners = np.empty(9 * BLOCK_FACETS, np.float32)
        left = self._layout.facets
        empty = _EmptyFacetDetector()
        while left:
            size = self._stream.fill(memoryview(piece)[: FACET_BYTES * left])
            count = size // FACET_BYTES
            if not count:
                return  # the file became shorter; the caller compares its size
            facets = np.frombuffer(piece, Mesh.dtype, count)
            self.has_colour = self.has_colour or _has_attribute(piece, count)
            block = corners[: 9 * count].reshape(9, count)
            np.copyto(block, facets["vectors"].reshape(count, 9).T)
            empty.look(block, piece)
            if count == self._layout.facets:
                self._only = block
            yield remove_negative_zeros(block)
            left -= count
        empty.finish(self._layout.facets)

    def remarks(self) -> tuple[MeshWarning, ...]:
        """Return what is odd about the file's form."""
        trailing = self._layout.trailing_bytes
        if not trailing:
            return ()
        return (
            MeshWarning(
                MeshWarningKind.TRAILING_BYTES,
                f"{format_count(trailing, 'byte')} after the last facet: ignored.",
            ),
        )


def _has_attribute(piece: bytearray, facets: int) -> bool:
    """True if a facet has attribute bytes; four times as fast as through the field of the record."""
    words = np.frombuffer(piece, np.uint16, facets * FACET_BYTES // 2)
    return bool(np.count_nonzero(words[FACET_BYTES // 2 - 1 :: FACET_BYTES // 2]))


class _EmptyFacetDetector:
    """Counts facets of zeros only. One may be an exporter's; several in a row, or the last, are no facets."""

    def __init__(self) -> None:
        self._count = 0
        self._last = self._in_a_row = False

    def look(self, block: Block, piece: bytearray) -> None:
        """Count the empty facets among the next ones, by corners and bytes."""
        empty: NDArray[np.bool_] = block[0] == 0
        if empty.any():
            empty[empty] = ~block[:, empty].any(axis=0)
        if empty.any():
            content = np.frombuffer(piece, np.uint8, FACET_BYTES * len(empty)).reshape(-1, FACET_BYTES)
            empty[empty] = ~content[empty].any(axis=1)
        self._count += int(np.count_nonzero(empty))
        self._in_a_row = bool(self._in_a_row or (self._last and empty[0]) or (empty[1:] & empty[:-1]).any())
        self._last = bool(empty[-1])

    def finish(self, facets: int) -> None:
        """Judge at the end of the file. Raises Unreadable."""
        if self._last or self._in_a_row:
            raise UnreadableMesh(
                f"{self._count:,} of {facets:,} facets are empty: room was reserved for them, but the copy "
                f"broke off. Copy the file again."
            )
