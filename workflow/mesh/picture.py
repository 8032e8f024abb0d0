"""A picture of a part that shows its holes: two views, so that every side is in one of them."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.canvas import (
    INK,
    INSIDE_FLAG,
    WHITE,
    Camera,
    DepthBuffer,
    DoubleArray,
    IntArray,
    RgbCanvas,
    TooMuchToDraw,
    dilate,
    expand_ranges,
    fit_camera,
)
from workflow.mesh.cracks import close_cracks
from workflow.mesh.format import Block, UnreadableMesh
from workflow.mesh.holes import MAX_HOLE_LOCATIONS, Hole, measure_holes
from workflow.mesh.measures import Measures
from workflow.mesh.open_edges import DirectedEdges
from workflow.mesh.shown_part import open_shown_part
from workflow.model import MeshReport

OUTSIDE_COLOR, INSIDE_COLOR = (186, 200, 214), (255, 150, 30)
OPEN_EDGE_COLOR, HIDDEN_EDGE_COLOR = (224, 0, 36), (255, 150, 165)
_WHITE, _HIDDEN = np.array(WHITE, np.float32), np.array(HIDDEN_EDGE_COLOR, np.float32)
_CREASE, _STEP = 16, 0.02
"""Neighbors whose light (0-255) or depth (0-1) differ by more have an outline between them."""
_OUTLINE = 0.62
_EDGE_DEPTH_TOLERANCE = 0.006
"""An open edge is seen if it is no farther behind the surface at its pixel than this."""
_LONGEST = 10_000


def shade_pixels(canvas: DepthBuffer) -> NDArray[np.float32]:
    """Return the facets in color, shape (height, width, 3)."""
    number, covered = canvas.colors, canvas.is_covered
    light = (number & (INSIDE_FLAG - 1)).astype(np.float32) / 255
    colors = np.where((number & INSIDE_FLAG)[..., None], INSIDE_COLOR, OUTSIDE_COLOR).astype(np.float32)
    colors *= (light * np.where(_find_outlines(number, canvas.depths, covered), _OUTLINE, 1))[..., None]
    return np.where(covered[..., None], colors, _WHITE).astype(np.float32)


def mark_open_edges(
    pixels: NDArray[np.float32], canvas: DepthBuffer, view: Camera, edges: DirectedEdges
) -> None:
    """Draw open edges over the facets: strong where they are seen, pale behind them."""
    seen, hidden = np.zeros((2, canvas.height, canvas.width), np.bool_)
    depths = canvas.depths
    for x, y, depth in _edge_pixels(view, edges):
        column, row = x.clip(0, canvas.width - 1), y.clip(0, canvas.height - 1)
        is_seen = depth <= depths[row, column] + _EDGE_DEPTH_TOLERANCE
        seen[row[is_seen], column[is_seen]] = True
        hidden[row[~is_seen], column[~is_seen]] = True
    hidden = dilate(hidden, 2)
    pixels[hidden] = 0.35 * pixels[hidden] + 0.65 * _HIDDEN
    pixels[dilate(seen, 4)] = OPEN_EDGE_COLOR


def _edge_pixels(view: Camera, edges: DirectedEdges) -> Iterator[tuple[IntArray, IntArray, DoubleArray]]:
    """Return pixels along the edges, some at a time: x, y, and depth."""
    tail, head = (view.places(end.T.astype(np.float64)) for end in (edges.tail_mm, edges.head_mm))
    counts = np.ceil(np.abs(head - tail)[:2].max(axis=0)).clip(1, _LONGEST).astype(np.int64) + 1
    for number, of in expand_ranges(np.zeros_like(counts), counts):
        x, y, depth = tail[:, of] + (head - tail)[:, of] * (number / (counts[of] - 1))
        yield x.astype(np.int64), y.astype(np.int64), depth


def _find_outlines(
    number: NDArray[np.uint16], depths: NDArray[np.float32], covered: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which pixels stand at a crease, a step or the rim of the part."""
    found = np.zeros(covered.shape, np.bool_)
    light = number.astype(np.int32)
    for axis in (0, 1):
        jumps = (np.abs(np.diff(light, axis=axis)) > _CREASE) | (np.abs(np.diff(depths, axis=axis)) > _STEP)
        here = [slice(None), slice(None)]
        here[axis] = slice(None, -1)
        found[tuple(here)] |= jumps
        here[axis] = slice(1, None)
        found[tuple(here)] |= jumps
    return found & covered


