"""A picture of a part for whoever has to find its hole: two views, so that every side is in one of them."""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.ascii import AsciiReader
from workflow.mesh.binary import BinaryReader
from workflow.mesh.blocks import Block
from workflow.mesh.corners import CornerHashes
from workflow.mesh.detect import Binary, NotMesh, detect
from workflow.mesh.edges import Edges
from workflow.mesh.holes import find_open_edges
from workflow.mesh.measures import Measures, measure
from workflow.mesh.places import Place, places_of
from workflow.mesh.raster import Canvas, TooMuchToDraw
from workflow.mesh.scene import INSIDE_COLOUR, OPEN_COLOUR, mark_open_edges, pixels_of
from workflow.mesh.sheet import INK, Sheet
from workflow.mesh.stream import ByteStream
from workflow.mesh.unreadable import Unreadable
from workflow.mesh.views import INSIDE, View, view_of
from workflow.model import MeshReport

WIDTH, HEIGHT = 1280, 860
TOP, VIEW_WIDTH, VIEW_HEIGHT = 96, 640, 600
DIRECTIONS = (
    ("seen from the front, right and above", -60.0, 30.0),
    ("seen from the back, left and below", 120.0, -30.0),
)
MOST_PIXELS = 60_000_000
"""Of one view, each facet's own: some seconds. Usual parts take one to five million."""

_FINE = 2
"""Views are drawn so many times larger, and averaged."""
_MARGIN = 48
_GREY = (110, 116, 126)
_AXES = (("x", 0), ("y", 1), ("z", 2))
_RING = 17.0
_HARDLY = 0.03
"""Of the depths from 0 to 1."""


@dataclass
class _Scene:
    """One view while it is drawn."""

    caption: str
    view: View
    canvas: Canvas


def draw_picture(source: Path, report: MeshReport) -> bytes:
    """Give a PNG of an STL file that `report` is about; open edges are marked if the report counts any.

    Raises Unreadable with the reason where there is nothing to draw, and OSError.
    """
    with FileIO(source) as file:
        stream = ByteStream(file)
        layout = detect(stream.head(), os.fstat(file.fileno()).st_size)
        if isinstance(layout, NotMesh):
            raise Unreadable(layout.reason)
        reader = BinaryReader(stream, layout) if isinstance(layout, Binary) else AsciiReader(stream, layout)
        corners = CornerHashes(reader.blocks)
        measures = measure(reader.blocks())
        if measures.bad_facets:
            raise Unreadable(f"{measures.bad_facets:,} facets have corners that are no numbers.")
        edges = find_open_edges(corners, measures.triangles) if report.open_edges else None
        scenes = _drawn(reader.blocks, measures)
    diagonal_mm = math.dist(measures.low_mm, measures.high_mm)
    places = places_of(edges, diagonal_mm) if edges is not None and len(edges) else ()
    return _sheet(scenes, report, edges, places).png()


def _drawn(blocks: Callable[[], Iterable[Block]], measures: Measures) -> list[_Scene]:
    """Draw all facets in both views. Raises Unreadable when they lie over one another too often."""
    width, height = _FINE * VIEW_WIDTH, _FINE * VIEW_HEIGHT
    room = (width - 2 * _FINE * _MARGIN, height - 2 * _FINE * _MARGIN)
    scenes = [
        _Scene(
            caption,
            replace(view_of(measures, azimuth, elevation, *room), middle=(width / 2, height / 2)),
            Canvas(width, height, MOST_PIXELS),
        )
        for caption, azimuth, elevation in DIRECTIONS
    ]
    try:
        for block in blocks():
            for scene in scenes:
                scene.canvas.add(*scene.view.facets(block))
    except TooMuchToDraw:
        raise Unreadable("Its facets lie over one another too often to be drawn.") from None
    return scenes


def _sheet(
    scenes: Sequence[_Scene], report: MeshReport, edges: Edges | None, places: Sequence[Place]
) -> Sheet:
    sheet = Sheet(WIDTH, HEIGHT)
    sheet.write(Path(report.path).name, 24, 18, size=3)
    size = "   ".join(f"{name} {side:.4g} mm" for (name, _), side in zip(_AXES, report.size_mm, strict=True))
    sheet.write(f"{size}   {report.triangles:,} facets   {report.verdict}ed", 24, 54)
    for number, scene in enumerate(scenes):
        left = number * VIEW_WIDTH
        pixels = pixels_of(scene.canvas)
        if edges is not None:
            mark_open_edges(pixels, scene.canvas, scene.view, edges)
        sheet.paste(_averaged(pixels), left, TOP)
        sheet.write(scene.caption, left + 24, TOP + 4, _GREY)
        _draw_axes(sheet, scene.view, left + 60, TOP + VIEW_HEIGHT - 50)
    _label(sheet, scenes, places)
    _write_legend(sheet, scenes, report, places)
    return sheet


def _averaged(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    fine = pixels.reshape(height // _FINE, _FINE, width // _FINE, _FINE, 3)
    averaged: NDArray[np.uint8] = fine.mean(axis=(1, 3)).round().astype(np.uint8)
    return averaged


def _draw_axes(sheet: Sheet, view: View, x: int, y: int) -> None:
    """Draw where x, y and z lead."""
    for name, axis in _AXES:
        right, up, _ = 34 * view.turn[:, axis]
        tip = np.array((x + right, y - up))
        sheet.line(np.array((x, y), np.float64), tip, _GREY)
        sheet.write(name, int(x + 1.35 * right) - 5, int(y - 1.35 * up) - 7, _GREY)


def _label(sheet: Sheet, scenes: Sequence[_Scene], places: Sequence[Place]) -> None:
    """Number the largest holes where they are seen; one that is seen nowhere has its number in every view."""
    for number, place in enumerate(places, 1):
        middle = np.array(place.centre_mm)[:, None]
        points = [scene.view.places(middle)[:, 0] for scene in scenes]
        seen = [_is_seen(scene.canvas, *point) for scene, point in zip(scenes, points, strict=True)]
        for at, (x, y, _) in enumerate(points):
            if seen[at] or not any(seen):
                left, top = at * VIEW_WIDTH + x / _FINE, TOP + y / _FINE
                sheet.ring(left, top, _RING, OPEN_COLOUR)
                sheet.write(str(number), int(left + _RING + 4), int(top - 22), OPEN_COLOUR, 3)


def _is_seen(canvas: Canvas, x: float, y: float, depth: float) -> bool:
    """Tell whether a point lies before the surface at its pixel, or hardly behind, as in a curved hole."""
    column, row = (int(min(max(at, 0), most - 1)) for at, most in ((x, canvas.width), (y, canvas.height)))
    return bool(depth <= canvas.depths[row, column] + _HARDLY)


def _write_legend(
    sheet: Sheet, scenes: Sequence[_Scene], report: MeshReport, places: Sequence[Place]
) -> None:
    y = TOP + VIEW_HEIGHT + 12
    if report.open_edges:
        sheet.write(f"red: {report.open_edges:,} open edges (pale: behind the part)", 24, y, OPEN_COLOUR)
    if any(((scene.canvas.colours & INSIDE) > 0)[scene.canvas.is_covered].any() for scene in scenes):
        sheet.write("orange: the inside of the part", 24 + VIEW_WIDTH, y, INSIDE_COLOUR)
    for number, place in enumerate(places, 1):
        y += 24
        sheet.write(f"{number}: near {place}", 24, y, INK)
    if report.open_edges and not places:
        sheet.write("there are too many to mark them", 24, y + 24, INK)
