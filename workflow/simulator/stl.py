"""STL files measured in constant memory, whatever their size.

Shares nothing with the product's inspection, so that one mistake can't hide in both. Not by numpy-stl: its
mass properties need the whole file in memory and check each edge in Python, 100 times as slow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.simulator.models import StlMeasurement

HEADER_BYTES = 84
FACET_BYTES = 50
FACETS_AT_ONCE = 50_000
TEXT_BYTES_AT_ONCE = 1 << 20
LONGEST_VERTEX_BYTES = 1024
FACET_DTYPE = np.dtype([("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
VERTEX_PATTERN = re.compile(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)

MAX_HEALED_SHARE = 1e-4
"""A surface that lacks less than this share of its area is sliced anyway (invented)."""

Corners = NDArray[np.float32]


class NotStl(ValueError):
    """Raised for bytes that are not an STL; the message says why."""


@dataclass(slots=True)
class FacetSums:
    """Sums of one pass over the facets; lengths in mm."""

    triangles: int = 0
    finite: bool = True
    low: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.inf))
    high: NDArray[np.float64] = field(default_factory=lambda: np.full(3, -np.inf))
    volume_mm3: float = 0.0
    area_mm2: float = 0.0
    area_vector: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    unpaired: np.uint64 = field(default_factory=lambda: np.uint64(0))
    """Exclusive or of a hash of each edge: 0 if every edge occurs an even number of times."""

    def add(self, corners: Corners) -> None:
        """Add facets: (n, 3 corners, 3 coordinates)."""
        self.triangles += len(corners)
        self.finite = self.finite and bool(np.isfinite(corners).all())
        if not self.finite or not len(corners):
            return
        flat = corners.reshape(-1, 3)
        self.low = np.minimum(self.low, flat.min(axis=0))
        self.high = np.maximum(self.high, flat.max(axis=0))
        a, b, c = (corners[:, place].astype(np.float64) for place in range(3))
        normals = np.cross(b - a, c - a)
        self.volume_mm3 += float(np.einsum("ij,ij->i", a, normals).sum()) / 6
        self.area_mm2 += float(np.linalg.norm(normals, axis=1).sum()) / 2
        self.area_vector += normals.sum(axis=0) / 2
        self.unpaired ^= _hash_edges(corners)


def measure_stl(path: Path) -> StlMeasurement:
    """Return the measurement of an STL file. Raises NotStl for other content, OSError if reading fails."""
    form = _detect_format(path)
    sums = FacetSums()
    for corners in _binary_corners(path) if form == "binary" else _ascii_corners(path):
        sums.add(corners)
    flaw = _find_flaw(sums)
    extent = sums.high - sums.low if sums.triangles and sums.finite else np.zeros(3)
    return StlMeasurement(
        format=form,
        triangles=sums.triangles,
        size_mm=(float(extent[0]), float(extent[1]), float(extent[2])),
        volume_cm3=abs(sums.volume_mm3) / 1000 if flaw is None else 0.0,
        flaw=flaw,
    )


def _detect_format(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(1024)
    facets = int.from_bytes(head[80:84], "little") if len(head) >= HEADER_BYTES else None
    if facets is not None and size == HEADER_BYTES + facets * FACET_BYTES:
        return "binary"
    if head.lstrip()[:5].lower() == b"solid" and re.search(rb"facet|endsolid", head, re.IGNORECASE):
        return "ascii"
    if facets and size > HEADER_BYTES + facets * FACET_BYTES:
        return "binary"  # something was appended; slicers ignore it
    raise NotStl("stlFile is not an STL: neither ASCII facets nor as many bytes as its count asks for.")


def _binary_corners(path: Path) -> Iterator[Corners]:
    with path.open("rb") as file:
        left = int.from_bytes(file.read(HEADER_BYTES)[80:], "little")
        while left:
            block = file.read(min(left, FACETS_AT_ONCE) * FACET_BYTES)
            facets = np.frombuffer(block, FACET_DTYPE)
            left -= len(facets)
            yield facets["corners"]


def _ascii_corners(path: Path) -> Iterator[Corners]:
    rest = np.zeros((0, 3), np.float32)
    for text in _text_blocks(path):
        found = VERTEX_PATTERN.findall(text)
        try:
            vertices = np.array(found, dtype=np.bytes_).astype(np.float32).reshape(-1, 3)
        except ValueError:
            raise NotStl("stlFile is not an STL: a vertex is not a number.") from None
        vertices = np.concatenate([rest, vertices])
        whole = len(vertices) // 3 * 3
        yield vertices[:whole].reshape(-1, 3, 3)
        rest = vertices[whole:]
    if len(rest):
        raise NotStl("stlFile is not an STL: it ends within a facet.")


def _text_blocks(path: Path) -> Iterator[bytes]:
    """Yield blocks that end just before a vertex, so that no vertex is cut."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(TEXT_BYTES_AT_ONCE):
            text = rest + block
            end = text.lower().rfind(b"vertex")
            if end < 0 or len(text) - end > LONGEST_VERTEX_BYTES:  # keep the start of a word
                end = max(len(text) - len(b"vertex"), 0)
            yield text[:end]
            rest = text[end:]
    yield rest


def _hash_edges(corners: Corners) -> np.uint64:
    """Return the exclusive or of one hash per edge, equal for both directions."""
    bits = (corners + np.float32(0)).view(np.uint32).astype(np.uint64)  # + 0 turns -0.0 into 0.0
    vertex = _mix_bits(_mix_bits(_mix_bits(bits[..., 0]) ^ bits[..., 1]) ^ bits[..., 2])
    edges = _mix_bits(vertex + np.roll(vertex, -1, axis=1))
    return np.uint64(np.bitwise_xor.reduce(edges, axis=None))


def _mix_bits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 mixed bits for 64 bits, one to one (the finalizer of splitmix64)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _find_flaw(sums: FacetSums) -> str | None:
    if not sums.triangles:
        return "no facets"
    if not sums.finite:
        return "coordinates that are not numbers"
    if not sums.area_mm2 or not sums.volume_mm3:
        return "no volume"
    missing = float(np.linalg.norm(sums.area_vector)) / sums.area_mm2
    if sums.unpaired and missing > MAX_HEALED_SHARE:
        return "an open surface"
    return None
