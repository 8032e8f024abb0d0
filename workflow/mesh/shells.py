"""Bodies and what is odd about them: cavities, bodies inside out, crumbs, walls without thickness.

This takes about 100 bytes for each facet, so it is done up to a limit.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workflow.frozen import frozen
from workflow.mesh.components import (
    Doubles,
    Numbers,
    ShellExtents,
    SmallShell,
    facet_middles,
    label_shells,
    measure_shells,
    meet_upright_lines,
    number_shells,
    points_on_shells,
    renumber,
    shell_volumes,
    with_shells,
)
from workflow.mesh.format import Block, Hashes
from workflow.mesh.watertight import CornerHashes, find_matches

MAX_SHELL_PAIRS = 10_000_000
"""Beyond this many pairs of an inward and an outward shell it is not looked which lies in which."""
MAX_LINE_TESTS = 20_000_000
"""Beyond this many pairs of a line and a facet, boxes have to do in place of winding numbers."""
LONGEST_CRUMB_MM = 1.0
_CRUMB_SHARE = 1e-5
"""A body with less of the volume of the mesh, and no longer than LONGEST_CRUMB_MM, is a crumb."""
_FLAT_SHARE = 1e-5
"""A shell has no thickness if twice its volume by its area is less than this share of its longest side."""
_JUST = 1e-6
"""Surfaces nearer than this share of a shell's extent are the same height."""
_BESIDE = 1e-3
"""How far beside a wall its winding number is taken, as a share of the wall's extent."""


@frozen
class Shells:
    """How many there are.

    The rest holds for a closed mesh: `volume_mm3` of all bodies without their cavities; `is_inside_out`
    when the largest faces inwards. `cavities` are shells that face the other way in the material of another,
    `turned` those that do so elsewhere; None where there are too many to compare. `flat` shells have no
    volume: `walls` tells of them. `crumbs` are bodies that are hardly visible.
    """

    count: int
    is_inside_out: bool = False
    volume_mm3: float = 0.0
    cavities: int | None = 0
    turned: int | None = 0
    flat: int = 0
    walls: SmallShell | None = None
    crumbs: SmallShell | None = None

    @property
    def bodies(self) -> int | None:
        """Return the number of shells that are neither cavities nor flat; None if cavities aren't counted."""
        return None if self.cavities is None else self.count - self.cavities - self.flat


def find_shells(
    corners: CornerHashes, facets: int, volume_mm3: float, *, may_have_walls: bool = False
) -> Shells:
    """Return the shells of a closed mesh with this number of facets and this volume.

    `may_have_walls` also looks for facets back to back, which only a mesh with repeated facets has.
    """
    shell = number_shells(corners, facets)
    count = int(shell.max()) + 1
    no_walls = np.zeros(facets, np.bool_)
    walls = _opposite_facets(corners.all_hashes(facets)) if may_have_walls else no_walls
    if count == 1:
        found = Shells(1, volume_mm3 < 0, abs(volume_mm3))
        return _add_walls(found, corners, walls)
    volumes = shell_volumes(corners.blocks(), shell, count)
    is_inside_out = -float(volumes.min()) > float(volumes.max())  # the largest shell is no cavity
    facing = -1 if is_inside_out else 1
    total = float(np.abs(volumes).sum())
    found = Shells(count, is_inside_out, total)
    faces_in, is_small = volumes * facing < 0, np.abs(volumes) < _CRUMB_SHARE * total
    if not (faces_in | is_small).any():
        return _add_walls(found, corners, walls)
    extents = measure_shells(corners.blocks(), shell, count)
    is_flat = 2 * np.abs(volumes) <= _FLAT_SHARE * extents.longest * extents.area
    is_crumb = is_small & ~is_flat & (extents.longest <= LONGEST_CRUMB_MM)
    found = replace(found, flat=int(np.count_nonzero(is_flat)), crumbs=extents.describe(is_crumb))
    found = _add_walls(found, corners, walls | is_flat[shell])
    faces_in &= ~is_flat
    is_cavity = _find_cavities(corners.blocks, shell, faces_in, extents, facing)
    if is_cavity is None:
        return replace(found, volume_mm3=abs(volume_mm3), cavities=None, turned=None)
    cavities = int(np.count_nonzero(is_cavity))
    hollow = float(np.abs(volumes[is_cavity]).sum())
    turned = int(np.count_nonzero(faces_in)) - cavities
    return replace(found, volume_mm3=total - 2 * hollow, cavities=cavities, turned=turned)


def _find_cavities(
    blocks: Callable[[], Iterable[Block]],
    shell: Numbers,
    inner: NDArray[np.bool_],
    extents: ShellExtents,
    facing: int,
) -> NDArray[np.bool_] | None:
    """Return which inner shells lie in the material of others; None if they are too many."""
    is_cavity = _find_enclosed_shells(inner, extents)
    if is_cavity is None or not is_cavity.any():
        return is_cavity
    enclosed = np.flatnonzero(is_cavity)
    if enclosed.size * shell.size > MAX_LINE_TESTS:
        return is_cavity
    points = points_on_shells(with_shells(blocks(), shell), inner.size, enclosed)
    hits = meet_upright_lines(with_shells(blocks(), shell), points)
    for number, each in enumerate(enclosed):
        on_line = hits.line == number
        heights, is_own = hits.height[on_line], hits.shell[on_line] == each
        is_cavity[each] = False
        if is_own.any():  # a point just inside the shell, before any other: bodies may lie within
            bottom = heights[is_own].min()
            is_above = heights > bottom + _JUST * extents.longest[each]
            inside = (bottom + heights[is_above].min(initial=np.inf)) / 2
            winding = hits.direction[on_line][~is_own & (heights > inside)].sum()
            is_cavity[each] = facing * int(winding) > 0
    return is_cavity


