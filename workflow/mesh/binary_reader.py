"""The facets of a binary STL, block by block, in memory that does not grow with the file."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from stl import Mesh

from workflow.mesh.format import FACET_BYTES, HEADER_BYTES, BinaryLayout
from workflow.mesh.stream import BLOCK_FACETS, Block, HashingStream, UnreadableMesh, remove_negative_zeros
from workflow.mesh.warnings import MeshWarning, MeshWarningKind, format_count


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
