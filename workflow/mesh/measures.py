"""Size, area, volume and closedness of a mesh, added up block by block; and all that was found in it."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.components import as_location
from workflow.mesh.format import BLOCK_FACETS, Block
from workflow.mesh.holes import OpenEdgeSummary, display_decimals
from workflow.mesh.shells import Shells
from workflow.mesh.warnings import MeshWarning, UnitDoubt, doubt_unit, mean_wall_mm
from workflow.mesh.watertight import WRAP, CornerHashes, chain_terms, hash_corners

FARTHEST_MM = 1e6
MAX_STRAY_SHARE = 0.5
"""If more of the facets are beyond FARTHEST_MM, the whole part is far away."""
_ROWS = 13


@frozen
class Measures:
    """What one pass over all facets tells. Lengths mm, area mm², volume mm³.

    `volume_mm3` is signed and means something only if `closed`; it is negative when the mesh is inside
    out. `bad_facets` have a coordinate that is not a number; where there are any, `low_mm` and `high_mm`
    are 0 and area and volume count the other facets only. `far_facets` have a coordinate beyond
    FARTHEST_MM. `degenerate_facets` have two equal corners, `flat_facets` no area (these among them).
    """

    triangles: int
    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]
    area_mm2: float
    volume_mm3: float
    closed: bool
    degenerate_facets: int
    flat_facets: int
    bad_facets: int
    first_bad_facet: int | None
    far_facets: int = 0
    first_far_facet: int | None = None

    def without_stray_facets(self) -> "Measures":
        """Return the measures with a few facets far away counted as bad: they are damage, not size."""
        if self.bad_facets or not 0 < self.far_facets <= MAX_STRAY_SHARE * self.triangles:
            return self
        nowhere = (0.0, 0.0, 0.0)
        return replace(
            self,
            bad_facets=self.far_facets,
            first_bad_facet=self.first_far_facet,
            low_mm=nowhere,
            high_mm=nowhere,
            area_mm2=0.0,
            closed=False,
        )

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Return the extent along x, y and z."""
        (left, front, bottom), (right, back, top) = self.low_mm, self.high_mm
        return right - left, back - front, top - bottom


def measure_mesh(blocks: Iterable[Block], corners: CornerHashes | None = None) -> Measures:
    """Measure all blocks in one pass; `corners` hears of all corners on the way."""
    gauge = _Accumulator(corners)
    with np.errstate(all="ignore"):
        for block in blocks:
            gauge.add(block)
    return gauge.measures()


class _Accumulator:
    """The sums so far, and the memory that each block is worked out in."""

    def __init__(self, corners: CornerHashes | None) -> None:
        self._scratch = np.empty(_ROWS * BLOCK_FACETS, np.float64)
        self._corners = corners
        self._low = np.full(9, np.inf, np.float32)
        self._high = np.full(9, -np.inf, np.float32)
        self._origin: NDArray[np.float64] | None = None
        self._triangles = self._degenerate = self._flat = self._chain = self._bad = 0
        self._far = 0
        self._first_bad: int | None = None
        self._first_far: int | None = None
        self._doubled_area = self._six_volumes = 0.0

    def add(self, block: Block) -> None:
        """Add the facets of one block."""
        count = block.shape[1]
        low, high = block.min(axis=1), block.max(axis=1)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            block = self._without_bad_facets(block)
        else:
            np.minimum(self._low, low, out=self._low)
            np.maximum(self._high, high, out=self._high)
            if max(-float(low.min()), float(high.max())) > FARTHEST_MM:
                self._count_far_facets(block)
        self._triangles += count
        if block.shape[1]:
            scratch = self._scratch[: _ROWS * block.shape[1]].reshape(_ROWS, -1)
            self._add_area_and_volume(block, scratch)
            self._add_chain(block, scratch.view(np.uint64))

    def _count_far_facets(self, block: Block) -> None:
        is_far = (np.abs(block) > FARTHEST_MM).any(axis=0)
        self._far += int(np.count_nonzero(is_far))
        if self._first_far is None:
            self._first_far = self._triangles + int(is_far.argmax()) + 1

    def _without_bad_facets(self, block: Block) -> Block:
        bad = ~np.isfinite(block).all(axis=0)
        self._bad += int(np.count_nonzero(bad))
        if self._first_bad is None:
            self._first_bad = self._triangles + int(bad.argmax()) + 1
        return np.ascontiguousarray(block[:, ~bad])

    def _add_area_and_volume(self, block: Block, scratch: NDArray[np.float64]) -> None:
        """Add area and volume from the normals n = (b - a) x (c - a): |n| / 2, and n·a / 6.

        float64 neither overflows nor loses digits for finite float32 coordinates. CornerHashes are taken
        relative to the first one, so that a part far from the origin keeps its digits.
        """
        if self._origin is None:
            self._origin = block[:3, :1].astype(np.float64)
        np.copyto(scratch[:9], block)
        corner, first, second, normal = scratch[0:3], scratch[3:6], scratch[6:9], scratch[9:12]
        first -= corner
        second -= corner
        corner -= self._origin
        _cross(first, second, normal, scratch[12])
        corner *= normal
        self._six_volumes += float(corner.sum())  # not np.dot: it would wake the threads of a BLAS
        normal *= normal
        squared = scratch[12]
        np.add(normal[0], normal[1], out=squared)
        squared += normal[2]
        self._flat += squared.size - int(np.count_nonzero(squared))
        self._doubled_area += float(np.sqrt(squared, out=squared).sum())

    def _add_chain(self, block: Block, scratch: NDArray[np.uint64]) -> None:
        corners = hash_corners(block, scratch[:9])
        if self._corners:
            self._corners.add(corners)
        terms = chain_terms(corners, scratch[:9])
        self._degenerate += terms.size - int(np.count_nonzero(terms))
        self._chain = (self._chain + int(terms.sum())) & WRAP

    def measures(self) -> Measures:
        """Return what was measured."""
        usable = self._bad == 0 and self._triangles > 0
        return Measures(
            triangles=self._triangles,
            low_mm=as_location(self._low.reshape(3, 3).min(axis=0).astype(np.float64))
            if usable
            else (0.0, 0.0, 0.0),
            high_mm=as_location(self._high.reshape(3, 3).max(axis=0).astype(np.float64))
            if usable
            else (0.0, 0.0, 0.0),
            area_mm2=self._doubled_area / 2,
            volume_mm3=self._six_volumes / 6,
            closed=usable and self._chain == 0,
            degenerate_facets=self._degenerate,
            flat_facets=self._flat,
            bad_facets=self._bad,
            first_bad_facet=self._first_bad,
            far_facets=self._far,
            first_far_facet=self._first_far,
        )


