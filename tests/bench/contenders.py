"""Who takes part in the mesh bench: each is timed in a process of its own, one file at a time.

Run as `python -m tests.bench.contenders NAME FILE`, or `NAME FOLDER FILES-TO-LEAVE-OUT`; every line on
stdin asks for one round, and the reply is one line of JSON with its seconds of processor time, of wall
clock, and the most memory held so far.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

PIECE_BYTES = 1 << 18
WARMED_BYTES = 60_000_000
ADMESH_SECONDS = 10


def read_and_hash(file: Path) -> None:
    """Read the file and take its sha256: what has to be paid anyway."""
    digest = hashlib.sha256()
    piece = bytearray(PIECE_BYTES)
    with file.open("rb", buffering=0) as opened:
        while size := opened.readinto(piece):
            digest.update(memoryview(piece)[:size])


def inspect(file: Path) -> None:
    """Inspect as the service does, within this process."""
    from workflow.mesh.inspection import inspect_mesh

    assert inspect_mesh(file).triangles


def inspect_without_counts(file: Path) -> None:
    """Inspect without counting shared edges and shells, which need memory for each facet."""
    from workflow.mesh import MeshPolicy
    from workflow.mesh.inspection import inspect_mesh

    policy = MeshPolicy(count_limit_facets=0)
    assert inspect_mesh(file, policy=policy).triangles


def measure_alone(file: Path) -> None:
    """Return the verdict on a binary file without hashing it."""
    import numpy as np
    from stl import Mesh

    from workflow.mesh.format import BLOCK_FACETS, Block, remove_negative_zeros
    from workflow.mesh.measures import measure_mesh

    def blocks() -> Iterator[Block]:
        piece = bytearray(50 * BLOCK_FACETS)
        corners = np.empty(9 * BLOCK_FACETS, np.float32)
        with file.open("rb", buffering=0) as opened:
            opened.seek(84)
            while count := (opened.readinto(piece) or 0) // 50:
                block = corners[: 9 * count].reshape(9, count)
                np.copyto(block, np.frombuffer(piece, Mesh.dtype, count)["vectors"].reshape(count, 9).T)
                yield remove_negative_zeros(block)

    assert measure_mesh(blocks()).triangles


def load_with_numpy_stl(file: Path) -> None:
    """Load only: numpy-stl checks nothing. Text goes through its `speedups` where those are installed."""
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


def check_with_admesh(file: Path, seconds: float = 600) -> None:
    """Run admesh with its exact and nearby checks, start-up included."""
    subprocess.run(["admesh", "-e", "-n", str(file)], check=True, capture_output=True, timeout=seconds)


CONTENDERS: dict[str, Callable[[Path], None]] = {
    "read and hash": read_and_hash,
    "ours": inspect,
    "ours, nothing counted": inspect_without_counts,
    "ours, nothing counted or hashed": measure_alone,
    "numpy-stl, load": load_with_numpy_stl,
    "numpy-stl, is_closed": close_with_numpy_stl,
    "trimesh": check_with_trimesh,
    "admesh": check_with_admesh,
}


def missing_rivals() -> set[str]:
    """Name the rivals that are not installed."""
    there = {"trimesh": bool(find_spec("trimesh")), "admesh": bool(shutil.which("admesh"))}
    return {name for name, is_there in there.items() if not is_there}


def processor_seconds() -> float:
    """Return the processor time of this process and of the programs that it ran to their end."""
    try:
        import resource
    except ImportError:
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float | None:
    """Return the most memory that this process held, in MB; None where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


class Contender:
    """One contender on one file, ready for rounds."""

    def __init__(self, name: str, file: Path, left_out: Sequence[Path] = ()) -> None:
        command = [sys.executable, "-m", "tests.bench.contenders", name, str(file), *map(str, left_out)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seconds: list[float] = []
        self.wall_seconds: list[float] = []
        self.peak_mb: float | None = None

    def run_round(self) -> None:
        """Run once more."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        self.seconds.append(reply["seconds"])
        self.wall_seconds.append(reply["wall_seconds"])
        self.peak_mb = reply["peak_mb"]

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def stl_files(folder: Path) -> list[Path]:
    """Return every STL file below a folder, in order, but none in hidden folders."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() == ".stl"
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def admesh_hangs_on(files: Iterable[Path]) -> Iterator[Path]:
    """Return the files that admesh does not finish: there are some that it reads for ever."""
    for file in files:
        with suppress(subprocess.CalledProcessError):
            try:
                check_with_admesh(file, ADMESH_SECONDS)
            except subprocess.TimeoutExpired:
                yield file


def run_on_all(contender: Callable[[Path], None], files: Iterable[Path]) -> None:
    """Run on all files; those that it refuses cost what they cost."""
    for file in files:
        with suppress(Exception):
            contender(file)


def main() -> None:
    """Be one contender: on small files a first round that does not count, then one for each line."""
    contender, file, *left_out = CONTENDERS[sys.argv[1]], *map(Path, sys.argv[2:])
    if file.is_dir():
        files = [each for each in stl_files(file) if each not in left_out]
        contender, alone = lambda _: run_on_all(alone, files), contender
    for number, _ in enumerate(sys.stdin):
        if number == 0 and file.stat().st_size < WARMED_BYTES:
            contender(file)
        started, wall_started = processor_seconds(), time.perf_counter()
        contender(file)
        took = {
            "seconds": processor_seconds() - started,
            "wall_seconds": time.perf_counter() - wall_started,
            "peak_mb": peak_mb(),
        }
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
