"""An STL file as pictures and the part viewer read it: measured, and with its open edges."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from workflow.frozen import frozen
from workflow.mesh.ascii_reader import AsciiReader, make_reader
from workflow.mesh.format import BinaryReader, HashingStream, NotMeasurable, UnreadableMesh, detect_format
from workflow.mesh.measures import Measures, measure_mesh
from workflow.mesh.open_edges import DirectedEdges, find_open_edges
from workflow.mesh.watertight import CornerHashes
from workflow.model import MeshReport


@frozen
class ShownPart:
    """A part whose facets can be read again and again; `edges` None: the report counts no open ones."""

    reader: BinaryReader | AsciiReader
    measures: Measures
    edges: DirectedEdges | None


@contextmanager
def open_facets(source: Path) -> Iterator[BinaryReader | AsciiReader]:
    """Return the reader of an STL file, until the block ends. Raises UnreadableMesh, OSError."""
    with FileIO(source) as file:
        stream = HashingStream(file)
        layout = detect_format(stream.head(), os.fstat(file.fileno()).st_size)
        if isinstance(layout, NotMeasurable):
            raise UnreadableMesh(layout.reason)
        yield make_reader(stream, layout)


@contextmanager
def open_shown_part(source: Path, report: MeshReport) -> Iterator[ShownPart]:
    """Return the part of an STL file that `report` is about, until the block ends.

    Raises UnreadableMesh with the reason where there is nothing to show, and OSError.
    """
    with open_facets(source) as reader:
        corners = CornerHashes(reader.blocks)
        measures = measure_mesh(reader.blocks())
        if measures.bad_facets:
            raise UnreadableMesh(f"{measures.bad_facets:,} facets have corners that are no numbers.")
        edges = find_open_edges(corners, measures.triangles).open if report.open_edges else None
        yield ShownPart(reader, measures, edges)
