"""Closing cracks: open edges that meet within a distance that no printer sees.

CAD exports hold noise such as 1e-17 in place of 0, T-junctions (one long edge against two short ones) and
slivers (facets left out because they are thinner than a micrometer). Near corners are merged, and edges are
split where corners of the same rim lie on them; edges that then pair up are closed.
"""

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.open_edges import DirectedEdges, balance_edges
from workflow.mesh.watertight import FIBONACCI_MULTIPLIER, connected_components, representative_indices

TOLERANCE_SHARE, MAX_TOLERANCE_MM = 1e-4, 0.02
"""Corners nearer than this share of the mesh's diagonal are the same, up to 0.02 mm."""
_MAX_PAIRS = 4_000_000
"""Beyond this many pairs of an edge and a corner beside it no edge is split."""
_ROUNDS = 2

Indices = NDArray[np.intp]
Points = NDArray[np.float64]
Location = tuple[float, float, float]


@frozen
class Crack:
    """Edges of one rim that were split to close it: the longest edge, the widest distance, and the place."""

    length_mm: float
    width_mm: float
    center_mm: Location


@frozen
class Segments:
    """Directed edges between numbered points, both of shape (n,)."""

    tail: Indices
    head: Indices

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Segments":
        return Segments(self.tail[chosen], self.head[chosen])

    def __len__(self) -> int:
        return self.tail.size

    def rims(self, points: int) -> Indices:
        """Return a number for each of the points; connected points have the same one."""
        return connected_components(self.tail, self.head, points)


@frozen
class ClosedCracks:
    """What closing cracks has changed.

    `open` are the edges that stay open, each once, between `points` of shape (m, 3); `facets` meet at each.
    `gap_mm` is the widest distance that was closed. `flipped_edges` turned out to run the same way.
    """

    points: Points
    open: Segments
    facets: Indices
    gap_mm: float = 0.0
    flipped_edges: int = 0
    cracks: tuple[Crack, ...] = ()


def crack_tolerance_mm(diagonal_mm: float) -> float:
    """Return the distance within which corners are the same, in a mesh with this diagonal."""
    return min(TOLERANCE_SHARE * diagonal_mm, MAX_TOLERANCE_MM)


def close_cracks(edges: DirectedEdges, diagonal_mm: float) -> ClosedCracks:
    """Return the open edges that are left, and the cracks that were closed, the longest first."""
    tolerance_mm = crack_tolerance_mm(diagonal_mm)
    points, segments = _number_points(edges)
    merged, spread_mm = _merge_near_points(points, tolerance_mm)
    whole = Segments(merged[segments.tail], merged[segments.head])
    is_kept = whole.tail != whole.head
    vanished_mm = spread_mm[segments.tail[~is_kept]]
    whole = whole[is_kept]
    pieces, origin, distance_mm = _split_at_points(points, whole, tolerance_mm)
    low, high = np.minimum(pieces.tail, pieces.head), np.maximum(pieces.tail, pieces.head)
    keys = (low * len(points) + high).astype(np.uint64) * FIBONACCI_MULTIPLIER
    balance = balance_edges(keys, pieces.tail < pieces.head)
    is_open = balance.is_open[balance.of]
    is_closed = np.zeros(len(whole), np.bool_)
    is_closed[origin[~is_open]] = True
    width_mm = np.maximum(distance_mm, np.maximum(spread_mm[whole.tail], spread_mm[whole.head]))
    was_split = np.bincount(origin, minlength=len(whole)) > 1
    first = is_open & (balance.of == np.arange(len(pieces)))
    return ClosedCracks(
        points,
        pieces[first],
        balance.facets[balance.of][first],
        float(max(width_mm[is_closed].max(initial=0.0), vanished_mm.max(initial=0.0))),
        balance.flipped_edges,
        _find_cracks(points, whole, is_closed, was_split, width_mm),
    )


def _number_points(edges: DirectedEdges) -> tuple[Points, Segments]:
    same = representative_indices(np.concatenate((edges.tail, edges.head)))
    is_first = same == np.arange(same.size)
    number = (np.cumsum(is_first) - 1)[same]
    points = np.concatenate((edges.tail_mm, edges.head_mm)).astype(np.float64)[is_first]
    tail, head = np.split(number, 2)
    return points, Segments(tail, head)


def _merge_near_points(points: Points, tolerance_mm: float) -> tuple[Indices, Points]:
    """Return for each point the one that stands for it, and the width of its cluster in mm.

    Points are clustered so that no two clusters have a narrower gap between them on all axes. A cluster wider
    than two tolerances is the rim of a fine scan, a row of corners each near the next: it is left as it is.
    """
    cluster = np.zeros(len(points), np.intp)
    for axis in (0, 1, 2) * _ROUNDS:
        along = points[:, axis]
        order = np.lexsort((along, cluster))
        apart = (np.diff(along[order]) > tolerance_mm) | (np.diff(cluster[order]) != 0)
        cluster[order] = np.concatenate(([0], np.cumsum(apart)))
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    lows, highs = (reduce.reduceat(points[order], starts) for reduce in (np.minimum, np.maximum))
    width_mm = (highs - lows).max(axis=1)[cluster]
    merged = order[starts][cluster]
    is_wide = width_mm > 2 * tolerance_mm
    merged[is_wide] = np.flatnonzero(is_wide)
    return merged, np.where(is_wide, 0.0, width_mm)


