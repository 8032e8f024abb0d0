"""Holes: what stays open once cracks are closed, rim by rim, with length and width in mm."""

import math
from dataclasses import replace
from enum import StrEnum

import numpy as np

from workflow.frozen import frozen
from workflow.mesh.components import as_location
from workflow.mesh.cracks import (
    ClosedCracks,
    Crack,
    Indices,
    Location,
    Points,
    close_cracks,
    crack_tolerance_mm,
)
from workflow.mesh.open_edges import OpenEdgeCount, find_open_edges
from workflow.mesh.shells import OpenShells, find_open_shells
from workflow.mesh.watertight import CornerHashes

MAX_HOLE_LOCATIONS = 5
MAX_DECIMALS = 9
_TURNS = 30
"""The smallest rectangle around a hole is searched in steps of three degrees."""
MISSING_SIDE_SHARE = 0.25
_MAX_COMPARISONS = 1_000_000


class HoleKind(StrEnum):
    """What an open rim is, by the facets at its edges."""

    HOLE = "hole"
    """One facet at each edge: something is missing."""
    WALL_INSIDE = "wall inside"
    """Three facets or more at each edge: a wall divides the solid."""
    FIN = "fin"
    """Three facets at some edges: a surface stands out of the solid."""
    LOOSE = "loose surface"
    """The rim of a surface that is part of no body."""


@frozen
class Hole:
    """One rim of open edges, the smallest rectangle around it, and the middle and extent of its box.

    `share` is the rectangle's part of the side of the mesh in which the hole is. `crowded_edges` of its
    `edges` have three facets or more. `decimals` tell places in this mesh apart.
    """

    edges: int
    crowded_edges: int
    length_mm: float
    width_mm: float
    share: float
    center_mm: Location
    extent_mm: Location
    decimals: int = 1
    is_loose: bool = False
    """True for the rim of a surface that is part of no body."""

    def __str__(self) -> str:
        return format_location(self.center_mm, self.decimals)

    @property
    def kind(self) -> HoleKind:
        """Return what the rim is."""
        if not self.crowded_edges:
            return HoleKind.LOOSE if self.is_loose else HoleKind.HOLE
        return HoleKind.WALL_INSIDE if self.crowded_edges == self.edges else HoleKind.FIN

    @property
    def is_missing_side(self) -> bool:
        """True if a quarter of a side or more is missing: a lid, or the end of a tube."""
        return self.kind is HoleKind.HOLE and self.share >= MISSING_SIDE_SHARE


@frozen
class OpenEdgeSummary:
    """What keeps a mesh from being closed: `count` before any crack is closed, and the `holes` that are left.

    The longest hole comes first. `decimals` tell places in this mesh apart.
    """

    count: OpenEdgeCount
    cracks: ClosedCracks | None = None
    holes: tuple[Hole, ...] = ()
    decimals: int = 1

    @property
    def is_closed_without_cracks(self) -> bool:
        """True if no edge is open any more once cracks are closed."""
        return self.cracks is not None and not self.holes

    @property
    def all_cracks(self) -> tuple[Crack, ...]:
        """Return the cracks, the longest first."""
        return self.cracks.cracks if self.cracks else ()


def summarize_open_edges(
    corners: CornerHashes, facets: int, size_mm: Location, *, with_shells: bool = False
) -> OpenEdgeSummary:
    """Return the open edges, cracks and holes of a mesh of this many facets and this size.

    `with_shells` also tells loose surfaces from holes, at 100 bytes of memory for each facet.
    """
    count = find_open_edges(corners, facets)
    diagonal_mm = math.hypot(*size_mm)
    cracks = close_cracks(count.open, diagonal_mm) if count.open is not None and count.open_edges else None
    holes = measure_holes(cracks, size_mm) if cracks else ()
    if holes and with_shells and (shells := find_open_shells(corners, facets)):
        holes = _mark_loose(holes, shells, crack_tolerance_mm(diagonal_mm))
    return OpenEdgeSummary(count, cracks, holes, display_decimals(diagonal_mm))


def format_location(center_mm: Location, decimals: int) -> str:
    """Return "x 10.0 y 0.0 z 20.0 mm"."""
    rounded = (round(value, decimals) + 0.0 for value in center_mm)  # -0.0 + 0.0 is 0.0
    x, y, z = (f"{value:.{decimals}f}" for value in rounded)
    return f"x {x} y {y} z {z} mm"


def display_decimals(diagonal_mm: float) -> int:
    """Return the decimals that show a hundredth of the diagonal, at least one."""
    return min(max(1, 2 - math.floor(math.log10(diagonal_mm))), MAX_DECIMALS) if diagonal_mm > 0 else 1


