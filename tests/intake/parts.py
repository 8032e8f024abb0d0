"""STL files made in code, whole and unfinished."""

import struct

HEADER = b"a part made by a test".ljust(80)
FACET = struct.pack("<12fH", 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 7)
GROUND_FACET = struct.pack("<12fH", 0, 0, 0, 5, 6, 7, 1, 0, 0, 0, 0, 0, 0)
"""As many zeros in a row as a facet may have."""


def binary(facets: int = 20, header: bytes = HEADER) -> bytes:
    """A whole binary STL."""
    return header + struct.pack("<I", facets) + FACET * facets


def ascii_solid(facets: int = 4, name: str = "part") -> bytes:
    """A whole ASCII STL."""
    facet = (
        "facet normal 0 0 1\n outer loop\n  vertex 0 0 1\n  vertex 1 0 1\n"
        "  vertex 0 1 1\n endloop\nendfacet\n"
    )
    return f"solid {name}\n{facet * facets}endsolid {name}\n".encode()
