"""Devices, their queues, and the prints that run on them.

A queue never starts a machine. An operator comes `operator_seconds` after a machine has become idle with
work in its queue, or has a full bed: clears the bed, loads the material that the next print needs, and
starts that print. A print takes as long as its build's estimate says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import ceil

from workflow.simulator.models import NO_FIBER, Build, Device, PrintedPart, PrintJob, QueuedJob
from workflow.simulator.parts import require_approval
from workflow.simulator.world import DeviceNotReady, NotAllowed, World

DOWNLOADED_AFTER_SECONDS = 30.0
HEATED_AFTER_SECONDS = 240.0
COOLING_SECONDS = 60.0
REPORT_SECONDS = 30.0
"""How soon after it is back a device reports what has ended while it was offline."""


@dataclass(frozen=True, slots=True)
class PrintProgress:
    """The progress of a running print as its device shows it; `current_layer` is None before the first."""

    printing_state: str
    current_layer: int | None
    layer_count: int
    percent: float
    seconds_remaining: int


def print_progress(
    build: Build, started_at: datetime, now: datetime, *, per_layer: bool = False
) -> PrintProgress:
    """Return the progress of a print; as measured, the percentage follows the time, not the layers.

    `per_layer`: it moves when a layer begins, and stands still in between.
    """
    elapsed = min(max((now - started_at).total_seconds(), 0.0), build.print_seconds)
    layering = build.print_seconds - HEATED_AFTER_SECONDS - COOLING_SECONDS
    share = (elapsed - HEATED_AFTER_SECONDS) / max(layering, 1.0)
    layer = min(ceil(share * build.layers), build.layers)
    phase = _printing_phase(elapsed, build.print_seconds)
    if per_layer:
        begun = HEATED_AFTER_SECONDS + layering * max(layer - 1, 0) / build.layers
        elapsed = min(elapsed, begun) if layer >= 1 else 0.0
    return PrintProgress(
        printing_state=phase,
        current_layer=layer if layer >= 1 else None,
        layer_count=build.layers,
        percent=round(100 * elapsed / build.print_seconds, 1),
        seconds_remaining=round(build.print_seconds - elapsed),
    )


def _printing_phase(elapsed: float, total: float) -> str:
    if elapsed < DOWNLOADED_AFTER_SECONDS:
        return "Downloading"
    if elapsed < HEATED_AFTER_SECONDS:
        return "Heating"
    return "Printing" if elapsed < total - COOLING_SECONDS else "Cooling Down"


FULL_SPOOL_CM3 = 800.0
FURNACE_SERIES = frozenset({"Sinter-1", "Sinter-2"})
BED_FULL_STATES = frozenset({"Print Finished", "Print Bed Needs Clearing"})


def append_to_queue(world: World, device: Device, build: Build) -> QueuedJob:
    """Add a build at the end of a device's queue. Raises NotAllowed if the device can't print it."""
    require_compatible(world, device, build)
    queued = QueuedJob(
        world.new_id("queued job"), "Queued", device.id, build.id, queued_at=world.now, updated_at=world.now
    )
    world.queued_jobs.put(queued)
    if device.state == "Ready" and device.job is None:
        schedule_operator_visit(world, device)
    return queued


def remove_from_queue(world: World, queued: QueuedJob) -> QueuedJob:
    """Remove an entry from its queue; it can still be read, as `Removed` (assumed)."""
    return world.queued_jobs.put(replace(queued, state="Removed", updated_at=world.now))


def waiting_jobs(world: World, device: Device) -> Sequence[QueuedJob]:
    """Return the entries that wait for a device, first come first."""
    return [each for each in world.queued_jobs.prefiltered({"device": device.id}) if each.state == "Queued"]


def queue_seconds(world: World, device: Device, queue: Sequence[QueuedJob]) -> float:
    """Return the time until a device has printed its queue, the rest of the running print included."""
    waiting = sum(world.builds[queued.build].print_seconds for queued in queue)
    return round(waiting + _seconds_remaining(world, device), 1)


def print_now(world: World, device: Device, build: Build) -> PrintJob:
    """Start a print on a device, which takes the job after `take_seconds`, or never.

    Raises DeviceNotReady unless the device is ready, NotAllowed if it can't print the build.
    """
    require_compatible(world, device, build)
    if device.state != "Ready" or device.job is not None:
        raise DeviceNotReady(f"The device {device.name} is not ready: {device.state}.")
    job = add_print_job(world, device, build, "print")
    if "deaf-printer" not in world.options.quirks:
        world.devices.put(replace(device, job=job.id))
        world.schedule(world.options.take_seconds, partial(_pick_up_job, world, job.id))
    return job


def start_queued_job(world: World, device: Device, queued: QueuedJob) -> PrintJob:
    """Start an entry of a device's queue now."""
    world.queued_jobs.put(replace(queued, state="Started", updated_at=world.now))
    same_id = queued.id if "queue-keeps-id" in world.options.quirks else None
    job = add_print_job(world, device, world.builds[queued.build], "queue", same_id)
    job = replace(job, queued_at=queued.queued_at, shipped=queued.shipped, origin=queued.id)
    return start_print(world, device, job)


