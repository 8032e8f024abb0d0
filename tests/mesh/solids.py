"""Meshes made in code: arrays of corners of shape (facets, 3, 3), and files of them in every form."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from stl import Mesh

from workflow.mesh.format import BLOCK_FACETS, Block

Corners = NDArray[np.float32]
Corner = tuple[float, float, float]

_BOX = (
    (0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4),
    (1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7),
)  # fmt: skip


def box(x_mm: float = 20, y_mm: float = 20, z_mm: float = 20) -> Corners:
    """Return the twelve facets of a box with one corner at the origin."""
    unit = [(i, j, k) for k in (0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    corners = [[unit[corner] for corner in facet] for facet in _BOX]
    return scaled(np.array(corners, np.float32), x_mm, y_mm, z_mm)


def torus(around: int, across: int, ring_mm: float = 30, tube_mm: float = 10) -> Corners:
    """Return a closed ring of 2 * around * across facets."""
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)[:, None]
    tilt = np.linspace(0, 2 * np.pi, across, endpoint=False)[None, :]
    reach = ring_mm + tube_mm * np.cos(tilt)
    grid = np.stack(
        np.broadcast_arrays(reach * np.cos(turn), reach * np.sin(turn), tube_mm * np.sin(tilt)), axis=-1
    ).astype(np.float32)
    beside, above = np.roll(grid, -1, axis=0), np.roll(grid, -1, axis=1)
    opposite = np.roll(beside, -1, axis=1)
    lower, upper = np.stack((grid, beside, opposite), axis=2), np.stack((grid, opposite, above), axis=2)
    return np.concatenate((lower.reshape(-1, 3, 3), upper.reshape(-1, 3, 3)))


def blocks(corners: Corners, size: int = BLOCK_FACETS) -> Iterator[Block]:
    """Return the facets as the readers do."""
    for start in range(0, len(corners), size):
        yield np.ascontiguousarray(corners[start : start + size].reshape(-1, 9).T)


def binary(corners: Corners, header: bytes = b"made by a test") -> bytes:
    """Return a binary STL."""
    facets = np.zeros(len(corners), Mesh.dtype)
    facets["vectors"] = corners
    return header.ljust(80, b"\0")[:80] + len(corners).to_bytes(4, "little") + facets.tobytes()


def ascii_text(corners: Corners, number: str = "{:.9g}", name: str = "part") -> bytes:
    """Return an ASCII STL with LF line ends; nine digits keep every float32."""
    vertex = "      vertex " + " ".join([number] * 3) + "\n"
    facet = f"  facet normal 0 0 0\n    outer loop\n{vertex * 3}    endloop\n  endfacet\n"
    facets = "".join(facet.format(*row) for row in corners.reshape(-1, 9).tolist())
    return f"solid {name}\n{facets}endsolid {name}\n".encode()


def moebius(around: int) -> Corners:
    """Return a band of 2 * around facets with one side and one rim."""
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)[:, None]
    across = np.array([-5.0, 5.0])[None, :]
    reach = 30 + across * np.cos(turn / 2)
    grid = np.stack(
        (reach * np.cos(turn), reach * np.sin(turn), np.broadcast_to(across * np.sin(turn / 2), reach.shape)),
        axis=-1,
    ).astype(np.float32)
    following = np.concatenate((grid[1:], grid[:1, ::-1]))
    lower = np.stack((grid[:, 0], following[:, 0], following[:, 1]), axis=1)
    upper = np.stack((grid[:, 0], following[:, 1], grid[:, 1]), axis=1)
    return np.concatenate((lower, upper))


def shifted(corners: Corners, x_mm: float, y_mm: float, z_mm: float) -> Corners:
    """Move all facets."""
    return np.add(corners, np.array((x_mm, y_mm, z_mm), np.float32))


def scaled(corners: Corners, x: float, y: float, z: float) -> Corners:
    """Stretch along each axis."""
    return np.multiply(corners, np.array((x, y, z), np.float32))


def merged(*parts: Corners) -> Corners:
    """Return the facets of all parts."""
    return np.concatenate(parts)


def quad(a: Corner, b: Corner, c: Corner, d: Corner) -> Corners:
    """Return the two facets of a rectangle that faces one way."""
    return np.array([(a, b, c), (a, c, d)], np.float32)


def back_to_back(a: Corner, b: Corner, c: Corner, d: Corner) -> Corners:
    """Return the four facets of a wall without thickness."""
    return merged(quad(a, b, c, d), quad(a, b, c, d)[:, ::-1])


def rotated(corners: Corners, seed: int) -> Corners:
    """Turn all facets at random."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    moved: Corners = (corners.astype(np.float64) @ (axes * np.linalg.det(axes))).astype(np.float32)
    return moved


