"""Where a part is looked at from, and how light falls on it."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.blocks import Block
from workflow.mesh.measures import Measures

Doubles: TypeAlias = NDArray[np.float64]

INSIDE = 1 << 8
"""In a colour number: the side of the facet is seen that should be inside the part; below it, the light."""
_AMBIENT, _LIGHT = 0.3, np.array((-0.45, 0.55, -0.75))
"""Seen from the camera: from the left, from above, and from where it stands. What turns away is darker, not
black: its shape is seen, too."""
_DEPTH_ROOM = 0.8
"""Of the depths from 0 to 1; the rest is for lines that are drawn a little nearer."""


@dataclass(frozen=True, slots=True)
class View:
    """A camera far away: rows of `turn` are right, up and away from it; pixels = scale * (mm - centre)."""

    turn: Doubles
    centre_mm: Doubles
    scale: float
    reach_mm: float
    middle: tuple[float, float]

    def places(self, points_mm: Doubles) -> Doubles:
        """Give x, y (down) in pixels and depth of points of shape (3, n)."""
        right, up, away = self.turn @ (points_mm - self.centre_mm[:, None])
        x, y = self.middle
        depth = (away / self.reach_mm + 1) / 2 * _DEPTH_ROOM + (1 - _DEPTH_ROOM) / 2
        return np.stack((x + right * self.scale, y - up * self.scale, np.clip(depth, 0, 1)))

    def facets(self, block: Block) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
        """Give facets in the picture, shape (3, 3, n), and their colour numbers; without those of no area."""
        block = block[:, np.isfinite(block).all(axis=0)]
        points = block.astype(np.float64).reshape(3, 3, -1)
        first, second = points[1] - points[0], points[2] - points[0]
        normal = self.turn @ np.cross(first, second, axis=0)
        length = np.sqrt((normal**2).sum(axis=0))
        solid = length > 0
        normal = normal[:, solid] / length[solid]
        is_inside = normal[2] > 0
        light = (normal * np.where(is_inside, -1, 1) * (_LIGHT / np.linalg.norm(_LIGHT))[:, None]).sum(axis=0)
        shade = _AMBIENT + (1 - _AMBIENT) * (light.clip(-1, 1) + 1) / 2
        placed = np.stack([self.places(corner) for corner in points[:, :, solid]])
        return placed.astype(np.float32), (255 * shade).astype(np.uint16) + INSIDE * is_inside.astype(
            np.uint16
        )


def view_of(measures: Measures, azimuth: float, elevation: float, width: int, height: int) -> View:
    """Look at the whole part from a direction in degrees: 0 is from +x, 90 from +y; up is +z."""
    low, high = (np.array(end, np.float64) for end in (measures.low_mm, measures.high_mm))
    a, e = np.radians((azimuth, elevation))
    away = -np.array((np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)))
    right = np.array((-np.sin(a), np.cos(a), 0.0))
    turn = np.stack((right, np.cross(right, away), away))
    box = np.abs(turn) @ (high - low) / 2  # half of what the box takes to the right, up and away
    scale = min(width / 2 / max(box[0], 1e-30), height / 2 / max(box[1], 1e-30))
    return View(turn, (low + high) / 2, scale, max(float(box[2]), 1e-30), (0.0, 0.0))