def measure_holes(found: ClosedCracks, size_mm: Location) -> tuple[Hole, ...]:
    """Return all holes, the longest first; of equally long ones the one with the lower x comes first."""
    if not len(found.open):
        return ()
    rims = found.open.rims(len(found.points))
    is_rim = np.zeros(len(found.points), np.bool_)
    is_rim[rims[found.open.tail]] = True
    rim = (np.cumsum(is_rim) - 1)[rims[found.open.tail]]
    count = int(np.count_nonzero(is_rim))
    tails, heads = found.points[found.open.tail], found.points[found.open.head]
    ends, owner = np.concatenate((tails, heads)), np.concatenate((rim, rim))
    axes = _axes_of_rims(ends, owner, heads - tails, rim, count)
    order = np.argsort(owner, kind="stable")
    ends, owner = ends[order], owner[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    length, width = _smallest_rectangles(ends, owner, starts, axes)
    low, high = (reduce.reduceat(ends, starts) for reduce in (np.minimum, np.maximum))
    x, y, z = size_mm
    side = np.abs(axes[0]) @ np.array((y * z, x * z, x * y))
    share = np.where(side > 0, length * width / np.where(side > 0, side, 1), 1.0)
    edges, crowded = np.bincount(rim, minlength=count), np.bincount(rim[found.facets > 2], minlength=count)
    decimals = display_decimals(math.hypot(*size_mm))
    longest = np.lexsort((*low.T[::-1], -np.float32(length)))
    return tuple(
        Hole(
            int(edges[each]),
            int(crowded[each]),
            float(length[each]),
            float(width[each]),
            float(share[each]),
            as_location((low[each] + high[each]) / 2),
            as_location(high[each] - low[each]),
            decimals,
        )
        for each in longest
    )


def _mark_loose(holes: tuple[Hole, ...], shells: OpenShells, tolerance_mm: float) -> tuple[Hole, ...]:
    """Mark the rims of surfaces that are part of no body: flat ones, and those within the material."""
    most = _MAX_COMPARISONS // shells.is_in_material.size
    marked = (replace(hole, is_loose=_is_loose(hole, shells, tolerance_mm)) for hole in holes[:most])
    return (*marked, *holes[most:])


def _is_loose(hole: Hole, shells: OpenShells, tolerance_mm: float) -> bool:
    center, half = np.array(hole.center_mm), np.array(hole.extent_mm) / 2
    low, high = (center - half)[:, None], (center + half)[:, None]
    around = (shells.low <= low + tolerance_mm) & (shells.high >= high - tolerance_mm)
    candidates = np.flatnonzero(around.all(axis=0))
    if not candidates.size:
        return False
    extents = (shells.high - shells.low)[:, candidates]
    own = extents.sum(axis=0).argmin()
    wider = extents[:, own] - np.array(hole.extent_mm)
    return bool(shells.is_in_material[candidates[own]] or (wider <= 2 * tolerance_mm).all())


def _axes_of_rims(ends: Points, owner: Indices, along: Points, rim: Indices, count: int) -> Points:
    """Return normal, main direction and longest edge of each rim, shape (3, rims, 3).

    Normal and main direction are eigenvectors of the covariance of the ends, each weighted with the length of
    its edge, so that the number of corners does not matter.
    """
    length = np.linalg.norm(along, axis=1)
    weight = np.concatenate((length, length)) + np.finfo(np.float64).tiny
    total = np.bincount(owner, weight, count)
    mean = np.stack([np.bincount(owner, weight * ends[:, axis], count) / total for axis in range(3)], axis=1)
    offset = ends - mean[owner]
    covariance = np.empty((count, 3, 3))
    for first in range(3):
        for second in range(first, 3):
            products = np.bincount(owner, weight * offset[:, first] * offset[:, second], count) / total
            covariance[:, first, second] = covariance[:, second, first] = products
    vectors = np.linalg.eigh(covariance)[1]  # by growing eigenvalue
    ranked = np.lexsort((length, rim))
    longest = ranked[np.flatnonzero(np.diff(rim[ranked], append=-1))]
    return np.stack((vectors[:, :, 0], vectors[:, :, 2], along[longest]))


def _smallest_rectangles(
    ends: Points, owner: Indices, starts: Indices, axes: Points
) -> tuple[Points, Points]:
    """Return length and width of the smallest rectangle around each rim, in the plane of the rim.

    The rectangles that are tried have a side along the projection of a coordinate axis, in steps of three
    degrees from there, along the rim's main direction, and along its longest edge.
    """
    normal = axes[0]
    flattest = np.eye(3)[np.round(np.abs(normal), 6).argmin(axis=1)]
    first = _project(flattest, normal)
    second = np.cross(normal, first)
    angles = np.arange(_TURNS) * (np.pi / 2 / _TURNS)
    directions = [np.cos(angle) * first + np.sin(angle) * second for angle in angles]
    directions += [_project(axis, normal) for axis in axes[1:]]
    count = len(normal)
    area, length, width = np.full(count, np.inf), np.zeros(count), np.zeros(count)
    for direction in directions:
        across = np.cross(normal, direction)
        one, other = (_extents(ends, owner, starts, each) for each in (direction, across))
        is_better = (one * other < area * (1 - 1e-6)) & direction.any(axis=1)
        area = np.where(is_better, one * other, area)
        length = np.where(is_better, np.maximum(one, other), length)
        width = np.where(is_better, np.minimum(one, other), width)
    return length, width


def _project(vectors: Points, normal: Points) -> Points:
    """Return unit vectors in the plane of the normal; a vector along the normal gives zeros."""
    flat: Points = vectors - (vectors * normal).sum(axis=1, keepdims=True) * normal
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Points = flat / np.where(norm > 0, norm, 1)
    return unit


def _extents(ends: Points, owner: Indices, starts: Indices, direction: Points) -> Points:
    along = np.einsum("ij,ij->i", ends, direction[owner])
    extents: Points = np.maximum.reduceat(along, starts) - np.minimum.reduceat(along, starts)
    return extents
