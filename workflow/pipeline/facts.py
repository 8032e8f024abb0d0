"""The facts of a submission: the values that rules can test."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path, PurePosixPath

from workflow.eiger import Build, Device
from workflow.errors import InspectionFailed
from workflow.intake.spool import file_owner
from workflow.ledger import Ledger
from workflow.mesh import Inspector
from workflow.model import DeviceFacts, Facts, FactValue, MeshReport, Submission
from workflow.pipeline.context import now
from workflow.routing import SECONDS_PER_HOUR, BuildVolume, fit_facts

NOTHING_BEFORE = {"sent_before": 0, "printed_before": 0, "failed_before": 0}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def facts_before_upload(
    ledger: Ledger,
    submission: Submission,
    moment: datetime,
    zone: tzinfo | None,
    volumes: Sequence[BuildVolume] = (),
) -> Mapping[str, FactValue]:
    """Return what is known of a submission before its upload; `zone` None is this machine's."""
    facts = {
        **file_facts(submission.path, submission.size or 0, submission.mesh, volumes),
        **time_facts(submission.opened_at, moment, zone),
        **ledger.decisions.count_before(submission.sha256 or "", submission.id),
    }
    return facts if submission.dropped_by is None else {**facts, "dropped_by": submission.dropped_by}


def facts_of_unsubmitted_file(
    source: Path,
    path: str,
    inspector: Inspector,
    ledger: Ledger | None,
    zone: tzinfo | None,
    volumes: Sequence[BuildVolume] = (),
) -> tuple[MeshReport, Facts]:
    """Measure a file that is no submission, and give what would be known if it were dropped now.

    Without a ledger nothing was sent before. Raises OSError, InspectionFailed.
    """
    report = inspector.inspect(source, path)
    with source.open("rb") as file:
        size, owner = os.fstat(file.fileno()).st_size, file_owner(file.fileno())
    facts = {
        **file_facts(path, size, report, volumes),
        **time_facts(now(), now(), zone),
        **(NOTHING_BEFORE if ledger is None else ledger.decisions.count_before(report.sha256)),
    }
    return report, facts if owner is None else {**facts, "dropped_by": owner}


def facts_of_test_file(
    name: str, folders: Sequence[Path], inspector: Inspector, volumes: Sequence[BuildVolume] = ()
) -> Facts:
    """Return the size and mesh facts of an STL file that a test of the rules names.

    The file is searched in each of the folders. Raises OSError, InspectionFailed; the latter also for a
    mesh that inspection rejects, because no rule would see it.
    """
    source = next((folder / name for folder in folders if (folder / name).is_file()), Path(name))
    report = inspector.inspect(source, name)
    if report.verdict == "reject":
        raise InspectionFailed(f"inspection rejects it before any rule: {report.reason}")
    return {"size_mb": source.stat().st_size / 1e6, **_mesh_facts(report, volumes)}


def file_facts(
    path: str, size: int, mesh: MeshReport | None, volumes: Sequence[BuildVolume] = ()
) -> dict[str, FactValue]:
    """Return the facts of the file, and of its mesh if it was measured."""
    place = PurePosixPath(path)
    facts: dict[str, FactValue] = {
        "path": path,
        "folder": "" if str(place.parent) == "." else str(place.parent),
        "name": place.name,
        "size_mb": size / 1e6,
    }
    return facts if mesh is None else {**facts, **_mesh_facts(mesh, volumes)}


def time_facts(dropped_at: datetime, moment: datetime, zone: tzinfo | None) -> dict[str, FactValue]:
    """Return days and times of day, of the drop and of the decision."""
    dropped, decided = dropped_at.astimezone(zone), moment.astimezone(zone)
    return {
        "dropped_weekday": WEEKDAYS[dropped.weekday()],
        "dropped_time": f"{dropped:%H:%M}",
        "weekday": WEEKDAYS[decided.weekday()],
        "time": f"{decided:%H:%M}",
    }


def build_facts(build: Build, moment: datetime) -> Facts:
    """Return what is known of a build; what the cloud does not say is absent.

    Where the service sends no amount of fiber but names one, the second material's is the fiber's:
    the contract knows no other (api v3, BuildView).
    """
    fiber_cm3, second_cm3 = build.ccs_fiber_required, build.ccs_secondary_required
    if fiber_cm3 is None and build.secondary_material is not None:
        fiber_cm3 = second_cm3
    known: dict[str, FactValue | None] = {
        "build.title": build.title,
        "build.print_hours": _hours(build.estimated_print_seconds),
        "build.series": build.device_series,
        "build.material": build.primary_material,
        "build.fiber": build.secondary_material,
        "build.primary_cm3": build.ccs_primary_required,
        "build.fiber_cm3": fiber_cm3,
        "build.support_cm3": build.ccs_tertiary_required,
        "build.secondary_cm3": second_cm3,
        "build.cost_usd": None if build.standard_costs is None else build.standard_costs.total,
        "build.part_count": build.part_count,
        "build.sliced": build.sliced,
        "build.scanned": build.blacksmith_enabled,
        "build.age_hours": _hours_since(build.created_at, moment),
        "build.unchanged_hours": _hours_since(build.updated_at, moment),
        "build.approved": build.approved,
    }
    return {name: value for name, value in known.items() if value is not None}


def device_facts(device: Device) -> DeviceFacts:
    """Turn the cloud's device into what choosing one needs."""
    return DeviceFacts(
        id=device.id,
        name=device.name,
        type=device.device_type,
        series=device.device_series,
        state=device.state,
        material=device.loaded_primary_material,
        fiber=device.loaded_secondary_material,
        primary_remaining_cm3=device.ccs_primary_remaining,
        fiber_remaining_cm3=device.ccs_secondary_remaining,
        queue_seconds=device.queue_estimated_time_seconds,
        queue_length=device.queue_length,
        is_busy=device.active_job is not None or device.state == "Printing",
        active_seconds=None if device.active_job is None else device.active_job.estimated_seconds_remaining,
    )


def _mesh_facts(mesh: MeshReport, volumes: Sequence[BuildVolume]) -> dict[str, FactValue]:
    x, y, z = mesh.size_mm
    known: dict[str, FactValue | None] = {
        "triangles": mesh.triangles,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
        "longest_mm": max(mesh.size_mm),
        "volume_cm3": mesh.volume_cm3,
        "area_cm2": mesh.area_cm2,
        "watertight": mesh.watertight,
        "open_edges": mesh.open_edges,
        "shells": mesh.shells,
        "cavities": mesh.cavities,
        "unit_guess": mesh.unit_guess,
        "unit_doubt": bool(mesh.unit_doubt),
        "warnings": len(mesh.warnings),
        **fit_facts(mesh.size_mm, volumes, mesh.oriented_mm),
    }
    return {name: value for name, value in known.items() if value is not None}


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / SECONDS_PER_HOUR


def _hours_since(then: datetime | None, moment: datetime) -> float | None:
    """Return the hours; the cloud's clock may be a little ahead of ours."""
    return None if then is None else max((moment - then).total_seconds() / SECONDS_PER_HOUR, 0.0)