def add_print_job(
    world: World, device: Device, build: Build, asked_for: str, job_id: str | None = None
) -> PrintJob:
    """Add a print job of a device; it begins with `start_print`."""
    job = PrintJob(
        id=job_id or world.new_id("print job"),
        state="Printing",
        asked_for=asked_for,
        build=build.id,
        device=device.id,
        created_at=world.now,
        updated_at=world.now,
    )
    return world.print_jobs.put(job)


def _pick_up_job(world: World, job_id: str) -> None:
    """Let a device begin the job that it was sent, unless someone has ended it; later if it is offline."""
    job = world.print_jobs[job_id]
    device, build = world.devices[job.device or ""], world.builds[job.build]
    if device.job != job_id:
        return
    if not device.online:
        world.schedule(REPORT_SECONDS, partial(_pick_up_job, world, job_id))
    elif _lacks_material(device, build):
        schedule_operator_visit(world, world.devices.put(replace(device, job=None)))
        world.print_jobs.put(replace(job, state="Failed", ended_at=world.now, updated_at=world.now))
    else:
        start_print(world, device, job)


def start_print(world: World, device: Device, job: PrintJob) -> PrintJob:
    """Let a device begin to print a job now."""
    job = world.print_jobs.put(replace(job, started_at=world.now, updated_at=world.now))
    world.devices.put(replace(device, job=job.id, state="Printing"))
    build = world.builds[job.build]
    for _ in build.part_version_ids:
        world.printed_parts.put(
            PrintedPart(world.new_id("printed part"), "Printing", job.id, None, world.now)
        )
    world.schedule(build.print_seconds, partial(_finish_print, world, job.id))
    return job


def _finish_print(world: World, job_id: str, ended_at: datetime | None = None) -> None:
    """End a print that nobody ended earlier. A device that is offline reports it once it is back."""
    job = world.print_jobs[job_id]
    device, build = world.devices[job.device or ""], world.builds[job.build]
    if device.job != job_id:
        return
    ended_at = ended_at or world.now
    if not device.online:
        world.schedule(REPORT_SECONDS, partial(_finish_print, world, job_id, ended_at))
        return
    world.print_jobs.put(replace(job, state="Completed", ended_at=ended_at, updated_at=world.now))
    for printed in world.printed_parts.prefiltered({"print_job": job_id}):
        world.printed_parts.put(replace(printed, state="Printed", printed_at=world.now, updated_at=world.now))
    done = replace(
        device,
        job=None,
        state="Print Finished",
        primary_cm3=max(device.primary_cm3 - build.primary_cm3, 0.0),
        secondary_cm3=max(device.secondary_cm3 - build.fiber_cm3, 0.0),
    )
    world.devices.put(done)
    schedule_operator_visit(world, done)


def schedule_operator_visit(world: World, device: Device) -> None:
    """Schedule the operator's next visit to a device."""
    world.schedule(world.options.operator_seconds, partial(clear_bed_and_start_next, world, device.id))


def clear_bed_and_start_next(world: World, device_id: str) -> None:
    """Let the operator clear the bed, and start the next entry of the queue if the device is free."""
    device = world.devices[device_id]
    if device.state in BED_FULL_STATES:
        device = world.devices.put(replace(device, state="Ready"))
    queue = waiting_jobs(world, device)
    if queue and device.state == "Ready" and device.job is None:
        _load_and_start(world, device, queue[0])


def _load_and_start(world: World, device: Device, queued: QueuedJob) -> None:
    build = world.builds[queued.build]
    if _lacks_material(device, build):
        device = replace(
            device,
            primary=build.primary,
            primary_cm3=FULL_SPOOL_CM3,
            secondary=build.secondary if build.fiber_cm3 else device.secondary,
            secondary_cm3=FULL_SPOOL_CM3 if build.fiber_cm3 else device.secondary_cm3,
        )
    start_queued_job(world, device, queued)


def _lacks_material(device: Device, build: Build) -> bool:
    """True if the device has another material loaded, or too little of it."""
    fiber_needed = build.secondary != NO_FIBER
    return (
        device.primary != build.primary
        or device.primary_cm3 < build.primary_cm3
        or (fiber_needed and (device.secondary != build.secondary or device.secondary_cm3 < build.fiber_cm3))
    )


def require_compatible(world: World, device: Device, build: Build) -> None:
    """Raise NotAllowed if a device can't print a build."""
    require_approval(world, build)
    if device.series in FURNACE_SERIES:
        raise NotAllowed(f"The device {device.name} is a furnace: it can't print.")
    if device.series != build.series:
        raise NotAllowed(f"The build is sliced for {build.series}; {device.name} is in the {device.series}.")


def _seconds_remaining(world: World, device: Device) -> float:
    job = world.print_jobs.get(device.job or "")
    if job is None or job.started_at is None:
        return 0.0
    build, per_layer = world.builds[job.build], moves_per_layer(world)
    return print_progress(build, job.started_at, world.now, per_layer=per_layer).seconds_remaining


def moves_per_layer(world: World) -> bool:
    """True if the progress of a print moves once per layer."""
    return "progress-per-layer" in world.options.quirks
