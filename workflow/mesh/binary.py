"""The facets of a binary STL, block by block, in memory that does not grow with the file."""

from collections.abc import Iterator

import numpy as np
from stl import Mesh

from workflow.mesh.blocks import BLOCK_FACETS, Block, without_minus_zero
from workflow.mesh.detect import FACET_BYTES, HEADER_BYTES, Binary
from workflow.mesh.oddities import Oddity, Remark
from workflow.mesh.phrases import counted
from workflow.mesh.stream import ByteStream


class BinaryReader:
    """Reads the facets that `layout` counts; `has_colour` tells of attribute bytes or a colour header."""

    format = "binary"
    solids = 1

    def __init__(self, stream: ByteStream, layout: Binary) -> None:
        self._stream = stream
        self._layout = layout
        self.facets_at_least = layout.facets
        self.has_colour = b"COLOR=" in layout.header

    def blocks(self) -> Iterator[Block]:
        """Give all facets from the start; each block is overwritten by the next. Raises OSError.

        The layout of a facet is that of numpy-stl's `Mesh.dtype`.
        """
        self._stream.rewind(0)
        self._stream.skip(HEADER_BYTES)
        piece = bytearray(FACET_BYTES * min(BLOCK_FACETS, self._layout.facets))
        corners = np.empty(9 * BLOCK_FACETS, np.float32)
        left = self._layout.facets
        while left:
            size = self._stream.fill(memoryview(piece)[: FACET_BYTES * left])
            count = size // FACET_BYTES
            if not count:
                return  # the file became shorter; the caller compares its size
            facets = np.frombuffer(piece, Mesh.dtype, count)
            self.has_colour = self.has_colour or bool(facets["attr"].any())
            block = corners[: 9 * count].reshape(9, count)
            np.copyto(block, facets["vectors"].reshape(count, 9).T)
            yield without_minus_zero(block)
            left -= count

    def remarks(self) -> tuple[Remark, ...]:
        """Give what is odd about the file's form."""
        trailing = self._layout.trailing_bytes
        if not trailing:
            return ()
        return (Remark(Oddity.TRAILING_BYTES, f"{counted(trailing, 'byte')} after the last facet: ignored."),)
