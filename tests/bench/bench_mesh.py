"""Mesh inspection next to reading and hashing, numpy-stl, trimesh and admesh, in one run.

    python -m tests.bench.bench_mesh [--facets 10000 100000 1000000] [--rounds 5]

Each contender runs in a process of its own; seconds are medians without start-up (admesh: whole
process), memory is the peak of the process. trimesh and admesh are left out where they are missing.
"""

import argparse
import hashlib
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

MOST_FACETS_FOR_NUMPY_STL = 100_000
MOST_FACETS_FOR_TRIMESH = 1_000_000
PIECE_BYTES = 1 << 18


def read_and_hash(file: Path) -> None:
    """Read the file and take its sha256: what has to be paid anyway."""
    digest = hashlib.sha256()
    piece = bytearray(PIECE_BYTES)
    with file.open("rb", buffering=0) as opened:
        while size := opened.readinto(piece):
            digest.update(memoryview(piece)[:size])


def inspect(file: Path) -> None:
    """Inspect as the service does."""
    from workflow.mesh.inspection import inspect_mesh

    assert inspect_mesh(file).triangles


def inspect_without_overlaps(file: Path) -> None:
    """Inspect without counting edges that more than two facets share."""
    from workflow.mesh import MeshPolicy
    from workflow.mesh.inspection import inspect_mesh

    assert inspect_mesh(file, policy=MeshPolicy(overlap_limit_facets=0)).triangles


def measure_alone(file: Path) -> None:
    """Measure a binary file without hashing it."""
    import numpy as np
    from stl import Mesh

    from workflow.mesh.blocks import BLOCK_FACETS, Block, without_minus_zero
    from workflow.mesh.measures import measure

    def blocks() -> Iterator[Block]:
        piece = bytearray(50 * BLOCK_FACETS)
        corners = np.empty(9 * BLOCK_FACETS, np.float32)
        with file.open("rb", buffering=0) as opened:
            opened.seek(84)
            while count := (opened.readinto(piece) or 0) // 50:
                block = corners[: 9 * count].reshape(9, count)
                np.copyto(block, np.frombuffer(piece, Mesh.dtype, count)["vectors"].reshape(count, 9).T)
                yield without_minus_zero(block)

    assert measure(blocks()).triangles


def load_with_numpy_stl(file: Path) -> None:
    """Load only: numpy-stl checks nothing."""
    from stl import Mesh

    Mesh.from_file(str(file), calculate_normals=False)


def close_with_numpy_stl(file: Path) -> None:
    """Load and ask numpy-stl whether each edge is there twice."""
    from stl import Mesh

    Mesh.from_file(str(file), calculate_normals=False).is_closed(exact=True)


def check_with_trimesh(file: Path) -> None:
    """Load and ask trimesh for watertightness, winding, volume and area."""
    import trimesh

    mesh = trimesh.load_mesh(str(file))
    assert mesh.is_watertight is not None
    assert mesh.is_winding_consistent is not None
    assert mesh.volume
    assert mesh.area


def check_with_admesh(file: Path) -> None:
    """Run admesh with its exact and nearby checks."""
    subprocess.run(["admesh", "-e", "-n", str(file)], check=True, capture_output=True, timeout=600)


CONTENDERS: dict[str, Callable[[Path], None]] = {
    "read and hash": read_and_hash,
    "ours": inspect,
    "ours, shared edges not counted": inspect_without_overlaps,
    "ours, measures alone": measure_alone,
    "numpy-stl, load": load_with_numpy_stl,
    "numpy-stl, is_closed": close_with_numpy_stl,
    "trimesh": check_with_trimesh,
    "admesh": check_with_admesh,
}


def run_contender(name: str, file: Path, rounds: int) -> None:
    """Print one JSON object with the median seconds and the peak memory."""
    contender = CONTENDERS[name]
    contender(file)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        contender(file)
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": median(times), "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Give the most memory that this process held, in MB; not-a-number where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def is_left_out(name: str, kind: str, facets: int) -> bool:
    """Tell whether a contender can't take part, or would take minutes."""
    from importlib.util import find_spec

    if name == "trimesh":
        return find_spec("trimesh") is None or facets > MOST_FACETS_FOR_TRIMESH
    if name == "admesh":
        return shutil.which("admesh") is None
    if name == "numpy-stl, is_closed":
        return facets > MOST_FACETS_FOR_NUMPY_STL or kind != "binary"
    return name == "ours, measures alone" and kind == "ASCII"


def make_files(folder: Path, facets: int) -> Iterator[tuple[str, Path]]:
    """Write a closed ring, the same with a hole, and as text."""
    from tests.mesh.solids import ascii_text, binary, torus

    around = math.isqrt(facets)
    corners = torus(around, max(3, facets // (2 * around)))
    for kind, content in (("binary", binary(corners)), ("one hole", binary(corners[1:]))):
        (folder / f"{kind}.stl").write_bytes(content)
        yield kind, folder / f"{kind}.stl"
    if facets <= MOST_FACETS_FOR_TRIMESH:
        (folder / "ascii.stl").write_bytes(ascii_text(corners))
        yield "ASCII", folder / "ascii.stl"


def compare(kind: str, file: Path, facets: int, rounds: int) -> None:
    """Run all contenders on one file and print a line for each."""
    print(f"\n{facets:,} facets, {kind}, {file.stat().st_size / 1e6:.1f} MB")
    results: dict[str, dict[str, float]] = {}
    for name in CONTENDERS:
        if not is_left_out(name, kind, facets):
            command = [sys.executable, "-m", __spec__.name, "--contender", name, str(file)]
            reply = subprocess.run([*command, "--rounds", str(rounds)], check=True, capture_output=True)
            results[name] = json.loads(reply.stdout)
    hashing, ours = results["read and hash"]["seconds"], results["ours"]["seconds"]
    for name, result in results.items():
        seconds = result["seconds"]
        print(
            f"  {name:32} {seconds:9.4f} s {result['peak_mb']:7.0f} MB"
            f"   {seconds / hashing:8.2f} x hashing   {seconds / ours:8.2f} x ours"
        )


def main() -> None:
    """Compare on each size, or be one contender."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--facets", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contender", nargs=2, metavar=("NAME", "FILE"))
    options = parser.parse_args()
    if options.contender:
        name, file = options.contender
        run_contender(name, Path(file), options.rounds)
        return
    for facets in options.facets:
        with tempfile.TemporaryDirectory() as folder:
            for kind, file in make_files(Path(folder), facets):
                compare(kind, file, facets, options.rounds)


if __name__ == "__main__":
    main()
