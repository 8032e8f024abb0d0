"""Which printers a part fits, in which pose: its box against the build volumes. Lengths are mm.

A first check only: a part may be turned in other ways, and supports and rafts need room.
"""

import math
import tomllib
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path

from workflow.errors import Mistake, RulesError, error_reason
from workflow.frozen import frozen
from workflow.model import FactValue
from workflow.resources import resource_folder
from workflow.routing.globs import NAME_SEPARATOR

BUILD_VOLUMES_FILE = "build-volumes.toml"
_FIELDS = frozenset({"name", "series", "x_mm", "y_mm", "z_mm", "source"})
_TIGHT_MM = 2.0
"""With less room than this, the note says that a part only just fits."""

SizeMm = tuple[float, float, float]


@frozen
class BuildVolume:
    """The largest part that one type of printer makes, and where the figures are from."""

    name: str
    series: str
    size_mm: SizeMm
    source: str = ""


class Pose(StrEnum):
    """How a part has to lie, the simplest first."""

    AS_DRAWN = ""
    ON_SIDE = "on another side"
    DIAGONAL = "turned on the bed"
    DIAGONAL_ON_SIDE = "on another side and turned on the bed"
    STRAIGHT = "when laid straight"


def load_build_volumes(rules: Path) -> tuple[BuildVolume, ...]:
    """Return the build volumes of the file beside the rules, or of the one that ships. Raises RulesError."""
    own = rules.with_name(BUILD_VOLUMES_FILE)
    return read_build_volumes(own if own.is_file() else resource_folder("rules") / BUILD_VOLUMES_FILE)


def read_build_volumes(place: Path) -> tuple[BuildVolume, ...]:
    """Return the build volumes of a file. Raises RulesError with what is wrong in it."""
    try:
        rows = tomllib.loads(place.read_text("utf-8")).get("printer", [])
        return tuple(_parse_volume(row) for row in rows)
    except KeyError as error:
        reason = f"a [[printer]] has no {error.args[0]}"
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = error_reason(error)
    hint = "each [[printer]] has name, series, x_mm, y_mm and z_mm; correct it, or remove the file"
    raise RulesError((Mistake(str(place), 1, 1, reason, hint),))


def _parse_volume(row: dict[str, object]) -> BuildVolume:
    name = str(row["name"])
    if unknown := row.keys() - _FIELDS:
        raise ValueError(f"{name} has the unknown entry {min(unknown)}")
    sides = [row[side] for side in ("x_mm", "y_mm", "z_mm")]
    if not all(isinstance(side, int | float) and 0 < side < math.inf for side in sides):
        raise ValueError(f"a side of {name} is no length")
    x, y, z = (float(str(side)) for side in sides)
    return BuildVolume(name, str(row["series"]), (x, y, z), str(row.get("source", "")))


def fits_all_mm(volumes: Sequence[BuildVolume]) -> SizeMm | None:
    """Return the longest, middle and shortest side of a part that fits all volumes; None without any."""
    sides = [sorted(volume.size_mm, reverse=True) for volume in volumes]
    if not sides:
        return None
    long, middle, short = map(min, zip(*sides, strict=True))
    return long, middle, short


def find_pose(size_mm: SizeMm, volume: BuildVolume, oriented_mm: SizeMm | None = None) -> Pose | None:
    """Return the simplest pose in which a part fits a build volume; None when none is found.

    `size_mm` is its box as drawn, `oriented_mm` the smallest one of a part that was drawn at an angle.
    """
    pose = _pose_of_box(size_mm, volume)
    if pose is None and oriented_mm is not None and _pose_of_box(oriented_mm, volume) is not None:
        return Pose.STRAIGHT
    return pose


def _pose_of_box(size_mm: SizeMm, volume: BuildVolume) -> Pose | None:
    x, y, z = size_mm
    for turned, poses in (
        (False, (Pose.AS_DRAWN, Pose.ON_SIDE)), (True, (Pose.DIAGONAL, Pose.DIAGONAL_ON_SIDE)),
    ):  # fmt: skip
        for side, height in enumerate((z, y, x)):
            footprint = ((x, y), (x, z), (y, z))[side]
            if height <= volume.size_mm[2] and _fits_bed(footprint, volume.size_mm[:2], turned=turned):
                return poses[side > 0]
    return None


def _fits_bed(footprint: tuple[float, float], bed: tuple[float, float], *, turned: bool) -> bool:
    """True if a rectangle fits a bed along its sides; `turned`, at any angle (J. H. Carver, 1957)."""
    (short, long), (narrow, wide) = sorted(footprint), sorted(bed)
    if short <= narrow and long <= wide:
        return True
    diagonal = math.hypot(narrow, wide)
    if not turned or short > narrow or not wide < long <= diagonal or math.hypot(long, short) <= wide:
        return False
    root = math.sqrt(long**2 + short**2 - wide**2)
    return narrow >= (2 * long * short * wide + (long**2 - short**2) * root) / (long**2 + short**2)


def fit_facts(
    size_mm: SizeMm, volumes: Sequence[BuildVolume], oriented_mm: SizeMm | None = None
) -> dict[str, FactValue]:
    """Return the facts `fits` and `fits_series`: names with commas between them; none without volumes."""
    if not volumes:
        return {}
    fitting = [volume for volume in volumes if find_pose(size_mm, volume, oriented_mm) is not None]
    return {
        "fits": NAME_SEPARATOR.join(dict.fromkeys(volume.name for volume in fitting)),
        "fits_series": NAME_SEPARATOR.join(dict.fromkeys(volume.series for volume in fitting)),
    }


def describe_fit(
    size_mm: SizeMm,
    volumes: Sequence[BuildVolume],
    present: Collection[str] | None = None,
    oriented_mm: SizeMm | None = None,
) -> str:
    """Return which printers a part fits as one sentence; `present` are the types that the shop has."""
    shown = [volume for volume in volumes if present is None or volume.name in present]
    if not shown or not any(size_mm):
        return ""
    by_pose: dict[str, list[str]] = {}
    for volume in shown:
        by_pose.setdefault(_describe_pose(size_mm, volume, oriented_mm), []).append(volume.name)
    refused = by_pose.pop(_REFUSED, [])
    if not by_pose:
        return f"larger than the build volume of {join_with_and(refused)}"
    fits = "; ".join(_join_pose(pose, names) for pose, names in sorted(by_pose.items()))
    if oriented_mm and any(pose.startswith(Pose.STRAIGHT) for pose in by_pose):
        fits += f" (then {' × '.join(f'{side:.4g}' for side in oriented_mm)} mm)"
    return f"fits {fits}{f'; not {join_with_and(refused)}' if refused else ''}"


_REFUSED = "not"


def _describe_pose(size_mm: SizeMm, volume: BuildVolume, oriented_mm: SizeMm | None) -> str:
    pose = find_pose(size_mm, volume, oriented_mm)
    if pose is None:
        return _REFUSED
    is_tight = find_pose(_enlarge(size_mm), volume, oriented_mm and _enlarge(oriented_mm)) is not pose
    return f"{pose}{'!' if is_tight else ''}"


def _enlarge(size_mm: SizeMm) -> SizeMm:
    x, y, z = size_mm
    return x + _TIGHT_MM, y + _TIGHT_MM, z + _TIGHT_MM


def _join_pose(pose: str, names: Sequence[str]) -> str:
    just, how = pose.endswith("!"), pose.removesuffix("!")
    return " ".join(filter(None, ("only just" if just else "", join_with_and(names), how)))


def join_with_and(names: Sequence[str]) -> str:
    """Return the names as people list them: `FX10 and FX20`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
