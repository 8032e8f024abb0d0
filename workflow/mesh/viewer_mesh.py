"""What the console's part viewer shows: facets and open edges as float32, and the holes with their places.

All numbers are little-endian: four uint32 (facets written, facets of the part, open edges written, bytes of
the text at the end), 9 float32 for each facet, 6 for each edge, and a JSON object. Coordinates are mm from
the middle of the part, so that float32 is enough wherever the part lies.
"""

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.mesh.ascii_reader import AsciiReader
from workflow.mesh.cracks import close_cracks
from workflow.mesh.format import BinaryReader
from workflow.mesh.holes import MAX_HOLE_LOCATIONS, measure_holes
from workflow.mesh.measures import Measures
from workflow.mesh.open_edges import DirectedEdges
from workflow.mesh.shown_part import open_shown_part
from workflow.mesh.vertex_clustering import cluster_vertices
from workflow.model import MeshReport

MAX_FACETS = 500_000
"""18 MB. Larger parts are shown with fewer facets."""
MAX_EDGES = 100_000
"""Of more open edges only the first are shown."""

_LITTLE_ENDIAN = np.dtype("<f4")


def encode_viewer_mesh(source: Path, report: MeshReport, most_facets: int = MAX_FACETS) -> bytes:
    """Return what the viewer shows of an STL file that `report` is about.

    Raises UnreadableMesh with the reason where there is nothing to show, and OSError.
    """
    with open_shown_part(source, report) as part:
        measures, edges = part.measures, part.edges
        facets = _collect_facets(part.reader, measures, most_facets)
    middle = (np.array(measures.low_mm) + np.array(measures.high_mm)) / 2
    drawn = _edge_ends(edges, middle)
    text = json.dumps(
        {
            **_describe(measures, edges, middle),
            "note": _note(len(facets) // 3, measures, report, edges),
        }
    ).encode()
    counts = np.array((facets.shape[0] // 3, measures.triangles, drawn.shape[0] // 2, len(text)), "<u4")
    return b"".join((counts.tobytes(), _centered(facets, middle).tobytes(), drawn.tobytes(), text))


def _collect_facets(
    reader: BinaryReader | AsciiReader, measures: Measures, most_facets: int
) -> NDArray[np.float32]:
    """Return corners, three for each facet, shape (n, 3); of a large mesh a reduced one."""
    if measures.triangles > most_facets:
        block = cluster_vertices(
            reader.blocks, measures.low_mm, measures.high_mm, measures.area_mm2, most_facets
        )
        return block.T.reshape(-1, 3)
    # a block is overwritten by the next one
    found = [np.array(block.T.reshape(-1, 3)) for block in reader.blocks()]
    return np.concatenate(found) if found else np.empty((0, 3), np.float32)


def _edge_ends(edges: DirectedEdges | None, middle: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return both ends of each edge that is shown, shape (2 n, 3)."""
    if edges is None:
        return np.empty((0, 3), _LITTLE_ENDIAN)
    ends = np.stack((edges.tail_mm[:MAX_EDGES], edges.head_mm[:MAX_EDGES]), axis=1)
    return _centered(ends.reshape(-1, 3), middle)


def _centered(points: NDArray[np.float32], middle: NDArray[np.float64]) -> NDArray[np.float32]:
    centered: NDArray[np.float32] = (points.astype(np.float64) - middle).astype(_LITTLE_ENDIAN)
    return centered


def _note(shown: int, measures: Measures, report: MeshReport, edges: DirectedEdges | None) -> str:
    """Return what the viewer leaves out, in words; "" for nothing."""
    lines = []
    if report.open_edges and (edges is None or not len(edges.tail_mm)):
        lines.append("There are too many open edges to mark them.")
    if shown < measures.triangles:
        lines.append(f"Shown with {shown:,} of {measures.triangles:,} facets.")
    return " ".join(lines)


def _describe(
    measures: Measures, edges: DirectedEdges | None, middle: NDArray[np.float64]
) -> dict[str, object]:
    """Return size and holes as JSON values; the center of a hole is relative to the middle of the part."""
    size_mm = measures.size_mm
    found = measure_holes(close_cracks(edges, math.hypot(*size_mm)), size_mm) if edges else ()
    holes = [
        {
            "center": [float(at) for at in np.array(hole.center_mm) - middle],
            "length": hole.length_mm,
            "kind": hole.kind.value,
            "text": str(hole),
        }
        for hole in found[:MAX_HOLE_LOCATIONS]
    ]
    return {
        "size": [float(side) for side in size_mm],
        "holes": holes,
        "moreHoles": len(found) - len(holes),
    }
