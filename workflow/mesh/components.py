"""Bodies that share no corner with one another, and which of them are cavities or inside out.

This takes about 100 bytes for each facet, so it is done up to a limit.

Connected components, without a library for graphs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.stream import Block, Hashes
from workflow.mesh.watertight import CornerHashes, find_matches


def connected_components(tails: NDArray[np.intp], heads: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return each of `count` points the lowest number among the points that it is connected with.

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


MAX_SHELL_PAIRS = 10_000_000
"""Beyond this many pairs of an inward and an outward shell it is not looked which lies in which."""

_Numbers: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Shells:
    """How many there are.

    The rest holds for a closed mesh: `volume_mm3` of all bodies without their cavities; `is_inside_out`
    when the largest faces inwards. `cavities` are shells that face the other way than the one around them,
    `turned` those that do so without one around them; None where there are too many to compare.
    """

    count: int
    is_inside_out: bool = False
    volume_mm3: float = 0.0
    cavities: int | None = 0
    turned: int | None = 0


def find_shells(corners: CornerHashes, facets: int, volume_mm3: float) -> Shells:
    """Find the shells of a mesh of so many facets, whose volume is known."""
    root = _label_shells(corners.all_hashes(facets))
    shells = np.flatnonzero(np.bincount(root))
    if shells.size == 1:
        return Shells(1, volume_mm3 < 0, abs(volume_mm3))
    shell = np.searchsorted(shells, root)
    volumes = _shell_volumes(corners.blocks(), shell, shells.size)
    is_inside_out = -float(volumes.min()) > float(volumes.max())  # the largest shell is no cavity
    faces_in = (volumes > 0) if is_inside_out else (volumes < 0)
    total = float(np.abs(volumes).sum())
    if not faces_in.any():
        return Shells(shells.size, is_inside_out, total)
    is_cavity = _find_enclosed_shells(faces_in, *_boxes(corners.blocks(), shell, shells.size))
    if is_cavity is None:
        return Shells(shells.size, is_inside_out, abs(volume_mm3), None, None)
    cavities = int(np.count_nonzero(is_cavity))
    hollow = float(np.abs(volumes[is_cavity]).sum())
    turned = int(np.count_nonzero(faces_in)) - cavities
    return Shells(shells.size, is_inside_out, total - 2 * hollow, cavities, turned)


def _find_enclosed_shells(
    inner: NDArray[np.bool_], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Return which inner shells have the box of another one around theirs; None if they are too many."""
    outside, inside = np.flatnonzero(~inner), np.flatnonzero(inner)
    if outside.size * inside.size > MAX_SHELL_PAIRS:
        return None
    lies_within = np.zeros(inner.size, np.bool_)
    for around in outside:
        above = (low[:, inside] >= low[:, around, None]).all(axis=0)
        lies_within[inside] |= above & (high[:, inside] <= high[:, around, None]).all(axis=0)
    return lies_within


def _label_shells(hashes: Hashes) -> _Numbers:
    """Return each facet a number that all facets of its shell share.

    Exporters write neighbours one after the other. So most facets go on with a run: they have a corner of
    the one before. Only the other corners of a run have to be looked for elsewhere, and only runs joined.
    """
    goes_on = _corners_shared_with_previous(hashes)
    run: _Numbers = np.cumsum(~goes_on.any(axis=0))
    if run[-1] == run[0]:
        return run
    new = np.flatnonzero(~goes_on)
    run_of_new = np.concatenate((run, run, run))[new]
    matches = find_matches(hashes.reshape(-1)[new])
    return connected_components(run_of_new[matches.copy], run_of_new[matches.original], int(run[-1]) + 1)[run]


def _corners_shared_with_previous(hashes: Hashes) -> NDArray[np.bool_]:
    """Return which corners the facet before has, too; shape (3, n)."""
    found = np.zeros(hashes.shape, np.bool_)
    is_equal = np.empty(hashes.shape[1] - 1, np.bool_)
    for number, corner in enumerate(hashes[:, 1:]):
        for other in hashes[:, :-1]:
            found[number, 1:] |= np.equal(corner, other, out=is_equal)
    return found


def _shell_volumes(blocks: Iterable[Block], shell: _Numbers, shells: int) -> NDArray[np.float64]:
    """Return the signed volume of each shell, mm³: the sum of a·(b x c) / 6."""
    volumes = np.zeros(shells)
    origin: NDArray[np.float64] | None = None
    for block, here in _with_shells(blocks, shell):
        points = block.astype(np.float64).reshape(3, 3, -1)
        origin = points[0, :, :1].copy() if origin is None else origin
        points -= origin
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points
        products = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
        volumes += np.bincount(here, products, shells)
    return volumes / 6


def _boxes(
    blocks: Iterable[Block], shell: _Numbers, shells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest coordinates of each shell, both of shape (3, n)."""
    low, high = np.full((3, shells), np.inf), np.full((3, shells), -np.inf)
    for block, here in _with_shells(blocks, shell):
        corners = block.astype(np.float64).reshape(3, 3, -1)
        for axis in range(3):
            np.minimum.at(low[axis], here, corners[:, axis].min(axis=0))
            np.maximum.at(high[axis], here, corners[:, axis].max(axis=0))
    return low, high


def _with_shells(blocks: Iterable[Block], shell: _Numbers) -> Iterator[tuple[Block, _Numbers]]:
    done = 0
    for block in blocks:
        yield block, shell[done : done + block.shape[1]]
        done += block.shape[1]
