"""Shells: facets that hang together by their corners, with volumes, boxes, and upright lines through them.

Of the facets above a point, those that face up less those that face down are its winding number: above 0 in
the material, 0 in the air, and the other way round in a mesh that is inside out.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.format import Block, Hashes
from workflow.mesh.watertight import CornerHashes, connected_components, find_matches

Location: TypeAlias = tuple[float, float, float]
Numbers: TypeAlias = NDArray[np.intp]
Doubles: TypeAlias = NDArray[np.float64]
_WEIGHTS = np.array((0.3183, 0.3679, 0.3138))
"""Of a facet's corners: a point that is not symmetric, so that a line through it hardly meets an edge."""


@frozen
class SmallShell:
    """A crumb or a wall without thickness, or several: number, and size and place of the largest.

    `area_mm2` is of one side of all of them.
    """

    count: int
    area_mm2: float
    size_mm: Location
    center_mm: Location


@frozen
class ShellExtents:
    """Lowest and highest coordinates of each shell, both of shape (3, n), and its area."""

    low: Doubles
    high: Doubles
    area: Doubles

    @property
    def longest(self) -> Doubles:
        """Return the longest side of each box."""
        longest: Doubles = (self.high - self.low).max(axis=0)
        return longest

    def describe(self, chosen: NDArray[np.bool_]) -> SmallShell | None:
        """Return what is told of the chosen shells; None if there are none."""
        places = np.flatnonzero(chosen)
        if not places.size:
            return None
        largest = places[self.area[places].argmax()]
        low, high = self.low[:, largest], self.high[:, largest]
        area = float(self.area[places].sum()) / 2
        return SmallShell(places.size, area, as_location(high - low), as_location((low + high) / 2))


def number_shells(corners: CornerHashes, facets: int) -> Numbers:
    """Return the number of each facet's shell, from 0 on."""
    return renumber(label_shells(corners.all_hashes(facets)))


def renumber(labels: Numbers) -> Numbers:
    """Return labels as numbers from 0 on, in their order."""
    is_used = np.bincount(labels) > 0
    numbers: Numbers = (np.cumsum(is_used) - 1)[labels]
    return numbers


def label_shells(hashes: Hashes) -> Numbers:
    """Return each facet a number that all facets of its shell share.

    Exporters write neighbors one after the other. So most facets go on with a run: they have a corner of
    the one before. Only the other corners of a run have to be looked for elsewhere, and only runs joined.
    """
    goes_on = _corners_shared_with_previous(hashes)
    run: Numbers = np.cumsum(~goes_on.any(axis=0))
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


def shell_volumes(blocks: Iterable[Block], shell: Numbers, shells: int) -> NDArray[np.float64]:
    """Return the signed volume of each shell, mm³: the sum of a·(b x c) / 6."""
    volumes = np.zeros(shells)
    origin: NDArray[np.float64] | None = None
    for block, here in with_shells(blocks, shell):
        points = block.astype(np.float64).reshape(3, 3, -1)
        origin = points[0, :, :1].copy() if origin is None else origin
        points -= origin
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points
        products = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
        volumes += np.bincount(here, products, shells)
    return volumes / 6


def measure_shells(blocks: Iterable[Block], shell: Numbers, shells: int) -> ShellExtents:
    """Return the boxes and areas of all shells."""
    low, high = np.full((3, shells), np.inf), np.full((3, shells), -np.inf)
    area = np.zeros(shells)
    for block, here in with_shells(blocks, shell):
        corners = block.astype(np.float64).reshape(3, 3, -1)
        for axis in range(3):
            np.minimum.at(low[axis], here, corners[:, axis].min(axis=0))
            np.maximum.at(high[axis], here, corners[:, axis].max(axis=0))
        area += np.bincount(here, np.linalg.norm(facet_middles(block)[1], axis=0) / 2, shells)
    return ShellExtents(low, high, area)


def as_location(values: Doubles) -> Location:
    """Return three coordinates as plain numbers."""
    x, y, z = values.tolist()
    return x, y, z


def with_shells(blocks: Iterable[Block], shell: Numbers) -> Iterator[tuple[Block, Numbers]]:
    done = 0
    for block in blocks:
        yield block, shell[done : done + block.shape[1]]
        done += block.shape[1]


class LineHits(NamedTuple):
    """Where upright lines meet facets: the line, the height, 1 for a facet that faces up or -1, its shell."""

    line: Numbers
    height: Doubles
    direction: Numbers
    shell: Numbers


_NO_PLACES = np.empty(0, np.intp)
_NEXT, _NEXT_BUT_ONE = [1, 2, 0], [2, 0, 1]
_NO_HITS = LineHits(_NO_PLACES, np.empty(0), _NO_PLACES, _NO_PLACES)


def points_on_shells(blocks: Iterable[tuple[Block, Numbers]], shells: int, chosen: Numbers) -> Doubles:
    """Return a point on each chosen shell, shape (n, 3): on the facet that is largest as seen from above."""
    number = np.full(shells, -1, np.intp)
    number[chosen] = np.arange(chosen.size)
    best, points = np.full(chosen.size, -1.0), np.zeros((chosen.size, 3))
    for block, here in blocks:
        mine = np.flatnonzero(number[here] >= 0)
        middle, normal = facet_middles(block[:, mine])
        owner, area = number[here[mine]], np.abs(normal[2])
        ranked = np.lexsort((area, owner))
        largest = ranked[np.flatnonzero(np.diff(owner[ranked], append=-1))]
        largest = largest[area[largest] > best[owner[largest]]]
        best[owner[largest]] = area[largest]
        points[owner[largest]] = middle[:, largest].T
    return points


def facet_middles(block: Block) -> tuple[Doubles, Doubles]:
    """Return a point on each facet and its normal, twice its area long; both of shape (3, n)."""
    points = block.astype(np.float64).reshape(3, 3, -1)
    normals = np.cross(points[1] - points[0], points[2] - points[0], axis=0)
    return np.tensordot(_WEIGHTS, points, 1), normals


def meet_upright_lines(blocks: Iterable[tuple[Block, Numbers]], lines: Doubles) -> LineHits:
    """Return where facets meet upright lines, given by x and y (a third column is not used)."""
    found = [_NO_HITS]
    for block, here in blocks:
        flat = block.reshape(3, 3, -1)[:, :2]
        (left, front), (right, back) = flat.min(axis=0), flat.max(axis=0)
        for line, (x, y) in enumerate(lines[:, :2]):
            near = np.flatnonzero((left <= x) & (x <= right) & (front <= y) & (y <= back))
            if near.size:
                found.append(_meet_upright_line(block[:, near], here[near], line, x, y))
    return LineHits(*map(np.concatenate, zip(*found, strict=True)))


def _meet_upright_line(block: Block, shell: Numbers, line: int, x: float, y: float) -> LineHits:
    corners = block.astype(np.float64).reshape(3, 3, -1)
    right, back = corners[:, 0] - x, corners[:, 1] - y
    areas = right * back[_NEXT] - right[_NEXT] * back  # twice, of the sides with the line
    faces_up: NDArray[np.bool_] = np.all(areas > 0, axis=0)
    met = np.flatnonzero(faces_up | np.all(areas < 0, axis=0))
    share = areas[:, met] / areas[:, met].sum(axis=0)
    height = (share * corners[_NEXT_BUT_ONE, 2][:, met]).sum(axis=0)
    return LineHits(np.full(met.size, line), height, np.where(faces_up[met], 1, -1), shell[met])
