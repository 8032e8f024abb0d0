"""The library: uploads, their slicing, and the builds that slicing makes.

The estimates are invented but follow the mesh: layers of 0.1 mm, material by volume, and a print time of
300 s + 8 s per layer + 250 s per cm³.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from math import ceil

from workflow.simulator.models import (
    NO_FIBER,
    ULTEM,
    Build,
    Part,
    PartVersion,
    Preset,
    PrintJob,
    SliceJob,
    StlMeasurement,
    StoredFile,
)
from workflow.simulator.world import NotAllowed, NotFound, World, require_row

LAYER_MM = 0.1
SETUP_SECONDS = 300.0
SECONDS_PER_LAYER = 8.0
SECONDS_PER_CM3 = 250.0
FIBER_SHARE = 0.1
SUPPORT_SHARES = {ULTEM: 1.2}
"""Support material by material, as a share of the part: seen on the service for ULTEM only, and above 1."""

SLICING_PHASES = ((0.25, "IN_PROGRESS"), (0.1, "QUEUED"), (0.0, "REQUESTED"))
"""The share of the slicing time after which each status shows."""


@dataclass(frozen=True, slots=True)
class PrintEstimate:
    """The slicer's estimate for parts that are printed together."""

    layers: int
    primary_cm3: float
    fiber_cm3: float
    support_cm3: float
    print_seconds: float


def slice_status_at(slicing: SliceJob, measured: StlMeasurement, slice_seconds: float, now: datetime) -> str:
    """Return the slice job's status at a moment; its words are only in the contract's prose."""
    if slicing.ended_as:
        return slicing.ended_as
    elapsed = (now - slicing.requested_at).total_seconds()
    if elapsed >= slice_seconds:
        return "ERROR" if measured.flaw else "COMPLETED"
    return next(word for share, word in SLICING_PHASES if elapsed >= share * slice_seconds)


def estimate_print(versions: Sequence[PartVersion]) -> PrintEstimate:
    """Return the estimate for parts side by side; the tallest part decides the layers."""
    volume_cm3 = sum(version.measured.volume_cm3 for version in versions)
    layers = max(layer_count(version.measured.size_mm[2]) for version in versions)
    fiber = any(version.preset.secondary != NO_FIBER for version in versions)
    return PrintEstimate(
        layers=layers,
        primary_cm3=round(volume_cm3, 3),
        fiber_cm3=round(volume_cm3 * FIBER_SHARE, 3) if fiber else 0.0,
        support_cm3=round(volume_cm3 * SUPPORT_SHARES.get(versions[0].preset.primary, 0.0), 3),
        print_seconds=round(SETUP_SECONDS + SECONDS_PER_LAYER * layers + SECONDS_PER_CM3 * volume_cm3, 1),
    )


def layer_count(height_mm: float) -> int:
    """Return the number of layers for a height; a rounding error adds no layer."""
    return max(1, ceil(height_mm / LAYER_MM - 1e-3))


DEFAULT_PRESET_TITLE = "Vendor default"
"""The vendor's own settings, used if an upload names no preset."""

LENGTHS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4}
"""Units that change the size of an import; other words do not."""

EARLY_END_STATUSES = frozenset({"CANCELED", "ERROR"})


def add_part(
    world: World,
    stl: StoredFile,
    measured: StlMeasurement,
    *,
    preset_id: str | None = None,
    user_id: str | None = None,
    folder_id: str | None = None,
) -> PartVersion:
    """Add an upload to the library and start its slicing. Raises NotFound for unknown ids."""
    preset = (
        require_row(world.presets, preset_id, "settings preset")
        if preset_id
        else preset_titled(world, DEFAULT_PRESET_TITLE)
    )
    if user_id:
        require_row(world.users, user_id, "user")
    if folder_id and folder_id not in world.folders:
        raise NotFound(f"No folder has the id {folder_id}.")
    slicing_id, version_id = world.new_id("slice job"), world.new_id("part version")
    title = title_from_file_name(stl.name)
    part = _first_part(world) if "one-part" in world.options.quirks else None
    if part is None:
        part = Part(world.new_id("part"), world.now, world.now, (), folder_id=folder_id, owner_id=user_id)
    else:
        title = world.part_versions[part.version_ids[0]].title
    part = world.parts.put(replace(part, updated_at=world.now, version_ids=(*part.version_ids, version_id)))
    version = PartVersion(
        version_id,
        part.id,
        title,
        preset,
        _imported(measured, world),
        slicing_id,
        stl,
        number=len(part.version_ids),
        units=world.units,
        scale=world.scale,
    )
    world.part_versions.put(version)
    world.slice_jobs.put(SliceJob(slicing_id, version_id, world.now))
    _schedule_build(world, version)
    return version


