"""Do trimesh and admesh find the same? A table of agreement, and a reason for every disagreement.

    python -m tests.bench.agree_mesh [--facets 10000 100000 1000000 5000000] [FOLDER…]

Meshes of each size are made, closed and damaged in every way; the STL files below the folders are added.
Exit code 1 if a disagreement has no explanation, 2 if there is nobody to compare with.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.rivals import Ask, Opinion, rivals
from tests.mesh.solids import Corners, ascii_text, binary, box, merged, shifted, torus
from workflow.mesh.inspection import inspect_mesh
from workflow.model import MeshReport

MOST_FACETS_AS_TEXT = 1_000_000
MOST_FACETS_IN_EVERY_WAY = 200_000
"""Of larger ones only a few are made: trimesh takes 2 GB per million facets, admesh minutes for many bodies.
"""
CLOSE = {"trimesh": 1e-5, "admesh": 5e-3}
"""Relative difference that is rounding: trimesh reads text as float64, admesh adds up in float32."""
LEAST = 2e-6
"""Absolute difference that is rounding: admesh prints six digits after the dot."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What the plainest count says: edges with an odd number of facets, and with any number but two."""

    odd: int
    not_two: int
    near_corners: int
    """Corners that have another one within 1e-8, whatever the unit: trimesh makes them one."""


def count_edges(file: Path) -> Edges | None:
    """Sort all edges by their very coordinates; None for text and what numpy-stl does not load."""
    from stl import Mesh

    try:
        corners = np.asarray(Mesh.from_file(str(file), calculate_normals=False).vectors) + np.float32(0)
    except Exception:  # noqa: BLE001  # whatever it raises on a file it can't read
        return None
    points, ids = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    a, b, c = ids.reshape(-1, 3).T
    tail, head = np.concatenate((a, b, c)), np.concatenate((b, c, a))
    tail, head = tail[tail != head], head[tail != head]
    pairs = np.stack((np.minimum(tail, head), np.maximum(tail, head)), axis=1)
    _, counts = np.unique(pairs, axis=0, return_counts=True)
    merged_points = np.unique(np.round(points.astype(np.float64), 8), axis=0)
    return Edges(int((counts % 2).sum()), int((counts != 2).sum()), len(points) - len(merged_points))


