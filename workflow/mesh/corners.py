"""The hashes of all corners of a mesh, for those who need each of them and not only their sum."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from workflow.mesh.blocks import BLOCK_FACETS, Block, Hashes
from workflow.mesh.closedness import hash_corners


class CornerHashes:
    """CornerHashes of the facets that `blocks` gives anew at each call.

    What the first pass adds, of up to `kept_facets`, is kept. The corners of a larger mesh, or one to which
    nothing was added, are worked out again at each call.
    """

    def __init__(self, blocks: Callable[[], Iterable[Block]], kept_facets: int = 0) -> None:
        self.blocks = blocks
        # The memory is taken from the system only as it is filled.
        self._kept = np.empty((3, kept_facets), np.uint64)
        self._count = 0

    def add(self, corners: Hashes) -> None:
        """Add the corners of the next facets, shape (3, n)."""
        end = self._count + corners.shape[1]
        if end <= self._kept.shape[1]:
            self._kept[:, self._count : end] = corners
        self._count = end

    def pieces(self) -> Iterator[Hashes]:
        """Give all, in order, a block of facets at a time, shape (3, n); each piece overwrites the last."""
        if 0 < self._count <= self._kept.shape[1]:
            for start in range(0, self._count, BLOCK_FACETS):
                yield self._kept[:, start : min(start + BLOCK_FACETS, self._count)]
            return
        scratch = np.empty((9, BLOCK_FACETS), np.uint64)
        for block in self.blocks():
            yield hash_corners(block, scratch[:, : block.shape[1]])

    def of_all(self, facets: int) -> Hashes:
        """Give those of so many facets at once, shape (3, n); of fewer if there are no more."""
        if self._count == facets <= self._kept.shape[1]:
            return self._kept[:, :facets]
        hashes = np.empty((3, facets), np.uint64)
        count = 0
        for piece in self.pieces():
            end = count + piece.shape[1]
            hashes[:, count:end] = piece
            count = end
        return hashes[:, :count]
