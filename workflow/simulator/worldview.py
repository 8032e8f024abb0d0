"""The whole world at a glance, for tests: what came about, with what it belongs to."""

from workflow.simulator import floor, library
from workflow.simulator.things import Build, PartVersion, PrintJob
from workflow.simulator.views import at
from workflow.simulator.world import World

Rows = list[dict[str, object]]


def world_view(world: World, *, everything: bool = False) -> dict[str, object]:
    """Give what came about since the start; with `everything`, what shipped with the fleet too."""

    def seen(shipped: bool) -> bool:
        return everything or not shipped

    return {
        "now": at(world.now),
        "parts": _parts(world, everything=everything),
        "part_versions": [_version(world, each) for each in world.part_versions if seen(each.shipped)],
        "builds": [_build(each) for each in world.builds if seen(each.shipped)],
        "approved": None if world.approved is None else sorted(world.approved),
        "print_jobs": [_print_job(each) for each in world.print_jobs if seen(each.shipped)],
        "queues": {device.id: _queue(world, device.id, everything=everything) for device in world.devices},
        "devices": [
            {"id": each.id, "name": each.name, "series": each.series, "state": each.state, "job_id": each.job}
            for each in world.devices
        ],
        "users": [{"id": each.id, "name": each.name, "email": each.email} for each in world.users],
        "folders": [{"id": folder_id, "title": title} for folder_id, title in world.folders.items()],
    }


def _parts(world: World, *, everything: bool) -> Rows:
    return [
        {
            "id": part.id,
            "part_version_ids": list(part.version_ids),
            "folder_id": part.folder_id,
            "owner_id": part.owner_id,
        }
        for part in world.parts
        if everything or not part.shipped
    ]


def _version(world: World, version: PartVersion) -> dict[str, object]:
    stl, slicing = version.stl, world.slice_jobs.get(version.slice_job_id)
    return {
        "id": version.id,
        "part_id": version.part_id,
        "title": version.title,
        "preset": version.preset.title,
        "sha256": stl.sha256 if stl else None,
        "size": stl.size if stl else None,
        "format": version.measured.format,
        "triangles": version.measured.triangles,
        "size_mm": list(version.measured.size_mm),
        "volume_cm3": version.measured.volume_cm3,
        "flaw": version.measured.flaw,
        "slice_job_id": version.slice_job_id,
        "slice_status": library.slice_status(world, slicing) if slicing else "COMPLETED",
    }


def _build(build: Build) -> dict[str, object]:
    return {
        "id": build.id,
        "title": build.title,
        "created_at": at(build.created_at),
        "part_version_ids": list(build.part_version_ids),
        "layers": build.layers,
        "primary_cm3": build.primary_cm3,
        "print_seconds": build.print_seconds,
    }


def _print_job(job: PrintJob) -> dict[str, object]:
    return {
        "id": job.id,
        "state": job.state,
        "asked_for": job.asked_for,
        "build_id": job.build,
        "device_id": job.device,
        "due_date": job.due_date.isoformat() if job.due_date else None,
        "created_at": at(job.created_at),
    }


def _queue(world: World, device_id: str, *, everything: bool) -> Rows:
    return [
        {"id": queued.id, "state": queued.state, "build_id": queued.build, "queued_at": at(queued.queued_at)}
        for queued in floor.queue_of(world, world.devices[device_id])
        if everything or not queued.shipped
    ]
