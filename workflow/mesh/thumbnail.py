"""The thumbnail of a part: one small view without words, for a row of a table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.canvas import DepthBuffer, TooMuchToDraw, fit_camera
from workflow.mesh.format import UnreadableMesh
from workflow.mesh.measures import measure_mesh
from workflow.mesh.picture import VIEW_DIRECTIONS, average_blocks, shade_pixels
from workflow.mesh.png import encode_png
from workflow.mesh.shown_part import open_facets

THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 128, 96
_SUPERSAMPLING = 2
_MARGIN = 4
_MAX_PIXELS = 30_000_000
_COLOR_STEP = 8
"""Colors are rounded to multiples of it: the file is half the size, and nobody sees a difference."""


def draw_thumbnail(source: Path) -> bytes:
    """Return a small PNG of an STL file, on a transparent ground. Raises UnreadableMesh, OSError."""
    with open_facets(source) as reader:
        measures = measure_mesh(reader.blocks())
        if measures.bad_facets or not any(measures.size_mm):
            raise UnreadableMesh("There is nothing to draw.")
        width, height = _SUPERSAMPLING * THUMBNAIL_WIDTH, _SUPERSAMPLING * THUMBNAIL_HEIGHT
        margins = 2 * _SUPERSAMPLING * _MARGIN
        _, azimuth, elevation = VIEW_DIRECTIONS[0]
        view = fit_camera(measures, azimuth, elevation, width - margins, height - margins)
        view = replace(view, middle=(width / 2, height / 2))
        canvas = DepthBuffer(width, height, _MAX_PIXELS)
        try:
            for block in reader.blocks():
                canvas.add(*view.facets(block))
        except TooMuchToDraw:
            raise UnreadableMesh("Its facets lie over one another too often to be drawn.") from None
    return encode_png(_with_transparent_ground(canvas))


def _with_transparent_ground(canvas: DepthBuffer) -> NDArray[np.uint8]:
    """Return the view of shape (height, width, 4): the colors of the part, and how much it covers."""
    covered = canvas.is_covered[..., None].astype(np.float32)
    coverage = average_blocks(covered, _SUPERSAMPLING)
    colors = average_blocks(shade_pixels(canvas) * covered, _SUPERSAMPLING) / np.maximum(coverage, 1 / 255)
    colors = (colors / _COLOR_STEP).round() * _COLOR_STEP
    pixels: NDArray[np.uint8] = (
        np.concatenate((colors, 255 * coverage), axis=2).round().clip(0, 255).astype(np.uint8)
    )
    return pixels