def _split_at_points(
    points: Points, segments: Segments, tolerance_mm: float
) -> tuple[Segments, Indices, Points]:
    """Split edges at the points that lie on them.

    Return the pieces, the edge that each piece is of, and for each edge the distance of the farthest of its
    points in mm.
    """
    each, distance_mm = np.arange(len(segments)), np.zeros(len(segments))
    pairs = _points_beside_edges(points, segments, tolerance_mm)
    if pairs is None:
        return segments, each, distance_mm
    edge, point = pairs
    start = points[segments.tail[edge]]
    along = points[segments.head[edge]] - start
    squared = np.maximum((along * along).sum(axis=1), np.finfo(np.float64).tiny)
    offset = points[point] - start
    share = (offset * along).sum(axis=1) / squared
    away = np.linalg.norm(offset - share[:, None] * along, axis=1)
    is_on = (away <= tolerance_mm) & (share > 0) & (share < 1)
    edge, point, share, away = edge[is_on], point[is_on], share[is_on], away[is_on]
    np.maximum.at(distance_mm, edge, away)
    origin = np.concatenate((each, edge, each))
    chain = np.concatenate((segments.tail, point, segments.head))
    order = np.lexsort((np.concatenate((each * 0.0, share, each * 0.0 + 1)), origin))
    origin, chain = origin[order], chain[order]
    goes_on = origin[1:] == origin[:-1]
    return Segments(chain[:-1][goes_on], chain[1:][goes_on]), origin[:-1][goes_on], distance_mm


def _points_beside_edges(
    points: Points, segments: Segments, tolerance_mm: float
) -> tuple[Indices, Indices] | None:
    """Return pairs of an edge and a point of its rim within the edge's extent along one axis.

    Of the three axes each edge takes the one with the fewest points. None if there are too many pairs.
    """
    if not len(segments):
        return None
    rim = segments.rims(len(points))
    used = np.zeros(len(points), np.bool_)
    used[segments.tail] = used[segments.head] = True
    active = np.flatnonzero(used)
    ends = points[segments.tail], points[segments.head]
    low, high = np.minimum(*ends) - tolerance_mm, np.maximum(*ends) + tolerance_mm
    pitch = 4 * float(np.ptp(points, axis=0).max()) + 1  # keeps the rims apart in one sorted list
    begins, ends_of, orders = [], [], []
    for axis in range(3):
        lowest = points[:, axis].min()
        keys = rim[active] * pitch + (points[active, axis] - lowest)
        order = np.argsort(keys)
        keys, base = keys[order], rim[segments.tail] * pitch - lowest
        slack = 4 * np.spacing(keys[-1])
        begins.append(np.searchsorted(keys, base + low[:, axis] - slack, "left"))
        ends_of.append(np.searchsorted(keys, base + high[:, axis] + slack, "right"))
        orders.append(active[order])
    begin, counts = np.array(begins), np.array(ends_of) - np.array(begins)
    each, axis_of = np.arange(len(segments)), counts.argmin(axis=0)
    count = counts[axis_of, each]
    if count.sum() > _MAX_PAIRS:
        return None
    edge = np.repeat(each, count)
    place = np.arange(edge.size) - np.repeat(np.cumsum(count) - count, count) + begin[axis_of, each][edge]
    point = np.array(orders)[axis_of[edge], place]
    is_other = (point != segments.tail[edge]) & (point != segments.head[edge])
    return edge[is_other], point[is_other]


def _find_cracks(
    points: Points,
    whole: Segments,
    is_closed: NDArray[np.bool_],
    was_split: NDArray[np.bool_],
    width_mm: Points,
) -> tuple[Crack, ...]:
    """Return a crack for each rim of closed edges of which one was split; the longest first."""
    edges, split, width_mm = whole[is_closed], was_split[is_closed], width_mm[is_closed]
    if not split.any():
        return ()
    rim = edges.rims(len(points))[edges.tail]
    is_crack = np.zeros(len(points), np.bool_)
    is_crack[rim[split]] = True
    cracks = [
        _make_crack(points, edges[rim == number], width_mm[rim == number])
        for number in np.flatnonzero(is_crack)[:_MAX_CRACKS]
    ]
    return tuple(sorted(cracks, key=lambda crack: (-round(crack.length_mm, 6), crack.center_mm)))


_MAX_CRACKS = 1000


def _make_crack(points: Points, edges: Segments, width_mm: Points) -> Crack:
    tails, heads = points[edges.tail], points[edges.head]
    both = np.concatenate((tails, heads))
    x, y, z = ((both.min(axis=0) + both.max(axis=0)) / 2).tolist()
    lengths = np.linalg.norm(heads - tails, axis=1)
    return Crack(float(lengths.max()), float(width_mm.max()), (x, y, z))
