"""The smallest box around a part that was drawn at an angle: found by search, measured exactly.

The box of least volume has a face on the convex hull (J. O'Rourke, 1985). A part from CAD has its large flat
faces there. So the box is tried along the normals of the facets with most area, along the axes and along the
principal axes, turned about each in steps of half a degree; the best few are then turned a little further.
What is searched is a sample of bounded size, whatever the mesh has. The boxes that win are measured over all
corners: the box that comes out may be larger than the smallest one, never too small.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.format import Block

Points = NDArray[np.float64]
Turn = NDArray[np.float64]
"""Three axes at right angles, one a column."""
SizeMm = tuple[float, float, float]

SAMPLE_FACETS = 5_000
_DIRECTIONS = 300
_NORMALS = 12
_SAME_NORMAL = 50
"""Normals that agree when multiplied by this and rounded are of one flat face, or nearly."""
_STEPS = 180
_BEST = 4
_REFINEMENTS_RADIANS = (0.6 / 57.3, 0.15 / 57.3, 0.03 / 57.3)
_MOST_TURNS = 25
_WORTH_WHILE = 0.98
"""A box that saves less of the volume is not worth another one."""


def find_oriented_box(blocks: Callable[[], Iterable[Block]], facets: int, size_mm: SizeMm) -> SizeMm | None:
    """Return the sides of a box with less volume than along the axes, longest first; None without one.

    `blocks` reads the mesh from its beginning, once for a mesh up to SAMPLE_FACETS, otherwise twice.
    """
    if not facets:
        return None
    stride = max(math.ceil(facets / SAMPLE_FACETS), 1)
    sample = np.concatenate([block[:, ::stride] for block in blocks()], axis=1).astype(np.float64)
    corners = sample.reshape(3, 3, -1).transpose(0, 2, 1).reshape(-1, 3)
    hull = _outermost(corners - corners.mean(axis=0))
    turns = _search(hull, _face_normals(sample))
    sides = _exact_sides(((corners.T,) if stride == 1 else _all_corners(blocks())), turns)
    best = min(sides, key=math.prod)
    if math.prod(best) >= _WORTH_WHILE * math.prod(size_mm):
        return None
    long, middle, short = sorted(best, reverse=True)
    return long, middle, short


def _outermost(points: Points) -> Points:
    """Return the points that lie outermost in some of many directions: the corners of the hull, nearly."""
    turn = np.arange(_DIRECTIONS)
    height = 1 - (2 * turn + 1) / _DIRECTIONS
    around, across = turn * math.pi * (3 - math.sqrt(5)), np.sqrt(1 - height**2)  # Fibonacci's sphere
    directions = np.stack((across * np.cos(around), across * np.sin(around), height))
    columns = np.ascontiguousarray(points.T)
    outermost: Points = points[sorted({int((direction @ columns).argmax()) for direction in directions.T})]
    return outermost


def _face_normals(sample: NDArray[np.float64]) -> Points:
    """Return the directions of the flat faces with most area."""
    first, second, third = sample.reshape(3, 3, -1)
    normals = np.cross(second - first, third - first, axis=0).T
    areas = np.linalg.norm(normals, axis=1)
    normals, areas = normals[areas > 0], areas[areas > 0]
    normals /= areas[:, None]
    rows = np.arange(len(normals))
    normals *= np.sign(normals[rows, np.abs(normals).argmax(axis=1)])[
        :, None
    ]  # a face and its back are alike
    x, y, z = np.rint(normals * _SAME_NORMAL).astype(np.int64).T
    directions = ((x * 1000 + y) * 1000 + z).tolist()
    numbers = {direction: number for number, direction in enumerate(sorted(set(directions)))}
    group = np.array([numbers[direction] for direction in directions], np.int64)
    total = np.bincount(group, areas)
    largest = [areas * (group == each) for each in np.argsort(total)[::-1][:_NORMALS]]
    return np.array([normals[each.argmax()] for each in largest]).reshape(-1, 3)


def _search(hull: Points, normals: Points) -> Sequence[Turn]:
    """Return the axes themselves, and those of the best boxes that were found."""
    _, principal = np.linalg.eigh(hull.T @ hull)
    candidates = np.concatenate((np.eye(3), principal.T, normals))
    found = sorted((_turn_on(axis, hull, candidates) for axis in candidates), key=lambda each: each[0])
    return [np.eye(3), *(_refine(turn, hull) for _, turn in found[:_BEST])]


def _turn_on(axis: Points, hull: Points, others: Points) -> tuple[float, Turn]:
    """Return the best box with a side along `axis`, its volume first: by half degrees, and along `others`."""
    right = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    right /= np.linalg.norm(right)
    plane = np.stack((right, np.cross(axis, right)), axis=1)
    height = float(np.ptp(hull @ axis))
    along = others @ plane
    angles = np.concatenate((
        np.arange(_STEPS) * (math.pi / 2 / _STEPS), np.arctan2(along[:, 1], along[:, 0]),
    ))  # fmt: skip
    cosine, sine = np.cos(angles), np.sin(angles)
    flat = hull @ plane
    areas = np.ptp(flat @ np.stack((cosine, sine)), axis=0) * np.ptp(flat @ np.stack((-sine, cosine)), axis=0)
    best = int(areas.argmin())
    turned = plane @ np.array(((cosine[best], -sine[best]), (sine[best], cosine[best])))
    return height * float(areas[best]), np.concatenate((turned, axis[:, None]), axis=1)


def _refine(turn: Turn, hull: Points) -> Turn:
    """Return the axes turned in ever smaller steps about each of them, as long as the box gets smaller."""
    volume = float(np.prod(np.ptp(hull @ turn, axis=0)))
    for step in _REFINEMENTS_RADIANS:
        steps = np.stack([_turn_about(axis, way * step) for axis in range(3) for way in (1, -1)])
        for _ in range(_MOST_TURNS):
            tried = turn @ steps
            volumes = np.prod(np.ptp(hull @ tried, axis=1), axis=1)
            if volumes.min() >= volume * (1 - 1e-9):
                break
            turn, volume = tried[volumes.argmin()], float(volumes.min())
    return turn


def _turn_about(axis: int, radians: float) -> Turn:
    turn = np.eye(3)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn[one, one] = turn[other, other] = math.cos(radians)
    turn[one, other], turn[other, one] = -math.sin(radians), math.sin(radians)
    return turn


def _all_corners(blocks: Iterable[Block]) -> Iterable[Points]:
    for block in blocks:
        yield from block.astype(np.float64).reshape(3, 3, -1)


def _exact_sides(corners: Iterable[Points], turns: Sequence[Turn]) -> Sequence[SizeMm]:
    """Return the sides of the box along each of the axes around all corners, which are columns."""
    axes = np.concatenate([turn.T for turn in turns])
    low, high = np.full(len(axes), np.inf), np.full(len(axes), -np.inf)
    for each in corners:
        along = axes @ each
        np.minimum(low, along.min(axis=1), out=low)
        np.maximum(high, along.max(axis=1), out=high)
    return [(float(x), float(y), float(z)) for x, y, z in (high - low).reshape(-1, 3)]
