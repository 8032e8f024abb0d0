"""Connected components, without a library for graphs."""

import numpy as np
from numpy.typing import NDArray


def connected(tails: NDArray[np.intp], heads: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Give each of `count` points the lowest number among the points that it is connected with.

    Hooks each root to a lower root next to it (of several, the one that happens to be written last) and
    halves all paths, so that a few rounds do (after Y. Shiloach and U. Vishkin, "An O(log n) parallel
    connectivity algorithm", 1982).
    """
    lowest = np.arange(count)
    while True:
        tail_roots, head_roots = lowest[tails], lowest[heads]
        apart = np.flatnonzero(tail_roots != head_roots)
        if not apart.size:
            return lowest
        tails, heads = tail_roots[apart], head_roots[apart]
        lowest[np.maximum(tails, heads)] = np.minimum(tails, heads)
        while (lowest != (halved := lowest[lowest])).any():
            lowest = halved
