"""What an operator does at a machine: starts what waits for a person, cancels a print, or sees it fail."""

from dataclasses import replace

from workflow.simulator.models import Device, PrintJob
from workflow.simulator.printers import (
    add_print_job,
    require_compatible,
    schedule_operator_visit,
    start_print,
)
from workflow.simulator.world import DeviceNotReady, NotAllowed, World

WAITING_STATE = "Backlogged"
PRINT_ENDS = frozenset({"Failed", "Canceled", "Unknown", "Printing"})


def start_waiting_job(world: World, device: Device, job: PrintJob) -> PrintJob:
    """Let an operator start a build of the job requests or the backlog. Raises DeviceNotReady, NotAllowed."""
    build = world.builds[job.build]
    require_compatible(world, device, build)
    if job.state != WAITING_STATE:
        raise NotAllowed(f"The print job {job.id} is {job.state}, and waits for nobody.")
    if device.state != "Ready" or device.job is not None:
        raise DeviceNotReady(f"The device {device.name} is not ready: {device.state}.")
    if "request-makes-job" in world.options.quirks:
        world.print_jobs.remove(job.id)
        made = add_print_job(world, device, build, job.asked_for)
        return start_print(world, device, replace(made, origin=job.id))
    return start_print(world, device, replace(job, state="Printing", device=device.id, origin=job.id))


def end_print(world: World, job: PrintJob, state: str) -> PrintJob:
    """End a running print in another way than by its time: it fails, or an operator cancels it.

    `Printing` is an end that Eiger never hears of: the job keeps that state for ever. A job that waits for an
    operator can be removed with `Removed`. Raises NotAllowed.
    """
    if state == "Removed" and job.state == WAITING_STATE:
        world.print_jobs.remove(job.id)
        return job
    device = world.devices.get(job.device or "")
    if state not in PRINT_ENDS or device is None or device.job != job.id:
        raise NotAllowed(f"The print job {job.id} is {job.state}: it can't end as {state}.")
    world.devices.put(replace(device, job=None, state="Print Bed Needs Clearing"))
    schedule_operator_visit(world, device)
    if state == "Printing":
        return job
    for printed in world.printed_parts.prefiltered({"print_job": job.id}):
        world.printed_parts.put(replace(printed, state="Print Failed", updated_at=world.now))
    return world.print_jobs.put(replace(job, state=state, ended_at=world.now, updated_at=world.now))
