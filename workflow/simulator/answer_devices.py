"""Answers of the operations on devices and their queues."""

from workflow.simulator import floor
from workflow.simulator.call import Call, build_of, list_reply, made
from workflow.simulator.things import QueuedJob
from workflow.simulator.views import Views
from workflow.simulator.wire import Reply
from workflow.simulator.world import NotThere, World, found


def list_devices(call: Call, views: Views) -> Reply:
    """All devices, each as full as one read alone (as measured)."""
    return list_reply(call, views.world.devices, views.device_extended)


def read_device(call: Call, views: Views) -> Reply:
    """One device, with the job that runs on it."""
    return Reply(200, views.device_extended(found(views.world.devices, call.ids["device_id"], "device")))


def print_to_printer(call: Call, views: Views) -> Reply:
    """Tell a device to print; 201 does not say that it takes the job."""
    device = found(views.world.devices, call.ids["device_id"], "device")
    job = floor.print_now(views.world, device, build_of(call, views.world))
    return Reply(201, views.print_job(job), effect=made(job))


def list_device_queue(call: Call, views: Views) -> Reply:
    """A device and what waits for it."""
    device = found(views.world.devices, call.ids["device_id"], "device")
    queue = [views.queued_job_extended(queued) for queued in floor.queue_of(views.world, device)]
    return Reply(200, {"device": views.device_extended(device), "queue": queue})


def append_to_device_queue(call: Call, views: Views) -> Reply:
    """Put a build at the end of a device's queue."""
    device = found(views.world.devices, call.ids["device_id"], "device")
    queued = floor.append_to_queue(views.world, device, build_of(call, views.world))
    effect = {"made": "queued_job", "id": queued.id, "build": queued.build, "device": queued.device}
    return Reply(201, views.queued_job(queued), effect=effect)


def read_device_queue(call: Call, views: Views) -> Reply:
    """One entry of a queue, also once it was started or removed."""
    return Reply(200, views.queued_job_extended(_queued(call, views.world)))


def remove_from_device_queue(call: Call, views: Views) -> Reply:
    """Take an entry out of its queue."""
    queued = _queued(call, views.world)
    if queued.state != "Queued":
        raise NotThere(f"The queued job {queued.id} waits no more: {queued.state}.")
    floor.take_from_queue(views.world, queued)
    return Reply(204, effect={"removed": "queued_job", "ids": [queued.id]})


def _queued(call: Call, world: World) -> QueuedJob:
    device = found(world.devices, call.ids["device_id"], "device")
    queued = found(world.queued_jobs, call.ids["queued_job_id"], "queued job")
    if queued.device != device.id:
        raise NotThere(f"The queued job {queued.id} is not in the queue of {device.name}.")
    return queued
