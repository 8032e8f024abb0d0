"""What was measured in one STL file. Lengths are mm, volumes cm³, areas cm²."""

from workflow.frozen import frozen

MM_PER_INCH = 25.4
_SMALL_PART_MM = 21.0
"""Parts shorter than this may be in inches: hardly any part of a shop is longer than 21 inches."""


@frozen
class MeshReport:
    """What was measured in an STL file, and the defects found. Units: mm, cm³, cm².

    `verdict` is "accept", "hold" or "reject"; `reason` says why in shop words, with numbers and a next step,
    and is None when accepted. `warnings` tell what a slicer copes with. `volume_cm3` is None unless the
    mesh is closed and faces one way. Where a file can't be read as STL at all, `format` is None and the
    counts are 0. `sha256` is of the bytes inspected.
    """

    path: str
    verdict: str
    reason: str | None
    warnings: tuple[str, ...]
    format: str | None
    triangles: int
    size_mm: tuple[float, float, float]
    volume_cm3: float | None
    area_cm2: float
    watertight: bool
    open_edges: int
    seconds: float
    sha256: str
    solids: int = 0
    closes_at_mm: float | None = None
    """The widest gap that had to be closed to call the mesh closed; None if it needed none."""
    open_places: tuple[str, ...] = ()
    """Where the largest holes are, in words."""
    flipped_edges: int = 0
    """Edges at which facets face different ways."""
    shared_edges: int | None = None
    """Edges with four or more facets, such as where bodies touch; None where not counted."""
    repeated_facets: int | None = None
    """Facets with the same corners as another one; None where not counted."""
    degenerate_facets: int = 0
    """Facets with two equal corners."""
    has_colour: bool = False
    """Colors or other attribute bytes, which printing ignores."""
    defects: tuple[str, ...] = ()
    """Every reason not to print the part; the first is the `reason`."""
    oddities: tuple[str, ...] = ()
    """The names of the warnings, in their order: see `mesh.warnings`."""
    flat_facets: int = 0
    """Facets without area, degenerate ones among them."""
    inside_out: bool = False
    """True if all facets face inwards; the volume is given all the same."""
    unit_guess: str = "mm"
    """What the coordinates seem to be in: "mm", "inch", "metre", "inch or metre", "micrometre", "unclear"."""
    unit_doubt: str = ""
    unit_sizes: tuple[str, ...] = ()
    """Why the coordinates may not be mm, and the size in other units: see `mesh.warnings`."""
    shells: int | None = None
    """Bodies that share no corner with another, cavities too; None where not counted."""
    cavities: int | None = None
    """Shells that face inwards in the material of another one; None where not counted."""
    turned_shells: int | None = None
    """Shells that face inwards and are no cavity; None where not counted."""
    bodies: int | None = None
    """Shells that are no cavity and have a volume; None where not counted."""
    oriented_mm: tuple[float, float, float] | None = None
    """The smallest box of a part that was drawn at an angle, longest side first; None where `size_mm` is as
    small, or fits every printer."""

    @property
    def size_if_inches_mm(self) -> tuple[float, float, float] | None:
        """Return the size of a small part in mm if its numbers were meant in inches, otherwise None."""
        if not 0 < max(self.size_mm) < _SMALL_PART_MM:
            return None
        x, y, z = self.size_mm
        return x * MM_PER_INCH, y * MM_PER_INCH, z * MM_PER_INCH


def unmeasured_report(path: str, reason: str, format: str | None = None) -> MeshReport:
    """Return the report on a file that can't be measured, and why."""
    return MeshReport(
        path=path,
        verdict="reject",
        reason=reason,
        warnings=(),
        format=format,
        triangles=0,
        size_mm=(0.0, 0.0, 0.0),
        volume_cm3=None,
        area_cm2=0.0,
        watertight=False,
        open_edges=0,
        seconds=0.0,
        sha256="",
        defects=(reason,),
    )