def tray_with_bar(*, bar_inward: bool) -> Corners:
    """Return an open tray of 60 × 40 × 30 mm, and a bar across it that touches two of its walls."""
    outer, inner = [(0, 0), (60, 0), (60, 40), (0, 40)], [(3, 3), (57, 3), (57, 37), (3, 37)]
    sides = []
    for here, after in zip(range(4), (1, 2, 3, 0), strict=True):
        (a, b), (c, d) = (outer[here], outer[after]), (inner[here], inner[after])
        sides.append(quad((*a, 0), (*b, 0), (*b, 30), (*a, 30)))
        sides.append(quad((*d, 3), (*c, 3), (*c, 30), (*d, 30)))
        sides.append(quad((*a, 30), (*b, 30), (*d, 30), (*c, 30)))
    bottom = quad((0, 0, 0), (0, 40, 0), (60, 40, 0), (60, 0, 0))
    floor = quad((3, 3, 3), (57, 3, 3), (57, 37, 3), (3, 37, 3))
    bar = shifted(box(6, 34, 6), 20, 3, 20)
    return merged(*sides, bottom, floor, bar[:, ::-1] if bar_inward else bar)


def with_corners_on_an_edge(shares: list[float], offset_mm: float = 0) -> Corners:
    """Return a box of 20 mm in which the facet above one edge is split at corners on that edge.

    The facet below the edge keeps it whole: a T-junction at each corner.
    """
    corners = box()
    number = next(
        index
        for index, facet in enumerate(corners)
        if (facet[:, 2] == 20).all() and np.count_nonzero(facet[:, 1] == 0) == 2
    )
    facet = corners[number]
    start = next(i for i in range(3) if facet[i, 1] == 0 and facet[(i + 1) % 3, 1] == 0)
    a, b, tip = facet[start], facet[(start + 1) % 3], facet[(start + 2) % 3]
    chain = [a, *(a + (b - a) * np.float32(share) for share in sorted(shares)), b]
    for corner in chain[1:-1]:
        corner[1] += np.float32(offset_mm)
    fan = [np.stack((one, other, tip)) for one, other in pairwise(chain)]
    return np.concatenate((np.delete(corners, number, axis=0), np.array(fan, np.float32)))


def plate(outline: list[tuple[float, float]]) -> Corners:
    """Return a plate of about 200 × 200 × 5 mm with a hole of this outline in its top."""
    side = 100.0
    count = len(outline)
    far = [
        (side * c / max(abs(c), abs(s)), side * s / max(abs(c), abs(s)))
        for c, s in ((math.cos(math.atan2(y, x)), math.sin(math.atan2(y, x))) for x, y in outline)
    ]
    facets = []
    for here in range(count):
        after = (here + 1) % count
        inner, inner_after = (*outline[here], 5.0), (*outline[after], 5.0)
        outer, outer_after = (*far[here], 5.0), (*far[after], 5.0)
        low, low_after = (*far[here], 0.0), (*far[after], 0.0)
        facets += [(inner, outer, outer_after), (inner, outer_after, inner_after)]
        facets += [
            (outer, low, low_after),
            (outer, low_after, outer_after),
            ((0.0, 0.0, 0.0), low_after, low),
        ]
    return np.array(facets, np.float32)


def circle(diameter_mm: float, count: int = 64) -> list[tuple[float, float]]:
    """Return the corners of a regular polygon."""
    turn = [2 * math.pi * each / count for each in range(count)]
    return [(diameter_mm / 2 * math.cos(each), diameter_mm / 2 * math.sin(each)) for each in turn]
