"""What others say of a mesh, in one form: trimesh, admesh, PrusaSlicer, and the plainest count of edges.

trimesh comes from PyPI, the programs from the system's packages; those are GPL or AGPL and therefore only
called, and all of them are only ever asked for comparison. Who takes too long is stopped.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.bench.edge_count import corners_in, count_edges

_NUMBER = r"([-+.\deE]+|-?nan|-?inf)"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody else found. `volume_mm3` is signed and None where it is not told."""

    watertight: bool
    volume_mm3: float | None
    size_mm: tuple[float, float, float]


Ask = Callable[[Path], Opinion | str]
"""Returns an opinion, or why there is none."""


def ask_trimesh(file: Path) -> Opinion | str:
    """Load and ask for watertightness, volume and size."""
    import trimesh

    try:
        mesh = trimesh.load_mesh(str(file), file_type="stl")
        x, y, z = map(float, mesh.extents)
        return Opinion(bool(mesh.is_watertight), float(mesh.volume), (x, y, z))
    except Exception as error:  # noqa: BLE001  # whatever it raises on a file it can't read
        return f"refuses it ({type(error).__name__})"


def ask_plain_count(file: Path) -> Opinion | str:
    """Load with numpy-stl and count all edges by their very coordinates."""
    try:
        edges = count_edges(corners_in(file))
    except Exception as error:  # noqa: BLE001  # whatever numpy-stl raises on a file it can't read
        return f"refuses it ({type(error).__name__})"
    return Opinion(edges.odd == 0, edges.volume_mm3, edges.size_mm)


def ask_admesh(limit_seconds: float, file: Path) -> Opinion | str:
    """Run its exact check and read what it prints."""
    text = _printed(
        ["admesh", "--exact", "--normal-values", str(file)], limit_seconds
    )  # volume needs normals
    if text is None:
        return f"gives no answer in {limit_seconds:g} s"
    spans = re.findall(rf"Min \w = *{_NUMBER}, Max \w = *{_NUMBER}", text)
    disconnected = re.search(r"Total disconnected facets *: *\d+ +(\d+)", text)
    volume = re.search(rf"Volume *: *{_NUMBER}", text)
    if len(spans) != 3 or disconnected is None or volume is None:
        return "refuses it"
    x, y, z = (float(high) - float(low) for low, high in spans)
    closed = disconnected[1] == "0"
    return Opinion(closed, float(volume[1]) if closed else None, (x, y, z))


def ask_prusa_slicer(limit_seconds: float, file: Path) -> Opinion | str:
    """Let it repair the mesh as it does before slicing; watertight is what it then calls manifold."""
    text = _printed(["prusa-slicer", "--info", str(file)], limit_seconds)
    if text is None:
        return f"gives no answer in {limit_seconds:g} s"
    told = dict(re.findall(r"^(\w+) = +?(\S+)$", text, re.MULTILINE))
    if "manifold" not in told:
        return "refuses it"
    x, y, z = (float(told[f"size_{axis}"]) for axis in "xyz")
    return Opinion(told["manifold"] == "yes", float(told["volume"]), (x, y, z))


def _printed(command: list[str], limit_seconds: float) -> str | None:
    """Return what a program prints, or None if it takes too long."""
    try:
        ran = subprocess.run(command, capture_output=True, timeout=limit_seconds, check=False)
    except subprocess.TimeoutExpired:
        return None
    return ran.stdout.decode("latin-1")


class InItsOwnProcess:
    """Asks one who runs in Python; its process serves file after file, until it takes too long for one."""

    def __init__(self, ask: Ask, limit_seconds: float) -> None:
        self._ask, self._limit_seconds = ask, limit_seconds
        self._started: tuple[BaseProcess, Connection] | None = None

    def __call__(self, file: Path) -> Opinion | str:
        process, pipe = self._started = self._started or self._start()
        pipe.send(file)
        answer: Opinion | str
        if pipe.poll(self._limit_seconds):
            try:
                answer = pipe.recv()
            except EOFError:
                answer = "dies of it"
            else:
                return answer
        else:
            answer = f"gives no answer in {self._limit_seconds:g} s"
        process.kill()
        process.join()
        self._started = None
        return answer

    def _start(self) -> tuple[BaseProcess, Connection]:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._ask), daemon=True)
        process.start()
        theirs.close()
        return process, ours


def _serve(pipe: Connection, ask: Ask) -> None:
    with suppress(EOFError):  # nobody asks any more
        while True:
            pipe.send(ask(pipe.recv()))


def rivals(limit_seconds: float) -> Mapping[str, Ask]:
    """Return those that are installed."""
    there: dict[str, Ask] = {"plain count": InItsOwnProcess(ask_plain_count, limit_seconds)}
    if find_spec("trimesh"):
        there["trimesh"] = InItsOwnProcess(ask_trimesh, limit_seconds)
    if shutil.which("admesh"):
        there["admesh"] = partial(ask_admesh, limit_seconds)
    if shutil.which("prusa-slicer"):
        there["PrusaSlicer"] = partial(ask_prusa_slicer, limit_seconds)
    return there
