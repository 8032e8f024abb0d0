"""Do trimesh, admesh and PrusaSlicer find the same? A table, and a reason for every disagreement.

    python -m tests.bench.agree_mesh [--facets 10000 100000 1000000 5000000] [--seconds 120] [FOLDER…]

Meshes of each size are made, closed and damaged in every way; the STL files below the folders are added
(`tests.bench.real_files` fetches some). The plainest count of all edges is a contender, too, and the judge of
reasons. Who takes longer than `--seconds` for a file is stopped. At the end it is told what was accepted and
rejected in each folder. Exit code 1 if a disagreement has no explanation, 2 if nobody is there to compare.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.edge_count import Edges, corners_in, count_edges
from tests.bench.rivals import Ask, Opinion, rivals
from tests.bench.verdicts import Verdicts
from tests.mesh.solids import Corners, ascii_text, binary, box, merged, shifted, torus
from workflow.mesh.inspection import inspect_mesh
from workflow.model import MeshReport

MOST_FACETS_AS_TEXT = 1_000_000
MOST_FACETS_IN_EVERY_WAY = 200_000
"""Of larger ones only a few are made: trimesh takes 0.7 GB per million facets, admesh minutes for bodies."""
CLOSE = {
    "plain count": (1e-6, 0.0),
    "trimesh": (1e-5, 0.0),
    "admesh": (5e-3, 2e-6),
    "PrusaSlicer": (5e-3, 2e-6),
}
"""Differences that are rounding, relative and in mm or mm³: trimesh reads text as float64; the programs add
up in float32 and print six digits after the dot.
"""
RIVALS = CLOSE.keys() - {"plain count"}


def counted(file: Path, gap_mm: float | None) -> Edges | None:
    """Count the edges of a file; None if numpy-stl does not load it."""
    try:
        return count_edges(corners_in(file), gap_mm or 0.0)
    except Exception:  # noqa: BLE001  # whatever it raises on a file it can't read
        return None


def made_meshes(facets: int) -> Iterator[tuple[str, bytes]]:
    """Return files of about this many facets: closed ones, and one of each kind of damage."""
    random = np.random.default_rng(facets)
    around = math.isqrt(facets)
    ring = torus(around, max(3, facets // (2 * around)))
    ring = ring.reshape(2, -1, 3, 3).swapaxes(0, 1).reshape(-1, 3, 3)  # admesh needs neighbors to be near
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


Explanation = tuple[Callable[[MeshReport, Edges], object], str]

WHY_NOT_WATERTIGHT_THERE: tuple[Explanation, ...] = (
    (
        lambda _, edges: edges.odd and not edges.odd_when_merged and edges.shared,
        "closes within a tolerance, and has edges with more than two facets",
    ),
    (
        lambda _, edges: edges.odd and not edges.odd_when_merged,
        "closes within a tolerance that is not tried there",
    ),
    (
        lambda _, edges: edges.odd and not edges.odd_when_single,
        "facets lie on one another: counted once by ours",
    ),
    (
        lambda _, edges: edges.odd and not edges.odd_when_split,
        "edges run past corners of others (T-junctions): closed by ours as cracks",
    ),
    (
        lambda _, edges: not edges.odd and edges.shared,
        "edges with four facets or more: closed, but not `each edge twice`",
    ),
    (lambda _, edges: not edges.odd and edges.turned, "facets turned: no hole, ours warns of it"),
    (
        lambda _, edges: not edges.odd and edges.equal_corners,
        "facets with two equal corners count as open there",
    ),
    (
        lambda _, edges: not edges.odd and edges.near_corners,
        "corners within 1e-8 of one another are merged there, which folds facets of so small a mesh",
    ),
)
WHY_WATERTIGHT_THERE: tuple[Explanation, ...] = (
    (
        lambda ours, edges: edges.odd and ours.triangles,
        "edges with an odd number of facets: merged, filled or dropped there",
    ),
)
WHY_ANOTHER_VOLUME: tuple[Explanation, ...] = (
    (lambda ours, _: ours.turned_shells, "a body is inside out: subtracted there, added by ours"),
    (lambda ours, _: ours.closes_at_mm, "measured with the gaps as they are"),
    (lambda _, edges: edges.equal_corners or edges.shared, "facets are dropped or turned there"),
    (lambda ours, _: max(ours.size_mm) < 3, "so small that the digits printed there do not tell"),
)


def differences(ours: MeshReport, theirs: Opinion, who: str) -> Iterator[tuple[str, tuple[Explanation, ...]]]:
    """Return what differs, and what may explain it."""
    if ours.watertight and not theirs.watertight:
        yield "watertight", WHY_NOT_WATERTIGHT_THERE
    if theirs.watertight and not ours.watertight:
        yield "watertight", WHY_WATERTIGHT_THERE
    if not all(map(_is_near, ours.size_mm, theirs.size_mm, [who] * 3)) and ours.triangles:
        yield "size", ()
    volumes = both_volumes(ours, theirs)
    if volumes and not _is_near(*volumes, who):
        yield "volume", WHY_ANOTHER_VOLUME


def both_volumes(ours: MeshReport, theirs: Opinion) -> tuple[float, float] | None:
    """Return both volumes in mm³ where both have one that means something."""
    if ours.volume_cm3 is None or theirs.volume_mm3 is None or not theirs.watertight:
        return None
    return ours.volume_cm3 * 1000, abs(theirs.volume_mm3)


def _is_near(ours: float, theirs: float, who: str) -> bool:
    relative, absolute = CLOSE[who]
    return math.isclose(ours, theirs, rel_tol=relative, abs_tol=absolute)


def reason_of(
    known: tuple[Explanation, ...], ours: MeshReport, edges: Edges | None, theirs: Opinion
) -> str | None:
    """Return the first reason that holds by the plain count, or None."""
    if theirs.watertight and not ours.triangles:
        return f"ours reads no mesh in it: {ours.reason}"
    return next((words for fits, words in known if fits(ours, edges)), None) if edges else None


@dataclass
class Table:
    """Who agreed on what, and why not."""

    agreed: Counter[tuple[str, str]] = field(default_factory=Counter)
    compared: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0

    def compare(self, name: str, file: Path, ask: dict[str, Ask]) -> MeshReport:
        """Ask everybody about one file, and print what differs; gives our report."""
        ours = inspect_mesh(file, name)
        edges: Edges | None = None
        for who, opinion in ((who, asked(file)) for who, asked in ask.items()):
            if isinstance(opinion, str):
                self._refused(f"{who} {opinion}", ours)
                continue
            differing = dict(differences(ours, opinion, who))
            for what in ("watertight", "size", "volume")[: 3 if both_volumes(ours, opinion) else 2]:
                self.compared[who, what] += 1
                self.agreed[who, what] += what not in differing
            if differing:
                edges = edges or counted(file, ours.closes_at_mm)  # slow: only if need be
            for what, known in differing.items():
                self._explain(f"{what} by {who}", ours, opinion, edges, known)
        return ours

    def _refused(self, words: str, ours: MeshReport) -> None:
        self.reasons[f"{words}: ours says {ours.reason or 'accept'}"[:110]] += 1
        if ours.reason is None:
            print(f"  {ours.path}: {words}, ours accepts it {' '.join(ours.warnings)}", flush=True)

    def _explain(
        self,
        what: str,
        ours: MeshReport,
        theirs: Opinion,
        edges: Edges | None,
        known: tuple[Explanation, ...],
    ) -> None:
        why = reason_of(known, ours, edges, theirs)
        self.unexplained += why is None
        self.reasons[f"{what}: {why or 'UNEXPLAINED'}"[:130]] += 1
        seen = (
            f"ours {ours.watertight} {ours.volume_cm3} cm³, there {theirs.watertight} {theirs.volume_mm3} mm³"
        )
        print(f"  {ours.path}: {what}: {why or f'UNEXPLAINED, {edges}'} ({seen})", flush=True)

    def print(self) -> None:
        """Print who agreed on what, then all reasons."""
        print("\n| compared with | watertight | size | volume |\n|---|---|---|---|")
        for who in dict.fromkeys(who for who, _ in self.compared):
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
    parser.add_argument("--seconds", type=float, default=120, help="that anybody gets for one file")
    options = parser.parse_args()
    ask = dict(rivals(options.seconds))
    for missing in sorted(RIVALS - ask.keys()):
        print(f"SKIPPED: {missing} is not installed; nothing is compared with it.", file=sys.stderr)
    if not RIVALS & ask.keys():
        return 2
    table, verdicts = Table(), Verdicts()
    for facets in options.facets:
        for name, content in made_meshes(facets):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "made.stl"
                file.write_bytes(content)
                table.compare(f"{name}, {facets:,} facets", file, ask)
                print(f"{name}, {facets:,} facets: compared", flush=True)
    for folder in options.folders:
        for file in sorted(each for each in folder.rglob("*") if each.suffix.lower() == ".stl"):
            verdicts.add(folder.name, table.compare(str(file.relative_to(folder)), file, ask))
    table.print()
    verdicts.print()
    return 1 if table.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