def made_meshes(facets: int) -> Iterator[tuple[str, bytes]]:
    """Give files of about this many facets: closed ones, and one of each kind of damage."""
    random = np.random.default_rng(facets)
    around = math.isqrt(facets)
    ring = torus(around, max(3, facets // (2 * around)))
    yield "ring", binary(ring)
    yield "ring with a hole", binary(ring[1:])
    yield "ring inside out", binary(ring[:, ::-1])
    if facets <= MOST_FACETS_AS_TEXT:
        yield "ring as text", ascii_text(ring)
    if facets > MOST_FACETS_IN_EVERY_WAY:
        return
    yield "ring in random order", binary(ring[random.permutation(len(ring))])
    yield "ring with many holes", binary(ring[random.random(len(ring)) > 0.01])
    yield "one facet turned", binary(np.concatenate((ring[:1, ::-1], ring[1:])))
    yield "one facet twice", binary(merged(ring, ring[:1]))
    yield "two equal corners", binary(merged(ring, ring[:1][:, [0, 0, 1]]))
    noise = random.uniform(-1e-5, 1e-5, (facets // 10 if facets > 100_000 else len(ring), 3, 3))
    noisy = ring.copy()
    noisy[: len(noise)] += noise.astype(np.float32)
    yield "noise on the corners", binary(noisy)
    places = np.arange(facets // 12, dtype=np.float32)[:, None, None, None]
    cubes = (box()[None] + places % 100 * 30 * [1, 0, 0] + places // 100 * 30 * [0, 1, 0]).astype(np.float32)
    yield "separate cubes", binary(cubes.reshape(-1, 3, 3))
    yield "cubes that touch along edges", binary(_staircase(facets // 12))
    yield "ring within a ring", binary(merged(ring, torus(around, 9, tube_mm=5)[:, ::-1]))
    yield "one of two bodies inside out", binary(merged(ring, shifted(box(), 60, 0, 0)[:, ::-1]))


def _staircase(cubes: int) -> Corners:
    steps = np.arange(min(cubes, 1000), dtype=np.float32)[:, None, None, None]
    return np.asarray(box()[None] + steps * 20 * np.array([1, 1, 0]), np.float32).reshape(-1, 3, 3)


Explanation = tuple[Callable[[MeshReport, Opinion, Edges | None], object], str]

WHY_NOT_WATERTIGHT_THERE: tuple[Explanation, ...] = (
    (lambda ours, _, __: ours.closes_at_mm, "closes within a tolerance that only ours tries"),
    (
        lambda ours, _, __: "repeated_facets" in ours.oddities,
        "facets lie on one another: each edge there has four",
    ),
    (
        lambda _, __, edges: edges and edges.odd == 0 and edges.not_two,
        "edges with four facets or more: closed, but not `each edge twice`",
    ),
    (lambda ours, _, __: ours.flipped_edges, "facets turned: no hole, ours warns of it"),
    (lambda ours, _, __: ours.degenerate_facets, "facets with two equal corners count as open there"),
    (
        lambda _, __, edges: edges and edges.near_corners,
        "corners within 1e-8 of one another are merged there, which folds facets of so small a mesh",
    ),
)
WHY_WATERTIGHT_THERE: tuple[Explanation, ...] = (
    (lambda ours, _, __: ours.format is None or not ours.triangles, "ours reads no mesh in it"),
    (
        lambda _, __, edges: edges and edges.odd,
        "edges with one facet by their exact coordinates: merged there",
    ),
)
WHY_ANOTHER_VOLUME: tuple[Explanation, ...] = (
    (lambda ours, _, __: ours.turned_shells, "a body is inside out: subtracted there, added by ours"),
    (lambda ours, _, __: ours.closes_at_mm, "measured with the gaps as they are"),
    (
        lambda ours, _, __: ours.degenerate_facets or "repeated_facets" in ours.oddities,
        "facets are dropped there",
    ),
    (lambda ours, _, __: ours.shared_edges, "facets at edges with four are dropped or turned there"),
    (lambda ours, _, __: max(ours.size_mm) < 3, "so small that the digits printed there do not tell"),
)


def differences(ours: MeshReport, theirs: Opinion, who: str) -> Iterator[tuple[str, tuple[Explanation, ...]]]:
    """Give what differs, and what may explain it."""
    if ours.watertight and not theirs.watertight:
        yield "watertight", WHY_NOT_WATERTIGHT_THERE
    if theirs.watertight and not ours.watertight:
        yield "watertight", WHY_WATERTIGHT_THERE
    if not all(map(_is_near, ours.size_mm, theirs.size_mm, [CLOSE[who]] * 3)) and ours.triangles:
        yield "size", ()
    volumes = both_volumes(ours, theirs)
    if volumes and not _is_near(*volumes, CLOSE[who]):
        yield "volume", WHY_ANOTHER_VOLUME


def both_volumes(ours: MeshReport, theirs: Opinion) -> tuple[float, float] | None:
    """Give both volumes in mm³ where both have one that means something."""
    if ours.volume_cm3 is None or theirs.volume_mm3 is None or not theirs.watertight:
        return None
    return ours.volume_cm3 * 1000, abs(theirs.volume_mm3)


def _is_near(ours: float, theirs: float, relative: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=relative, abs_tol=LEAST)


def _first(
    known: tuple[Explanation, ...], ours: MeshReport, theirs: Opinion, edges: Edges | None
) -> str | None:
    return next((words for fits, words in known if fits(ours, theirs, edges)), None)


@dataclass
class Table:
    """Who agreed on what, and why not."""

    agreed: Counter[tuple[str, str]]
    compared: Counter[tuple[str, str]]
    reasons: Counter[str]
    unexplained: int = 0

    def compare(self, name: str, file: Path, ask: dict[str, Ask]) -> None:
        """Ask everybody about one file, and print what differs."""
        ours = inspect_mesh(file, name)
        for who, opinion in ((who, asked(file)) for who, asked in ask.items()):
            if isinstance(opinion, str):
                self.reasons[f"{who} {opinion}: ours says {ours.reason or 'accept'}"[:110]] += 1
                continue
            differing = dict(differences(ours, opinion, who))
            for what in ("watertight", "size", "volume")[: 3 if both_volumes(ours, opinion) else 2]:
                self.compared[who, what] += 1
                self.agreed[who, what] += what not in differing
            for what, explanations in differing.items():
                self._explain(f"{name}: {what} by {who}", ours, opinion, file, explanations)

    def _explain(
        self, where: str, ours: MeshReport, theirs: Opinion, file: Path, known: tuple[Explanation, ...]
    ) -> None:
        why = _first(known, ours, theirs, None)  # the count of edges is slow: only if need be
        edges = None if why else count_edges(file)
        why = why or _first(known, ours, theirs, edges)
        self.unexplained += why is None
        self.reasons[f"{where.rpartition(': ')[2]}: {why or 'UNEXPLAINED'}"] += 1
        seen = (
            f"ours {ours.watertight} {ours.volume_cm3} cm³, there {theirs.watertight} {theirs.volume_mm3} mm³"
        )
        print(f"  {where}: {why or f'UNEXPLAINED, {edges}'} ({seen})", flush=True)

    def print(self) -> None:
        """Print who agreed on what, then all reasons."""
        print("\n| compared with | watertight | size | volume |\n|---|---|---|---|")
        for who in sorted({who for who, _ in self.compared}):
            cells = (
                f"{self.agreed[who, what]:,} of {self.compared[who, what]:,}"
                for what in ("watertight", "size", "volume")
            )
            print(f"| {who} | {' | '.join(cells)} |")
        print("\n| why not | files |\n|---|---|")
        for reason, count in self.reasons.most_common():
            print(f"| {reason} | {count:,} |")


def main() -> int:
    """Compare on all meshes; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--facets", type=int, nargs="*", default=[10_000, 100_000])
    options = parser.parse_args()
    ask = dict(rivals())
    for missing in {"trimesh", "admesh"} - ask.keys():
        print(f"SKIPPED: {missing} is not installed; nothing is compared with it.", file=sys.stderr)
    if not ask:
        return 2
    table = Table(Counter(), Counter(), Counter())
    for facets in options.facets:
        for name, content in made_meshes(facets):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "made.stl"
                file.write_bytes(content)
                table.compare(f"{name}, {facets:,} facets", file, ask)
                print(f"{name}, {facets:,} facets: compared", flush=True)
    for folder in options.folders:
        for file in sorted(each for each in folder.rglob("*") if each.suffix.lower() == ".stl"):
            table.compare(str(file.relative_to(folder)), file, ask)
    table.print()
    return 1 if table.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