VERDICT_TEXT = {"accept": "accepted", "hold": "held", "reject": "rejected"}
PICTURE_WIDTH, PICTURE_HEIGHT = 1280, 860
VIEW_TOP, VIEW_WIDTH, VIEW_HEIGHT = 96, 640, 600
VIEW_DIRECTIONS = (
    ("seen from the front, right and above", -60.0, 30.0),
    ("seen from the back, left and below", 120.0, -30.0),
)
MAX_PIXELS = 60_000_000
"""Of one view, each facet's own: some seconds. Usual parts take one to five million."""

_SUPERSAMPLING = 2
"""Views are drawn larger by this factor, and averaged."""
_MARGIN = 48
_GRAY = (110, 116, 126)
_AXES = (("x", 0), ("y", 1), ("z", 2))
_RING = 17.0
_LABEL_DEPTH_TOLERANCE = 0.03
"""Of the depths from 0 to 1."""


@dataclass
class _ViewDrawing:
    """One view while it is drawn."""

    caption: str
    view: Camera
    canvas: DepthBuffer


def draw_picture(source: Path, report: MeshReport) -> bytes:
    """Return a PNG of an STL file that `report` is about; open edges are marked if the report counts any.

    Raises Unreadable with the reason where there is nothing to draw, and OSError.
    """
    with open_shown_part(source, report) as part:
        measures, edges = part.measures, part.edges
        scenes = _render_views(part.reader.blocks, measures)
    holes = _find_holes(edges, measures) if edges is not None and len(edges) else ()
    return _compose_picture(scenes, report, edges, holes[:MAX_HOLE_LOCATIONS]).to_png()


def _find_holes(edges: DirectedEdges, measures: Measures) -> tuple[Hole, ...]:
    size_mm = measures.size_mm
    return measure_holes(close_cracks(edges, math.hypot(*size_mm)), size_mm)


def _render_views(blocks: Callable[[], Iterable[Block]], measures: Measures) -> list[_ViewDrawing]:
    """Draw all facets in both views. Raises Unreadable when they lie over one another too often."""
    width, height = _SUPERSAMPLING * VIEW_WIDTH, _SUPERSAMPLING * VIEW_HEIGHT
    room = (width - 2 * _SUPERSAMPLING * _MARGIN, height - 2 * _SUPERSAMPLING * _MARGIN)
    scenes = [
        _ViewDrawing(
            caption,
            replace(fit_camera(measures, azimuth, elevation, *room), middle=(width / 2, height / 2)),
            DepthBuffer(width, height, MAX_PIXELS),
        )
        for caption, azimuth, elevation in VIEW_DIRECTIONS
    ]
    try:
        for block in blocks():
            for scene in scenes:
                scene.canvas.add(*scene.view.facets(block))
    except TooMuchToDraw:
        raise UnreadableMesh("Its facets lie over one another too often to be drawn.") from None
    return scenes


