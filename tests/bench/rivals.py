"""What trimesh and admesh say of a mesh, in one form. Both are only ever asked for comparison.

trimesh comes from PyPI, admesh from the system's packages; admesh is GPL and therefore only called.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ADMESH_SECONDS = 120
_NUMBER = r"([-+.\deE]+|-?nan|-?inf)"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody else found. `volume_mm3` is signed and None where it is not told."""

    watertight: bool
    volume_mm3: float | None
    size_mm: tuple[float, float, float]


Ask = Callable[[Path], Opinion | str]
"""Gives an opinion, or why there is none."""


def ask_trimesh(file: Path) -> Opinion | str:
    """Load and ask for watertightness, volume and size."""
    import trimesh

    try:
        mesh = trimesh.load_mesh(str(file), file_type="stl")
        x, y, z = map(float, mesh.extents)
        return Opinion(bool(mesh.is_watertight), float(mesh.volume), (x, y, z))
    except Exception as error:  # noqa: BLE001  # whatever it raises on a file it can't read
        return f"refuses it ({type(error).__name__})"


def ask_admesh(file: Path) -> Opinion | str:
    """Run its exact check and read what it prints."""
    try:
        command = ["admesh", "--exact", "--normal-values", str(file)]  # the volume needs normals
        ran = subprocess.run(command, capture_output=True, timeout=ADMESH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"gives no answer in {ADMESH_SECONDS} s"
    text = ran.stdout.decode("latin-1")
    spans = re.findall(rf"Min \w = *{_NUMBER}, Max \w = *{_NUMBER}", text)
    disconnected = re.search(r"Total disconnected facets *: *\d+ +(\d+)", text)
    volume = re.search(rf"Volume *: *{_NUMBER}", text)
    if len(spans) != 3 or disconnected is None or volume is None:
        return f"refuses it (exit code {ran.returncode})"
    x, y, z = (float(high) - float(low) for low, high in spans)
    closed = disconnected[1] == "0"
    return Opinion(closed, float(volume[1]) if closed else None, (x, y, z))


def rivals() -> Mapping[str, Ask]:
    """Give those that are installed."""
    there: dict[str, Ask] = {}
    if find_spec("trimesh"):
        there["trimesh"] = ask_trimesh
    if shutil.which("admesh"):
        there["admesh"] = ask_admesh
    return there