def _first_part(world: World) -> Part | None:
    """Return the part that the first upload made; None before the first upload."""
    return next((part for part in world.parts if not part.shipped), None)


def _imported(measured: StlMeasurement, world: World) -> StlMeasurement:
    """Return the measurement after the import: the file's numbers in the unit, times the scale."""
    factor = LENGTHS_MM.get(world.units, 1.0) * world.scale
    x, y, z = (side * factor for side in measured.size_mm)
    return replace(measured, size_mm=(x, y, z), volume_cm3=measured.volume_cm3 * factor**3)


def preset_titled(world: World, title: str) -> Preset:
    """Return one of the presets that ship, by its title."""
    return next(preset for preset in world.presets if preset.title == title)


def title_from_file_name(file_name: str) -> str:
    """Return a part's title, made from its file name (assumed: the upload takes no title)."""
    return file_name[:-4] if file_name.lower().endswith(".stl") else file_name


def slice_status(world: World, slicing: SliceJob) -> str:
    """Return the status of a slice job now."""
    measured = world.part_versions[slicing.part_version_id].measured
    return slice_status_at(slicing, measured, world.options.slice_seconds, world.now)


def is_sliced(world: World, version: PartVersion) -> bool:
    """True if a part version is sliced; those that ship with the simulator are."""
    return version.stl is None or slice_status(world, world.slice_jobs[version.slice_job_id]) == "COMPLETED"


def end_slicing(world: World, slicing: SliceJob, ended_as: str) -> SliceJob:
    """End a slicing early, canceled or failed. Raises NotAllowed if it has already ended."""
    if ended_as not in EARLY_END_STATUSES:
        raise NotAllowed(f"A slice job can be ended as {' or '.join(sorted(EARLY_END_STATUSES))}.")
    if slice_status(world, slicing) in {"COMPLETED", "ERROR", "CANCELED"}:
        raise NotAllowed("This slice job has already ended.")
    return world.slice_jobs.put(replace(slicing, ended_as=ended_as))


def make_build(world: World, versions: Sequence[PartVersion], title: str | None = None) -> Build:
    """Return a new build of sliced parts on one bed. Raises NotAllowed if a part is not sliced."""
    for version in versions:
        if not is_sliced(world, version):
            raise NotAllowed(f"{version.title} is not sliced, so it can't be put into a build.")
    figures, preset = estimate_print(versions), versions[0].preset
    build = Build(
        id=world.new_id("build"),
        title=title or versions[0].title,
        created_at=world.now,
        updated_at=world.now,
        part_version_ids=tuple(version.id for version in versions),
        series=preset.series,
        primary=preset.primary,
        secondary=preset.secondary,
        primary_cm3=figures.primary_cm3,
        fiber_cm3=figures.fiber_cm3,
        support_cm3=figures.support_cm3,
        layers=figures.layers,
        print_seconds=figures.print_seconds,
    )
    return world.builds.put(build)


def add_waiting_job(world: World, build: Build, asked_for: str, due_date: date | None) -> PrintJob:
    """Put a build into the backlog or the job requests. Raises NotAllowed if it is not approved."""
    require_approval(world, build)
    job = PrintJob(
        id=world.new_id("print job"),
        state="Backlogged",
        asked_for=asked_for,
        build=build.id,
        created_at=world.now,
        updated_at=world.now,
        due_date=due_date,
    )
    return world.print_jobs.put(job)


def remove_job_requests(world: World, build: Build) -> list[PrintJob]:
    """Remove a build from the job requests. Raises NotFound if it is not there."""
    of_build = world.print_jobs.prefiltered({"build": build.id})
    waiting = [job for job in of_build if job.asked_for == "job_request" and job.state == "Backlogged"]
    if not waiting:
        raise NotFound(f"The build {build.id} is not in the job requests.")
    for job in waiting:
        world.print_jobs.remove(job.id)
    return waiting


def require_approval(world: World, build: Build) -> None:
    """Raise NotAllowed if approvals are in use and the build is not approved."""
    if world.approved is not None and build.id not in world.approved:
        raise NotAllowed(f"The build {build.id} is not approved for printing.")


def _schedule_build(world: World, version: PartVersion) -> None:
    """Schedule the build that `--builds auto` makes when slicing completes."""
    if world.options.builds == "auto" and version.measured.flaw is None:
        wait = world.options.slice_seconds + world.options.build_delay_seconds
        if wait:
            world.schedule(wait, partial(_make_build_if_sliced, world, version))
        else:
            _make_build_if_sliced(world, version)


def _make_build_if_sliced(world: World, version: PartVersion) -> None:
    if is_sliced(world, version):
        other_titles = "other-titles" in world.options.quirks
        make_build(world, [version], f"Build {len(world.builds) + 1}" if other_titles else None)