def _cross(
    a: NDArray[np.float64], b: NDArray[np.float64], out: NDArray[np.float64], spare: NDArray[np.float64]
) -> None:
    """Put a x b into `out`; all are (3, n), `spare` is (n,)."""
    for axis in range(3):
        following, last = (axis + 1) % 3, (axis + 2) % 3
        np.multiply(a[following], b[last], out=out[axis])
        np.multiply(a[last], b[following], out=spare)
        out[axis] -= spare


@frozen
class MeshFindings:
    """What was found in a readable mesh.

    `holes` is None for a mesh that is closed exactly. `shared_edges` have four or more facets and
    `repeated_facets` the corners of another one; None where not counted, like `shells`. `remarks` are the
    reader's, and `header` is its first line or bytes. `oriented_mm`: see `MeshReport`.
    """

    measures: Measures
    holes: OpenEdgeSummary | None = None
    shared_edges: int | None = None
    repeated_facets: int | None = None
    remarks: tuple[MeshWarning, ...] = ()
    shells: Shells | None = None
    header: bytes = b""
    oriented_mm: tuple[float, float, float] | None = None

    @property
    def open_edges(self) -> int:
        """Return how many edges have an odd number of facets; 0 if closing its cracks closes the mesh."""
        return 0 if self.holes is None or self.holes.is_closed_without_cracks else self.holes.count.open_edges

    @property
    def flipped_edges(self) -> int:
        """Return the number of edges at which facets run the wrong way round."""
        if self.holes is None:
            return 0
        return self.holes.count.flipped_edges + (self.holes.cracks.flipped_edges if self.holes.cracks else 0)

    @property
    def volume_cm3(self) -> float | None:
        """Return the volume, also of a mesh inside out; None where facets are missing, turned or doubled."""
        if self.open_edges or self.flipped_edges or (self.holes and self.holes.count.has_repeated_facets):
            return None
        return (self.shells.volume_mm3 if self.shells else abs(self.measures.volume_mm3)) / 1000

    @property
    def inside_out(self) -> bool:
        """True if the mesh encloses a volume and faces inwards."""
        faces_in = self.shells.is_inside_out if self.shells else self.measures.volume_mm3 < 0
        return faces_in and bool(self.volume_cm3)

    @property
    def decimals(self) -> int:
        """Return the decimals that tell places in this mesh apart."""
        return display_decimals(math.hypot(*self.measures.size_mm))

    @property
    def unit(self) -> UnitDoubt:
        """Return the doubt about the unit; nothing is said of a damaged mesh."""
        if self.measures.bad_facets:
            return UnitDoubt()
        return doubt_unit(self.measures.size_mm, self._volume_mm3, self.measures.area_mm2, self.header)

    @property
    def wall_mm(self) -> float | None:
        """Return the mean thickness of the walls; None where the volume is not known."""
        return mean_wall_mm(self._volume_mm3, self.measures.area_mm2)

    @property
    def _volume_mm3(self) -> float | None:
        return None if self.volume_cm3 is None else self.volume_cm3 * 1000
