"""Mesh inspection next to reading and hashing, numpy-stl, trimesh and admesh, in one run.

    python -m tests.bench.bench_mesh [--facets 10000 100000 1000000 5000000 20000000] [--rounds 5] [FOLDER]

Each contender runs in a process of its own, and they take turns, so that a busy machine slows all of them.
Seconds are medians of processor time without start-up (admesh: whole process), beside them the wall clock;
memory is the peak of the process. At the
end every goal that was measured is printed with its bound. trimesh and admesh are left out, loudly, where
they are missing.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.contenders import (
    ADMESH_SECONDS,
    CONTENDERS,
    Contender,
    admesh_hangs_on,
    missing_rivals,
    stl_files,
)

MOST_FACETS = {
    "numpy-stl, is_closed": 100_000, "numpy-stl, load": 5_000_000, "trimesh": 5_000_000, "admesh": 5_000_000
}  # fmt: skip
MOST_FACETS_WITH_A_HOLE = 1_000_000
MOST_FACETS_AS_TEXT = 1_000_000
MOST_FACETS_AT_ONCE = 5_000_000
SLOW_SECONDS = 5
"""Whoever takes longer for the first round runs one more, not all."""

Results = dict[tuple[str, int, str], tuple[float, float | None]]
"""Seconds and MB by kind of file, facets and contender."""


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as long `slow` takes as `fast` on one kind of file: at least or at most `bound`."""

    slow: str
    fast: str
    bound: float
    kind: str
    facets: int
    at_least: bool = True

    def ratio(self, results: Results) -> float | None:
        """Return what was measured, if it was."""
        slow, fast = (results.get((self.kind, self.facets, name)) for name in (self.slow, self.fast))
        return slow[0] / fast[0] if slow and fast else None


VERDICT, OURS, HASH = "ours, nothing counted or hashed", "ours", "read and hash"
GOALS = (
    Goal(OURS, HASH, 5, "binary", 100_000, at_least=False),
    Goal(OURS, HASH, 3.5, "binary", 1_000_000, at_least=False),
    Goal(VERDICT, HASH, 1.6, "binary", 1_000_000, at_least=False),
    Goal("ours, nothing counted", HASH, 2.8, "binary", 1_000_000, at_least=False),
    *(Goal("trimesh", VERDICT, bound, "binary", facets)
      for facets, bound in ((100_000, 15), (1_000_000, 40), (5_000_000, 45))),
    *(Goal("admesh", VERDICT, bound, "binary", facets)
      for facets, bound in ((100_000, 3), (1_000_000, 5), (5_000_000, 5))),
    Goal("numpy-stl, is_closed", VERDICT, 100, "binary", 100_000),
    Goal("trimesh", OURS, 4, "ASCII", 1_000_000),
    Goal(OURS, "numpy-stl, load", 1, "ASCII", 1_000_000, at_least=False),
    Goal("trimesh", OURS, 3.5, "a folder", 0),
    Goal("admesh", OURS, 2, "a folder", 0),
)  # fmt: skip
HOLE_BOUND = 6
MOST_MB = 64


def take_part(kind: str, facets: int) -> Iterator[str]:
    """Return those who can read this file in bearable time."""
    for name in CONTENDERS.keys() - missing_rivals():
        most = MOST_FACETS_AT_ONCE if name.startswith(("ours", HASH)) else MOST_FACETS_WITH_A_HOLE
        fits = facets <= MOST_FACETS.get(name, sys.maxsize) and (kind != "one hole" or facets <= most)
        binary_only = name in {VERDICT, "numpy-stl, is_closed"}
        if fits and not (binary_only and kind != "binary"):
            yield name