def _compose_picture(
    scenes: Sequence[_ViewDrawing],
    report: MeshReport,
    edges: DirectedEdges | None,
    places: Sequence[Hole],
) -> RgbCanvas:
    sheet = RgbCanvas(PICTURE_WIDTH, PICTURE_HEIGHT)
    sheet.write(Path(report.path).name, 24, 18, size=3)
    size = "   ".join(f"{name} {side:.4g} mm" for (name, _), side in zip(_AXES, report.size_mm, strict=True))
    sheet.write(f"{size}   {report.triangles:,} facets   {VERDICT_TEXT[report.verdict]}", 24, 54)
    for number, scene in enumerate(scenes):
        left = number * VIEW_WIDTH
        pixels = shade_pixels(scene.canvas)
        if edges is not None:
            mark_open_edges(pixels, scene.canvas, scene.view, edges)
        sheet.paste(average_blocks(pixels, _SUPERSAMPLING).round().astype(np.uint8), left, VIEW_TOP)
        sheet.write(scene.caption, left + 24, VIEW_TOP + 4, _GRAY)
        _draw_axes(sheet, scene.view, left + 60, VIEW_TOP + VIEW_HEIGHT - 50)
    _label_holes(sheet, scenes, places)
    _write_legend(sheet, scenes, report, places)
    return sheet


def average_blocks(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return pixels of shape (height, width, channels) with each square of `side` averaged into one."""
    height, width, channels = pixels.shape
    fine = pixels.reshape(height // side, side, width // side, side, channels)
    averaged: NDArray[np.float32] = fine.mean(axis=(1, 3))
    return averaged


def _draw_axes(sheet: RgbCanvas, view: Camera, x: int, y: int) -> None:
    """Draw where x, y and z lead."""
    for name, axis in _AXES:
        right, up, _ = 34 * view.turn[:, axis]
        tip = np.array((x + right, y - up))
        sheet.line(np.array((x, y), np.float64), tip, _GRAY)
        sheet.write(name, int(x + 1.35 * right) - 5, int(y - 1.35 * up) - 7, _GRAY)


def _label_holes(sheet: RgbCanvas, scenes: Sequence[_ViewDrawing], places: Sequence[Hole]) -> None:
    """Number the largest holes where they are seen; one that is seen nowhere has its number in every view."""
    for number, place in enumerate(places, 1):
        middle = np.array(place.center_mm)[:, None]
        points = [scene.view.places(middle)[:, 0] for scene in scenes]
        seen = [_is_visible(scene.canvas, *point) for scene, point in zip(scenes, points, strict=True)]
        for at, (x, y, _) in enumerate(points):
            if seen[at] or not any(seen):
                left, top = at * VIEW_WIDTH + x / _SUPERSAMPLING, VIEW_TOP + y / _SUPERSAMPLING
                sheet.draw_circle(left, top, _RING, OPEN_EDGE_COLOR)
                sheet.write(str(number), int(left + _RING + 4), int(top - 22), OPEN_EDGE_COLOR, 3)


def _is_visible(canvas: DepthBuffer, x: float, y: float, depth: float) -> bool:
    """True if a point lies before the surface at its pixel, or hardly behind, as in a curved hole."""
    column, row = (int(min(max(at, 0), most - 1)) for at, most in ((x, canvas.width), (y, canvas.height)))
    return bool(depth <= canvas.depths[row, column] + _LABEL_DEPTH_TOLERANCE)


def _write_legend(
    sheet: RgbCanvas, scenes: Sequence[_ViewDrawing], report: MeshReport, places: Sequence[Hole]
) -> None:
    y = VIEW_TOP + VIEW_HEIGHT + 12
    if report.open_edges:
        sheet.write(f"red: {report.open_edges:,} open edges (pale: behind the part)", 24, y, OPEN_EDGE_COLOR)
    if any(((scene.canvas.colors & INSIDE_FLAG) > 0)[scene.canvas.is_covered].any() for scene in scenes):
        sheet.write("orange: the inside of the part", 24 + VIEW_WIDTH, y, INSIDE_COLOR)
    for number, place in enumerate(places, 1):
        y += 24
        sheet.write(f"{number}: near {place}", 24, y, INK)
    if report.open_edges and not places:
        sheet.write("there are too many to mark them", 24, y + 24, INK)
