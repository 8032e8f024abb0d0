"""The shop floor: devices, their queues, and the prints that run on them.

A queue never starts a machine: a person comes by `operator_seconds` after a machine stands idle with
work or a full bed, clears it, puts on a new spool where the next print needs one, and starts the next.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from workflow.simulator.library import require_approval
from workflow.simulator.printing import progress_of
from workflow.simulator.things import NO_FIBER, Build, Device, PrintedPart, PrintJob, QueuedJob
from workflow.simulator.world import NotAllowed, NotReady, World

PICK_UP_SECONDS = 1.0
"""Between the 201 and the moment the device takes the job; the vendor's sample looks for 6 s."""
FULL_SPOOL_CM3 = 800.0
FURNACES = frozenset({"Sinter-1", "Sinter-2"})
BED_IN_USE = frozenset({"Print Finished", "Print Bed Needs Clearing"})


def append_to_queue(world: World, device: Device, build: Build) -> QueuedJob:
    """Put a build at the end of a device's queue. Raises NotAllowed where it can't be printed there."""
    _require_fit(world, device, build)
    queued = QueuedJob(
        world.new_id("queued job"), "Queued", device.id, build.id, queued_at=world.now, updated_at=world.now
    )
    world.queued_jobs.put(queued)
    if device.state == "Ready" and device.job is None:
        expect_person(world, device)
    return queued


def take_from_queue(world: World, queued: QueuedJob) -> QueuedJob:
    """Remove an entry from its queue; it stays readable as `Removed` (assumed)."""
    return world.queued_jobs.put(replace(queued, state="Removed", updated_at=world.now))


def queue_of(world: World, device: Device) -> Sequence[QueuedJob]:
    """Give what waits for a device, first come first."""
    return [each for each in world.queued_jobs.narrowed({"device": device.id}) if each.state == "Queued"]


def queue_seconds(world: World, device: Device, queue: Sequence[QueuedJob]) -> float:
    """Give the time until a device is through with its queue: the running print's rest included."""
    waiting = sum(world.builds[queued.build].print_seconds for queued in queue)
    return round(waiting + _seconds_remaining(world, device), 1)


def print_now(world: World, device: Device, build: Build) -> PrintJob:
    """Tell a device to print. It takes the job a moment later, or not at all.

    Raises NotReady unless the device is ready, NotAllowed where the build can't be printed there.
    """
    _require_fit(world, device, build)
    if device.state != "Ready" or device.job is not None:
        raise NotReady(f"The device {device.name} is not ready: {device.state}.")
    return _send(world, device, build, asked_for="print")


def begin(world: World, device: Device, queued: QueuedJob) -> PrintJob:
    """Let a device print the first of its queue, from this moment on."""
    world.queued_jobs.put(replace(queued, state="Started", updated_at=world.now))
    job = _new_job(world, device, world.builds[queued.build], asked_for="queue")
    return _start(world, device, replace(job, queued_at=queued.queued_at, shipped=queued.shipped))


def _send(world: World, device: Device, build: Build, asked_for: str) -> PrintJob:
    job = _new_job(world, device, build, asked_for)
    if "deaf-printer" not in world.options.quirks:
        world.devices.put(replace(device, job=job.id))
        world.later(PICK_UP_SECONDS, partial(_take_up, world, job.id))
    return job


def _new_job(world: World, device: Device, build: Build, asked_for: str) -> PrintJob:
    job = PrintJob(
        id=world.new_id("print job"),
        state="Printing",
        asked_for=asked_for,
        build=build.id,
        device=device.id,
        created_at=world.now,
        updated_at=world.now,
    )
    return world.print_jobs.put(job)


def _take_up(world: World, job_id: str) -> None:
    job = world.print_jobs[job_id]
    device, build = world.devices[job.device or ""], world.builds[job.build]
    if _lacks(device, build):
        world.devices.put(replace(device, job=None))
        _end(world, job, "Failed")
    else:
        _start(world, device, job)


def _start(world: World, device: Device, job: PrintJob) -> PrintJob:
    job = world.print_jobs.put(replace(job, started_at=world.now, updated_at=world.now))
    world.devices.put(replace(device, job=job.id, state="Printing"))
    build = world.builds[job.build]
    for _ in build.part_version_ids:
        world.printed_parts.put(
            PrintedPart(world.new_id("printed part"), "Printing", job.id, None, world.now)
        )
    world.later(build.print_seconds, partial(_finish, world, job.id))
    return job


def _finish(world: World, job_id: str) -> None:
    job = world.print_jobs[job_id]
    device, build = world.devices[job.device or ""], world.builds[job.build]
    _end(world, job, "Completed")
    for printed in world.printed_parts.narrowed({"print_job": job_id}):
        world.printed_parts.put(replace(printed, state="Printed", printed_at=world.now, updated_at=world.now))
    done = replace(
        device,
        job=None,
        state="Print Finished",
        primary_cm3=max(device.primary_cm3 - build.primary_cm3, 0.0),
        secondary_cm3=max(device.secondary_cm3 - build.fiber_cm3, 0.0),
    )
    world.devices.put(done)
    expect_person(world, done)


def _end(world: World, job: PrintJob, state: str) -> None:
    world.print_jobs.put(replace(job, state=state, ended_at=world.now, updated_at=world.now))


def expect_person(world: World, device: Device) -> None:
    """Put a person's next visit to a device on the agenda."""
    world.later(world.options.operator_seconds, partial(attend, world, device.id))


def attend(world: World, device_id: str) -> None:
    """Let a person come by: clear the bed, and start the next of the queue if the device is free."""
    device = world.devices[device_id]
    if device.state in BED_IN_USE:
        device = world.devices.put(replace(device, state="Ready"))
    queue = queue_of(world, device)
    if queue and device.state == "Ready" and device.job is None:
        _start_next(world, device, queue[0])


def _start_next(world: World, device: Device, queued: QueuedJob) -> None:
    build = world.builds[queued.build]
    if _lacks(device, build):
        device = replace(
            device,
            primary=build.primary,
            primary_cm3=FULL_SPOOL_CM3,
            secondary=build.secondary if build.fiber_cm3 else device.secondary,
            secondary_cm3=FULL_SPOOL_CM3 if build.fiber_cm3 else device.secondary_cm3,
        )
    begin(world, device, queued)


def _lacks(device: Device, build: Build) -> bool:
    """Whether the device has not the material loaded, or not enough of it."""
    fiber_needed = build.secondary != NO_FIBER
    return (
        device.primary != build.primary
        or device.primary_cm3 < build.primary_cm3
        or (fiber_needed and (device.secondary != build.secondary or device.secondary_cm3 < build.fiber_cm3))
    )


def _require_fit(world: World, device: Device, build: Build) -> None:
    require_approval(world, build)
    if device.series in FURNACES:
        raise NotAllowed(f"The device {device.name} is a furnace: it prints nothing.")
    if device.series != build.series:
        raise NotAllowed(
            f"The build is sliced for {build.series}; {device.name} is of {device.series}: not compatible."
        )


def _seconds_remaining(world: World, device: Device) -> float:
    job = world.print_jobs.get(device.job or "")
    if job is None or job.started_at is None:
        return 0.0
    return progress_of(world.builds[job.build], job.started_at, world.now).seconds_remaining
