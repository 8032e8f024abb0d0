"""What a mesh may have and still be accepted."""

from dataclasses import dataclass
from difflib import get_close_matches

from workflow.errors import SettingsError
from workflow.mesh.oddities import Oddity


@dataclass(frozen=True, slots=True)
class MeshPolicy:
    """The few choices that a shop may make about meshes.

    `open_edges_limit`: a mesh with more open edges is rejected, with fewer it is accepted with a warning.
    `refused`: oddities that reject the mesh instead of being warned of.
    `max_bytes`: a larger file is rejected unread.
    `overlap_limit_facets`: edges that more than two facets share are counted up to this many facets;
    the count takes 12 bytes of memory per facet.
    `shell_limit_facets`: shells are counted up to this many facets, at 100 bytes each.
    """

    open_edges_limit: int = 0
    refused: frozenset[Oddity] = frozenset()
    max_bytes: int = 4 * 2**30
    overlap_limit_facets: int = 1_000_000
    shell_limit_facets: int = 200_000


def named_oddities(names: str) -> frozenset[Oddity]:
    """Read names with commas between them. Raises SettingsError for a name that no oddity has."""
    return frozenset(_named(name.strip()) for name in names.split(",") if name.strip())


def _named(name: str) -> Oddity:
    try:
        return Oddity(name)
    except ValueError:
        near = get_close_matches(name, list(Oddity), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(Oddity)}."
        raise SettingsError(f"Setting refuse_meshes_with: no mesh has {name!r}: {hint}") from None
