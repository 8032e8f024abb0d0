"""Connected components, without a library for graphs."""

import numpy as np
from numpy.typing import NDArray


def connected(tails: NDArray[np.intp], heads: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Give each of `count` points the lowest number among the points that it is connected with.

    Hooks each root to the lowest root next to it and halves all paths, so that a few rounds do (after
    Y. Shiloach and U. Vishkin, "An O(log n) parallel connectivity algorithm", 1982).
    """
    lowest = np.arange(count)
    while True:
        tail_roots, head_roots = lowest[tails], lowest[heads]
        apart = tail_roots != head_roots
        if not apart.any():
            return lowest
        tails, heads = tail_roots[apart], head_roots[apart]
        near = np.minimum(tails, heads)
        np.minimum.at(lowest, np.maximum(tails, heads), near)
        while not np.array_equal(lowest, halved := lowest[lowest]):
            lowest = halved
