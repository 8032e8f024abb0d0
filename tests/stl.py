"""STL files made in code."""

import struct
from collections.abc import Iterable, Sequence

Point = tuple[float, float, float]
_FACETS = (
    (0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4),
    (1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7),
)  # fmt: skip


def binary(facets: Iterable[Sequence[Point]]) -> bytes:
    """Return a binary STL of these facets."""
    body = [
        struct.pack("<12fH", 0, 0, 0, *(value for corner in facet for value in corner), 0) for facet in facets
    ]
    return b"made by a test".ljust(80, b"\0") + struct.pack("<I", len(body)) + b"".join(body)


def box_facets(x_mm: float = 20, y_mm: float = 20, z_mm: float = 20) -> list[Sequence[Point]]:
    """Return the twelve facets of a closed box."""
    corners: list[Point] = [
        (i * x_mm, j * y_mm, k * z_mm) for k in (0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    return [tuple(corners[corner] for corner in facet) for facet in _FACETS]


def box(x_mm: float = 20, y_mm: float = 20, z_mm: float = 20) -> bytes:
    """Return a closed binary STL of a box."""
    return binary(box_facets(x_mm, y_mm, z_mm))


def open_box(x_mm: float = 20) -> bytes:
    """Return a box that lacks one facet: three open edges."""
    return binary(box_facets(x_mm)[:-1])


def flat_box(x_mm: float = 20) -> bytes:
    """Return a box without height: it has no volume, so nobody can print it."""
    return box(x_mm, 20, 0)
