"""The plainest count of edges: all coordinates sorted, every edge looked at.

It is slow and has nothing in common with the inspection, so that it can be the judge where others disagree.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]
NEAR_DECIMALS = 8
"""What trimesh takes for one corner, whatever the unit."""
MOST_SPLIT = 3000
"""Of more odd edges none is split: each is compared with all corners."""
ROUNDING = 1e-6
"""How far beside an edge a corner lies that is on it, as a share of its length: float32 has seven digits."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What was counted in a mesh.

    `odd` edges have an odd number of facets, `shared` ones more than two, `turned` ones an even number of
    which not as many run forward as back. `odd_when_merged` are left when corners of odd edges within
    `gap_mm` of one another are one, `odd_when_single` of these when of equal facets only one is kept, and
    `odd_when_split` of these when an edge ends at each corner of others that it runs past within `gap_mm`.
    `equal_corners` are facets that have such, `near_corners` corners that have another one near;
    `volume_mm3` is signed.
    """

    odd: int
    odd_when_merged: int
    odd_when_single: int
    odd_when_split: int
    shared: int
    turned: int
    equal_corners: int
    near_corners: int
    volume_mm3: float
    size_mm: tuple[float, float, float]


def corners_in(file: Path) -> NDArray[np.float32]:
    """Load a file with numpy-stl, shape (facets, 3, 3). Raises whatever that raises."""
    from stl import Mesh, Mode

    if _announced(file) * 50 + 84 == file.stat().st_size:
        solids = [Mesh.from_file(str(file), calculate_normals=False, mode=Mode.BINARY)]
    else:  # from_file reads only the first solid of a text
        solids = list(Mesh.from_multi_file(str(file), calculate_normals=False, mode=Mode.ASCII))
    return np.concatenate([solid.vectors for solid in solids]) + np.float32(0)  # -0.0 + 0.0 is 0.0


def _announced(file: Path) -> int:
    with file.open("rb") as opened:
        opened.seek(80)
        return int.from_bytes(opened.read(4), "little")


def count_edges(corners: NDArray[np.float32], gap_mm: float = 0.0) -> Edges:
    """Count the edges of a mesh."""
    rows = corners.reshape(-1, 3)
    number, first = _numbered(*rows.T)
    facets, points = number.reshape(-1, 3), rows[first].astype(np.float64)
    pair, forward, ends = _edges(facets)
    counts = np.bincount(pair)
    is_odd = counts % 2 == 1
    number, places = np.arange(len(points)), points
    if gap_mm and is_odd.any():
        number = _merged(points, np.unique(ends[is_odd]), gap_mm)
        places = np.empty((number.max() + 1, 3))
        places[number] = points
    merged = number[facets]
    single = _single(merged)
    _, near = _numbered(*np.round(points, NEAR_DECIMALS).T)
    a, b, c = np.moveaxis(corners.astype(np.float64), 1, 0)
    size = (points.max(axis=0) - points.min(axis=0)).tolist()
    return Edges(
        odd=int(is_odd.sum()),
        odd_when_merged=_odd(merged),
        odd_when_single=_odd(single),
        odd_when_split=_odd_when_split(places, single, gap_mm),
        shared=int((counts > 2).sum()),
        turned=int((~is_odd & (2 * np.bincount(pair, forward) != counts)).sum()),
        equal_corners=int((facets == np.roll(facets, 1, axis=1)).any(axis=1).sum()),
        near_corners=len(points) - len(near),
        volume_mm3=float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6,
        size_mm=(size[0], size[1], size[2]),
    )


def _odd(facets: Numbers) -> int:
    return int((np.bincount(_edges(facets)[0]) % 2).sum())


def _odd_when_split(places: NDArray[np.float64], facets: Numbers, gap_mm: float) -> int:
    """Count the odd edges that are left when each is cut at the corners of others that lie on it."""
    pair, _, ends = _edges(facets)
    odd = ends[np.bincount(pair) % 2 == 1]
    corners = np.unique(odd)
    left = set[tuple[int, int]]()
    for tail, head in odd.tolist() if len(odd) <= MOST_SPLIT else ():
        along, reach = places[head] - places[tail], places[corners] - places[tail]
        at = reach @ along / max(along @ along, 1e-300)
        beside = np.linalg.norm(reach - at[:, None] * along, axis=1)
        passed = (at > 0) & (at < 1) & (beside <= max(gap_mm, ROUNDING * np.linalg.norm(along)))
        passed &= (corners != tail) & (corners != head)
        between = corners[passed][np.argsort(at[passed])].tolist()
        for one, other in pairwise([tail, *between, head]):
            left ^= {(min(one, other), max(one, other))}
    return len(left) if len(odd) <= MOST_SPLIT else len(odd)


def _single(facets: Numbers) -> Numbers:
    """Keep one of the facets that have the same corners and face the same way."""
    start = facets.argmin(axis=1)
    turned = [np.take_along_axis(facets, ((start + step) % 3)[:, None], axis=1)[:, 0] for step in range(3)]
    return facets[_numbered(*turned)[1]]


def _edges(facets: Numbers) -> tuple[Numbers, NDArray[np.bool_], Numbers]:
    """Number the undirected edge of each side of each facet; gives which sides run forward, and both ends."""
    tail, head = facets.T.reshape(-1), np.roll(facets, -1, axis=1).T.reshape(-1)
    kept = tail != head
    tail, head = tail[kept], head[kept]
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    pair, first = _numbered(low, high)
    return pair, tail < head, np.stack((low[first], high[first]), axis=1)


def _numbered(*columns: NDArray[np.generic]) -> tuple[Numbers, Numbers]:
    """Number equal rows alike, from 0 in sorted order; gives also where each number stands first."""
    order = np.lexsort(columns)
    differs = np.zeros(order.size, np.bool_)
    for column in columns:
        differs[1:] |= column[order[1:]] != column[order[:-1]]
    number = np.empty(order.size, np.intp)
    number[order] = np.cumsum(differs)
    differs[:1] = True
    return number, order[differs]


def _merged(points: NDArray[np.float64], some: Numbers, gap_mm: float) -> Numbers:
    """Return all points a number, the same to those of `some` that are within the gap on every axis."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    reach = gap_mm * (1 + 1e-6)
    near = cKDTree(points[some]).query_pairs(reach, p=np.inf, output_type="ndarray")
    graph = coo_matrix((np.ones(len(near)), near.T), shape=(some.size, some.size))
    number = np.arange(len(points))
    number[some] = len(points) + connected_components(graph, directed=False)[1]
    return number
