"""What was found in a readable mesh, and what follows from it without any judgment."""

from dataclasses import dataclass

from workflow.mesh.components import Shells
from workflow.mesh.measures import Measures
from workflow.mesh.open_edges import OpenEdgeSummary
from workflow.mesh.units import UnitDoubt, doubt_unit, mean_wall_mm
from workflow.mesh.warnings import MeshWarning


@dataclass(frozen=True, slots=True)
class MeshFindings:
    """What was found in a readable mesh.

    `holes` is None for a mesh that is closed exactly. `shared_edges` have four or more facets and
    `repeated_facets` the corners of another one; None where not counted, like `shells`. `remarks` are the
    reader's, and `header` is its first line or bytes.
    """

    measures: Measures
    holes: OpenEdgeSummary | None = None
    shared_edges: int | None = None
    repeated_facets: int | None = None
    remarks: tuple[MeshWarning, ...] = ()
    shells: Shells | None = None
    header: bytes = b""

    @property
    def open_edges(self) -> int:
        """Edges of the mesh with an odd number of facets; 0 if closing its cracks closes the mesh."""
        return 0 if self.holes is None or self.holes.is_closed_without_cracks else self.holes.open_edges

    @property
    def flipped_edges(self) -> int:
        """Edges at which facets run the wrong way round."""
        if self.holes is None:
            return 0
        return self.holes.flipped_edges + (self.holes.cracks.flipped_edges if self.holes.cracks else 0)

    @property
    def volume_cm3(self) -> float | None:
        """The volume, also of a mesh that is inside out; None where facets are missing, turned or doubled."""
        if self.open_edges or self.flipped_edges or (self.holes and self.holes.has_repeated_facets):
            return None
        return (self.shells.volume_mm3 if self.shells else abs(self.measures.volume_mm3)) / 1000

    @property
    def inside_out(self) -> bool:
        """True if the mesh encloses a volume and faces inwards."""
        faces_in = self.shells.is_inside_out if self.shells else self.measures.volume_mm3 < 0
        return faces_in and bool(self.volume_cm3)

    @property
    def unit(self) -> UnitDoubt:
        """Return the doubt about the unit; nothing is said of a damaged mesh."""
        if self.measures.bad_facets:
            return UnitDoubt()
        return doubt_unit(self.measures.size_mm, self._volume_mm3, self.measures.area_mm2, self.header)

    @property
    def unit_sentence(self) -> str:
        """Return the doubt about the unit in words, or ""."""
        wall_mm = mean_wall_mm(self._volume_mm3, self.measures.area_mm2)
        return self.unit.sentence(self.measures.size_mm, wall_mm)

    @property
    def _volume_mm3(self) -> float | None:
        return None if self.volume_cm3 is None else self.volume_cm3 * 1000