def _find_enclosed_shells(inner: NDArray[np.bool_], extents: ShellExtents) -> NDArray[np.bool_] | None:
    """Return which inner shells have the box of another one around theirs; None if they are too many."""
    outside, inside = np.flatnonzero(~inner), np.flatnonzero(inner)
    if outside.size * inside.size > MAX_SHELL_PAIRS:
        return None
    lies_within = np.zeros(inner.size, np.bool_)
    if inside.size <= outside.size:  # a loop over the fewer: of a million shells one may face inwards
        for each in inside:
            lies_within[each] = _lies_in(extents, each, outside).any()
    else:
        for around in outside:
            lies_within[inside] |= _lies_in(extents, inside, around)
    return lies_within


def _lies_in(extents: ShellExtents, each: Numbers | np.intp, around: Numbers | np.intp) -> NDArray[np.bool_]:
    """Return whether the boxes of shells lie within those of others; one of both may be a single shell."""
    low, high = extents.low.T, extents.high.T
    in_axes = (low[each] >= low[around]) & (high[each] <= high[around])
    is_within: NDArray[np.bool_] = np.logical_and.reduce(in_axes, axis=-1)
    return is_within


def _add_walls(found: Shells, corners: CornerHashes, is_wall: NDArray[np.bool_]) -> Shells:
    """Add the walls without thickness that have air on both sides, of the facets that make such walls.

    Where two bodies touch, or within a body, there is material on both sides: nothing is missing in print.
    Of very many walls, only the largest are looked at.
    """
    chosen, facets = np.flatnonzero(is_wall), is_wall.size
    if not chosen.size:
        return found
    wall = renumber(label_shells(np.ascontiguousarray(corners.all_hashes(facets)[:, chosen])))
    count = int(wall.max()) + 1
    facet = _gather_facets(corners.blocks(), chosen)
    extents = measure_shells([facet], wall, count)
    points, normals = facet_middles(facet)
    area = np.linalg.norm(normals, axis=0)
    ranked = np.lexsort((area, wall))
    middle = ranked[np.flatnonzero(np.diff(wall[ranked], append=-1))]  # the largest facet of each wall
    away = normals[:, middle] / np.maximum(area[middle], np.finfo(np.float64).tiny)
    beside = points[:, middle] + away * extents.longest * _BESIDE
    tested = np.argsort(-extents.area)[: max(MAX_LINE_TESTS // facets, 1)]
    hits = meet_upright_lines(with_shells(corners.blocks(), np.zeros(facets, np.intp)), beside[:2, tested].T)
    is_above = hits.height > beside[2, tested][hits.line]
    winding = np.bincount(hits.line[is_above], hits.direction[is_above], tested.size)
    is_in_air = np.zeros(count, np.bool_)
    is_in_air[tested] = winding * (-1 if found.is_inside_out else 1) <= 0
    return replace(found, walls=extents.describe(is_in_air))


def _opposite_facets(hashes: Hashes) -> NDArray[np.bool_]:
    """Return which facets have the corners of another one, the other way round."""
    matches = find_matches(hashes[0] + hashes[1] + hashes[2])
    ascents = (hashes < np.roll(hashes, -1, axis=0)).sum(axis=0)  # 1 or 2 of 3, by the way round
    is_opposite = ascents[matches.copy] != ascents[matches.original]
    both = np.zeros(hashes.shape[1], np.bool_)
    both[matches.copy[is_opposite]] = both[matches.original[is_opposite]] = True
    return both


def _gather_facets(blocks: Iterable[Block], chosen: Numbers) -> Block:
    """Return the corners of chosen facets, which are in order, as one block."""
    found, done = [], 0
    for block in blocks:
        here = slice(*np.searchsorted(chosen, (done, done + block.shape[1])))
        found.append(block[:, chosen[here] - done])
        done += block.shape[1]
    return np.concatenate(found, axis=1)


@frozen
class OpenShells:
    """Shells with open edges of a mesh in which another one is closed: boxes, and which lie in material."""

    low: Doubles
    high: Doubles
    is_in_material: NDArray[np.bool_]


def find_open_shells(corners: CornerHashes, facets: int) -> OpenShells | None:
    """Return the open shells of a mesh; None if all or none are open. Of many, none is in the material."""
    hashes = corners.all_hashes(facets)
    shell = renumber(label_shells(hashes))
    sums = np.zeros(int(shell.max()) + 1, np.uint64)
    a, b, c = hashes
    np.add.at(sums, shell, (b - a) * (c - b) * (c - a))
    is_open = np.flatnonzero(sums)
    if not 0 < is_open.size < sums.size:
        return None
    extents = measure_shells(corners.blocks(), shell, sums.size)
    low, high = extents.low[:, is_open], extents.high[:, is_open]
    if is_open.size * facets > MAX_LINE_TESTS // 4:
        return OpenShells(low, high, np.zeros(is_open.size, np.bool_))
    points = points_on_shells(with_shells(corners.blocks(), shell), sums.size, is_open)
    hits = meet_upright_lines(with_shells(corners.blocks(), shell), points[:, :2])
    counts = (sums[hits.shell] == 0) & (hits.height > points[hits.line, 2])
    winding = np.bincount(hits.line[counts], hits.direction[counts], is_open.size)
    return OpenShells(low, high, winding > 0)
