"""A block: the corners of up to BLOCK_FACETS facets, one row per coordinate.

Rows are x, y, z of the first, second and third corner, so shape (9, n), float32, C order. Whole rows are
what numpy adds and multiplies fastest, and a block this small stays in the processor's cache. There is
no -0.0 in a block: equal coordinates have equal bits.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Block: TypeAlias = NDArray[np.float32]
Hashes: TypeAlias = NDArray[np.uint64]

BLOCK_FACETS = 8192


def without_minus_zero(block: Block) -> Block:
    """Turn -0.0 into 0.0, in place."""
    block += np.float32(0)
    return block