def make_files(folder: Path, facets: int) -> Iterator[tuple[str, Path]]:
    """Write a closed mesh, the same with a hole, and as text."""
    from tests.mesh.solids import ascii_text, binary, shifted, torus

    whole = min(facets, MOST_FACETS_AT_ONCE)
    around = math.isqrt(whole)
    corners = torus(around, max(3, whole // (2 * around)))
    file = folder / "binary.stl"
    with file.open("wb") as opened:
        copies = facets // whole
        for number in range(copies):
            content = binary(shifted(corners, 0, 0, 30 * number))
            head = content[:80] + (copies * len(corners)).to_bytes(4, "little")
            opened.write(content[84:] if number else head + content[84:])
    yield "binary", file
    if facets <= MOST_FACETS_AT_ONCE:
        file.write_bytes(binary(corners[1:]))
        yield "one hole", file
    if facets <= MOST_FACETS_AS_TEXT:
        file.write_bytes(ascii_text(corners))
        yield "ASCII", file


def compare(kind: str, file: Path, facets: int, rounds: int, results: Results) -> None:
    """Run all contenders on one file in turns, and print a line for each."""
    there = set(take_part(kind, facets))
    files = [file] if file.is_file() else stl_files(file)
    left_out = list(admesh_hangs_on(files)) if len(files) > 1 and "admesh" in there else []
    for each in left_out:
        print(f"LEFT OUT: admesh does not finish {each} within {ADMESH_SECONDS} s.", file=sys.stderr)
    size = sum(each.stat().st_size for each in files if each not in left_out)
    of_files = f"{len(files) - len(left_out):,} files" if file.is_dir() else f"{facets:,} facets, {kind}"
    print(f"\n{of_files}, {size / 1e6:.1f} MB", flush=True)
    contenders = {name: Contender(name, file, left_out) for name in CONTENDERS if name in there}
    for number in range(rounds):
        for contender in contenders.values():
            if number < 2 or contender.seconds[0] < SLOW_SECONDS:
                contender.run_round()
    for name, contender in contenders.items():
        contender.end()
        results[kind, facets, name] = median(contender.seconds), contender.peak_mb
    hashing, ours = results[kind, facets, HASH][0], results[kind, facets, OURS][0]
    for name, contender in contenders.items():
        seconds = results[kind, facets, name][0]
        spread = f"(wall {median(contender.wall_seconds):.4f})"
        print(
            f"  {name:32} {seconds:9.4f} s {spread:22} {contender.peak_mb or math.nan:6.0f} MB"
            f"   {seconds / hashing:8.2f} x hashing   {seconds / ours:8.2f} x ours",
            flush=True,
        )


def judge(results: Results) -> None:
    """Print every goal that was measured, and whether it was met."""
    print("\n| goal | bound | measured | |\n|---|---|---|---|")
    for goal in GOALS:
        if (ratio := goal.ratio(results)) is not None:
            is_met = ratio >= goal.bound if goal.at_least else ratio <= goal.bound
            title = f"{goal.slow} / {goal.fast}, {goal.kind} {goal.facets:,}"
            _print_row(title, f"{'≥' if goal.at_least else '≤'} {goal.bound:g}", ratio, is_met)
    for (kind, facets, name), (seconds, mb) in results.items():
        if kind == "one hole" and name == "ours, nothing counted" and facets >= 1_000_000:
            ratio = seconds / results["binary", facets, name][0]
            _print_row(f"one hole / closed, {facets:,}", f"≤ {HOLE_BOUND}", ratio, ratio <= HOLE_BOUND)
        if name == OURS and facets >= 100_000 and mb is not None and kind != "ASCII":
            _print_row(f"MB in all, {kind} {facets:,}", f"≤ {MOST_MB}", mb, mb <= MOST_MB)


def _print_row(title: str, bound: str, measured: float, is_met: bool) -> None:
    print(f"| {title} | {bound} | {measured:.3g} | {'met' if is_met else 'MISSED'} |")


def main() -> None:
    """Compare on each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--facets", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("folder", nargs="?", type=Path, help="all STL files below it are one more contest")
    options = parser.parse_args()
    for missing in missing_rivals():
        print(f"SKIPPED: {missing} is not installed; nothing is compared with it.", file=sys.stderr)
    results: Results = {}
    for facets in options.facets:
        with tempfile.TemporaryDirectory() as folder:
            for kind, file in make_files(Path(folder), facets):
                compare(kind, file, facets, options.rounds, results)
    if options.folder:
        compare("a folder", options.folder, 0, options.rounds, results)
    judge(results)


if __name__ == "__main__":
    main()
