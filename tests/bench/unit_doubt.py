"""How often the check doubts the unit of a real part: of those in mm, and of the same parts in other units.

    python -m tests.bench.unit_doubt FOLDER

FOLDER is what `tests.bench.real_files` has filled. A part is a closed mesh of 3 to 525 mm. Its unit is the
`scale` that the robot description of its own package gives it; where there is none, a mesh shorter than 3 is
in meters, because packages of robots are. Beds, test shapes and models that a description scales to another
size are left out. False alarms are listed. Exit code 1 when more than 1 % of the parts are doubted in mm, or
of the printed ones more than 1 % and more than two.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.bench.archives import files_in
from workflow.mesh.format import HEADER_TEXT_BYTES
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.warnings import Size, doubt_unit

UNITS_MM = {"inches": 25.4, "centimeters": 10.0, "meters": 1000.0}
SHORTEST_MM, LONGEST_MM, LONGEST_METERS = 3.0, 525.0, 3.0
NO_PARTS = {"cura", "openscad-testing-data", "stl-models", "dm-control"}
"""Packages of beds, of test shapes, and of animals; what they have printed is a part all the same."""
MOST_FALSE, FEW = 0.01, 2
_DESCRIPTIONS = (".xml", ".urdf", ".xacro", ".mjcf")
_ELEMENT = re.compile(r"<(?:mesh|geom)\b[^>]*>", re.DOTALL)
_FILE = re.compile(r'(?:filename|file)="([^"]+\.stl)"', re.IGNORECASE)
_SCALE = re.compile(r'scale="\s*([-+.\de]+)', re.IGNORECASE)
_DEFAULT = re.compile(r'<default>.*?<mesh[^>]*scale="\s*([-+.\de]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A real part at its true size: mm, mm³, mm². `header` is empty where the file is not in mm."""

    file: Path
    size_mm: Size
    volume_mm3: float
    area_mm2: float
    is_printed: bool
    header: bytes

    def is_doubted(self, unit_mm: float) -> bool:
        """True if the part is doubted when its file is in this unit."""
        x, y, z = (side / unit_mm for side in self.size_mm)
        header = self.header if unit_mm == 1 else b""
        volume, area = self.volume_mm3 / unit_mm**3, self.area_mm2 / unit_mm**2
        return bool(doubt_unit((x, y, z), volume, area, header).reason)

    def reads(self, unit_mm: float) -> float:
        """Return the longest side as it reads in mm when the file is in this unit."""
        return max(self.size_mm) / unit_mm


def scales_of_package(folder: Path, package: str) -> dict[str, set[float]]:
    """Return for each STL file, by its name, the scales that descriptions in the package give it."""
    scales: dict[str, set[float]] = defaultdict(set)
    for archive in folder.glob(f".archives/*/{package}/*"):
        for ending in _DESCRIPTIONS:
            for inner, content in files_in(archive, ending):
                text = content.decode("utf-8", "replace")
                default = _DEFAULT.search(text) if inner.endswith(".xml") else None
                for element in _ELEMENT.findall(text):
                    if file := _FILE.search(element):
                        given = _SCALE.search(element) or default
                        name = PurePosixPath(file[1]).name.lower()
                        scales[name].add(abs(float(given[1])) if given else 1.0)
    return scales


def unit_of_file(scales: set[float], longest: float) -> float | None:
    """Return the unit of a file in mm, or None if nothing says it."""
    if not scales or scales == {1.0}:
        return 1000.0 if longest < LONGEST_METERS else None if scales else 1.0
    return {frozenset({0.001}): 1.0, frozenset({0.0254}): UNITS_MM["inches"]}.get(frozenset(scales))


def real_parts(folder: Path) -> Iterator[Part]:
    """Measure all parts below the folder."""
    for group in ("printed", "other"):
        for package in sorted(folder.glob(f"{group}/*")):
            if group == "other" and package.name in NO_PARTS:
                continue
            scales = scales_of_package(folder, package.name)
            for file in sorted(package.rglob("*")):
                if file.suffix.lower() == ".stl" and "profiles" not in file.parts:
                    part = measure_part(file, scales.get(file.name.lower(), set()), group == "printed")
                    if part is not None:
                        yield part


def measure_part(file: Path, scales: set[float], is_printed: bool) -> Part | None:
    """Return a closed part of usual size whose unit is known."""
    report = inspect_mesh(file)
    unit_mm = unit_of_file(scales, max(report.size_mm))
    if not report.volume_cm3 or not report.area_cm2 or unit_mm is None:
        return None
    x, y, z = (side * unit_mm for side in report.size_mm)
    if not SHORTEST_MM <= max(x, y, z) <= LONGEST_MM:
        return None
    header = b""
    if unit_mm == 1:
        with file.open("rb") as opened:
            header = opened.read(HEADER_TEXT_BYTES)
    volume_mm3, area_mm2 = report.volume_cm3 * 1000 * unit_mm**3, report.area_cm2 * 100 * unit_mm**2
    return Part(file, (x, y, z), volume_mm3, area_mm2, is_printed, header)


def share(parts: list[Part], unit_mm: float) -> str:
    """Return how many of the parts are doubted in a unit."""
    doubted = sum(part.is_doubted(unit_mm) for part in parts)
    return f"{doubted:,} of {len(parts):,} ({100 * doubted / max(len(parts), 1):.2f} %)"


def main() -> int:
    """Print the table; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parts = list(real_parts(parser.parse_args().folder))
    printed = [part for part in parts if part.is_printed]
    print("| doubted | all parts | those that read 3 to 20 mm | printed parts |\n|---|---|---|---|")
    print(f"| in mm (false alarms) | {share(parts, 1)} | | {share(printed, 1)} |")
    for name, unit_mm in UNITS_MM.items():
        short = [part for part in parts if SHORTEST_MM <= part.reads(unit_mm) < 20]
        print(
            f"| in {name} | {share(parts, unit_mm)} | {share(short, unit_mm)} | {share(printed, unit_mm)} |"
        )
    false = [part for part in parts if part.is_doubted(1)]
    for part in false:
        print(f"false alarm: {part.file}")
    false_printed = sum(part.is_printed for part in false)
    is_met = parts and len(false) <= MOST_FALSE * len(parts)
    return 0 if is_met and false_printed <= max(MOST_FALSE * len(printed), FEW) else 1


if __name__ == "__main__":
    sys.exit(main())
