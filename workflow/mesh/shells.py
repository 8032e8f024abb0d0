"""Bodies that share no corner with one another, and which of them are cavities or inside out.

This takes about 100 bytes for each facet, so it is done up to a limit.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import BLOCK_FACETS, Block, Hashes
from workflow.mesh.closedness import hash_corners
from workflow.mesh.connected import connected
from workflow.mesh.repeats import find_matches

MOST_PAIRS = 10_000_000
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


class CornerHashes:
    """The hashes of all corners, kept on the first pass, so that a mesh of few facets is not read again."""

    def __init__(self, facets_at_most: int) -> None:
        # The memory is taken from the system only as it is filled.
        self._hashes = np.empty((3, facets_at_most), np.uint64)
        self._count = 0

    def add(self, corners: Hashes) -> None:
        """Add the corners of some facets, shape (3, n)."""
        end = self._count + corners.shape[1]
        if end <= self._hashes.shape[1]:
            self._hashes[:, self._count : end] = corners
        self._count = end

    def of_all(self, facets: int) -> Hashes | None:
        """Give the hashes of so many facets, shape (3, n); None unless just these were added."""
        fits = self._count == facets <= self._hashes.shape[1]
        return self._hashes[:, :facets] if fits else None


def find_shells(
    blocks: Callable[[], Iterable[Block]], facets: int, volume_mm3: float, hashes: Hashes | None = None
) -> Shells:
    """Find the shells of a mesh whose facets `blocks` gives anew at each call, and whose volume is known.

    `hashes` are those of all corners, shape (3, n), if they were kept.
    """
    if hashes is None:
        hashes = _read(blocks(), facets)
    root = _join(hashes, _runs(hashes))
    shells = np.flatnonzero(np.bincount(root))
    if shells.size == 1:
        return Shells(1, volume_mm3 < 0, abs(volume_mm3))
    shell = np.searchsorted(shells, root)
    volumes = _volumes(blocks(), shell, shells.size)
    is_inside_out = -float(volumes.min()) > float(volumes.max())  # the largest shell is no cavity
    faces_in = (volumes > 0) if is_inside_out else (volumes < 0)
    total = float(np.abs(volumes).sum())
    if not faces_in.any():
        return Shells(shells.size, is_inside_out, total)
    is_cavity = _lies_within(faces_in, *_boxes(blocks(), shell, shells.size))
    if is_cavity is None:
        return Shells(shells.size, is_inside_out, abs(volume_mm3), None, None)
    cavities = int(np.count_nonzero(is_cavity))
    hollow = float(np.abs(volumes[is_cavity]).sum())
    turned = int(np.count_nonzero(faces_in)) - cavities
    return Shells(shells.size, is_inside_out, total - 2 * hollow, cavities, turned)


def _lies_within(
    inner: NDArray[np.bool_], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Tell which of the inner shells have the box of another one around theirs; None if they are too many."""
    outside, inside = np.flatnonzero(~inner), np.flatnonzero(inner)
    if outside.size * inside.size > MOST_PAIRS:
        return None
    lies_within = np.zeros(inner.size, np.bool_)
    for around in outside:
        above = (low[:, inside] >= low[:, around, None]).all(axis=0)
        lies_within[inside] |= above & (high[:, inside] <= high[:, around, None]).all(axis=0)
    return lies_within


def _read(blocks: Iterable[Block], facets: int) -> Hashes:
    hashes = np.empty((3, facets), np.uint64)
    scratch = np.empty((9, BLOCK_FACETS), np.uint64)
    count = 0
    for block in blocks:
        end = count + block.shape[1]
        hashes[:, count:end] = hash_corners(block, scratch[:, : block.shape[1]])
        count = end
    return hashes[:, :count]


def _runs(hashes: Hashes) -> _Numbers:
    """Give for each facet the run that it belongs to.

    A run is a row of facets in the file each of which has a corner of the one before. Exporters write
    neighbours one after the other, so there are few runs, and little is left to be joined.
    """
    touches = np.zeros(hashes.shape[1] - 1, np.bool_)
    for corner in hashes[:, 1:]:
        for other in hashes[:, :-1]:
            touches |= corner == other
    return np.concatenate(([0], np.cumsum(~touches)))


def _join(hashes: Hashes, run: _Numbers) -> _Numbers:
    """Give each facet the lowest run that its own is connected with."""
    matches = find_matches(hashes.reshape(-1))
    tails, heads = run[matches.copy % run.size], run[matches.original % run.size]
    apart = tails != heads
    return connected(tails[apart], heads[apart], int(run[-1]) + 1)[run]


def _volumes(blocks: Iterable[Block], shell: _Numbers, shells: int) -> NDArray[np.float64]:
    """Give the signed volume of each shell, mm³: the sum of a·(b x c) / 6."""
    volumes = np.zeros(shells)
    origin: NDArray[np.float64] | None = None
    for block, here in _with_shells(blocks, shell):
        points = block.astype(np.float64).reshape(3, 3, -1)
        origin = points[0, :, :1].copy() if origin is None else origin
        points -= origin
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points
        products = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
        np.add.at(volumes, here, products)
    return volumes / 6


def _boxes(
    blocks: Iterable[Block], shell: _Numbers, shells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the lowest and the highest coordinates of each shell, both of shape (3, n)."""
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
