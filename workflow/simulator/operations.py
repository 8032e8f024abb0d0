"""The operations of the contract: from a call to its reply. The upload is in `upload.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from workflow.simulator import parts, printers
from workflow.simulator.connection import Reply, encode_json
from workflow.simulator.contract import Operation
from workflow.simulator.models import Build, Device, Part, PartVersion, PrintedPart, PrintJob, QueuedJob
from workflow.simulator.query import FieldGetter, R, Table, parse_query, select_page
from workflow.simulator.views import DOWNLOAD_SECONDS, View, Views
from workflow.simulator.world import NotFound, World, require_row


@dataclass(frozen=True, slots=True)
class Call:
    """A request that fits the contract: ids of the path, typed query and body values by name."""

    operation: Operation
    ids: Mapping[str, str]
    query: Mapping[str, object]
    body: Mapping[str, object]


OperationFunction = Callable[[Call, Views], Reply]


def list_reply(
    call: Call, table: Table[R], show: Callable[[R], View], value_of: FieldGetter[R] = getattr
) -> Reply:
    """Return the reply of a list operation: the requested page."""
    asked = select_page(table, parse_query(call.operation, call.query), value_of)
    return Reply(200, {"has_more_items": asked.has_more, "items": [show(row) for row in asked.rows]})


def requested_build(call: Call, world: World) -> Build:
    """Return the build that the path or the body names. Raises NotFound."""
    return require_row(world.builds, call.ids.get("build_id") or call.body["build"], "build")


def requested_device(call: Call, world: World) -> Device:
    """Return the device that the path names. Raises NotFound."""
    return require_row(world.devices, call.ids["device_id"], "device")


def requested_part_version(call: Call, world: World) -> PartVersion:
    """Return the part version that the path names. Raises NotFound."""
    return require_row(world.part_versions, call.ids["part_version_id"], "part version")


def requested_print_job(call: Call, world: World) -> PrintJob:
    """Return the print job that the path names. Raises NotFound."""
    return require_row(world.print_jobs, call.ids["print_job_id"], "print job")


def requested_printed_part(call: Call, world: World) -> PrintedPart:
    """Return the printed part that the path names. Raises NotFound."""
    return require_row(world.printed_parts, call.ids["printed_part_id"], "printed part")


def print_job_effect(job: PrintJob) -> Mapping[str, object]:
    """Return the journal's entry for a new print job."""
    return {
        "made": "print_job",
        "id": job.id,
        "asked_for": job.asked_for,
        "build": job.build,
        "device": job.device,
    }


def list_builds(call: Call, views: Views) -> Reply:
    """Return all builds; `approved` belongs to the organization, not to a build's row."""
    approved = views.world.approved

    def value_of(build: Build, field: str) -> object:
        if field == "approved":
            return None if approved is None else build.id in approved
        return getattr(build, field)

    return list_reply(call, views.world.builds, views.build, value_of)


def list_approved_builds(call: Call, views: Views) -> Reply:
    """Return the approved builds; 204 while approvals are not in use."""
    if views.world.approved is None:
        return Reply(204)
    approved: Table[Build] = Table()
    for build in views.world.builds:
        if build.id in views.world.approved:
            approved.put(build)
    return list_reply(call, approved, views.build)


def approve_builds(call: Call, views: Views) -> Reply:
    """Replace the approved set with the named builds."""
    named = call.body["builds"]
    ids = [str(build_id) for build_id in named] if isinstance(named, list) else []
    for build_id in ids:
        require_row(views.world.builds, build_id, "build")
    views.world.approved = frozenset(ids)
    return Reply(204, effect={"changed": "approvals", "builds": ids})


def disable_approved_builds(_call: Call, views: Views) -> Reply:
    """Switch approvals off: every build may be printed."""
    views.world.approved = None
    return Reply(204, effect={"changed": "approvals", "builds": None})


def send_build_to_backlog(call: Call, views: Views) -> Reply:
    """Make a print job in state Backlogged."""
    return _add_waiting_job(call, views, "backlog")


def send_build_to_job_request_queue(call: Call, views: Views) -> Reply:
    """Make a print job in state Backlogged, in the job requests."""
    return _add_waiting_job(call, views, "job_request")


def _add_waiting_job(call: Call, views: Views, asked_for: str) -> Reply:
    due = call.body.get("dueDate")
    build = requested_build(call, views.world)
    job = parts.add_waiting_job(views.world, build, asked_for, due if isinstance(due, date) else None)
    return Reply(201, views.print_job(job), effect=print_job_effect(job))


def remove_build_from_job_request_queue(call: Call, views: Views) -> Reply:
    """Delete the build's print jobs from the job requests."""
    gone = parts.remove_job_requests(views.world, requested_build(call, views.world))
    return Reply(204, effect={"removed": "print_job", "ids": [job.id for job in gone]})


def list_devices(call: Call, views: Views) -> Reply:
    """Return all devices; as measured, each has the same keys as one that is read alone."""
    listed: Table[Device] = Table("name")
    for device in views.world.devices:
        if device.listed:
            listed.put(device)
    return list_reply(call, listed, views.device_extended)


def print_to_printer(call: Call, views: Views) -> Reply:
    """Start a print on a device; 201 is no proof that the device takes the job."""
    device = requested_device(call, views.world)
    job = printers.print_now(views.world, device, requested_build(call, views.world))
    return Reply(201, views.print_job(job), effect=print_job_effect(job))


def list_device_queue(call: Call, views: Views) -> Reply:
    """Return a device and its queue."""
    device = requested_device(call, views.world)
    queue = [views.queued_job_extended(queued) for queued in printers.waiting_jobs(views.world, device)]
    return Reply(200, {"device": views.device_extended(device), "queue": queue})


def append_to_device_queue(call: Call, views: Views) -> Reply:
    """Put a build at the end of a device's queue."""
    device = requested_device(call, views.world)
    queued = printers.append_to_queue(views.world, device, requested_build(call, views.world))
    effect = {"made": "queued_job", "id": queued.id, "build": queued.build, "device": queued.device}
    return Reply(201, views.queued_job(queued), effect=effect)


def read_device_queue(call: Call, views: Views) -> Reply:
    """Return one entry of a queue, also after it was started or removed."""
    return Reply(200, views.queued_job_extended(_requested_queued_job(call, views.world)))


def remove_from_device_queue(call: Call, views: Views) -> Reply:
    """Remove an entry from its queue."""
    queued = _requested_queued_job(call, views.world)
    if queued.state != "Queued":
        raise NotFound(f"The queued job {queued.id} no longer waits: {queued.state}.")
    printers.remove_from_queue(views.world, queued)
    return Reply(204, effect={"removed": "queued_job", "ids": [queued.id]})


def _requested_queued_job(call: Call, world: World) -> QueuedJob:
    device = requested_device(call, world)
    queued = require_row(world.queued_jobs, call.ids["queued_job_id"], "queued job")
    if queued.device != device.id:
        raise NotFound(f"The queued job {queued.id} is not in the queue of {device.name}.")
    return queued


def get_slice_status(call: Call, views: Views) -> Reply:
    """Return the status of a slice job."""
    slicing = require_row(views.world.slice_jobs, call.ids["slice_job_id"], "slice job")
    return Reply(200, {"status": parts.slice_status(views.world, slicing)})


def get_org_settings_presets(_call: Call, views: Views) -> Reply:
    """Return all settings presets, as a bare array."""
    return Reply(200, [{"title": preset.title, "id": preset.id} for preset in views.world.presets])


def read_signed_url(call: Call, views: Views) -> Reply:
    """Return a link to the part version's STL that works for 30 seconds."""
    version = requested_part_version(call, views.world)
    if version.stl is None:
        raise NotFound(f"{version.title} ships with the simulator: there is no file for it.")
    url = views.links.sign(f"stl/{version.id}", views.world.now, DOWNLOAD_SECONDS)
    return Reply(200, {"url": url})


def get_print_job_part_scan_report(call: Call, views: Views) -> Reply:
    """Return links to the scan reports of a print's parts; null until a report was requested and made."""
    job = requested_print_job(call, views.world)
    printed_parts = views.world.printed_parts.prefiltered({"print_job": job.id})
    reports = [
        {"printed_part_id": printed.id, "scan_report_url": views.scan_report_url(printed)}
        for printed in printed_parts
    ]
    return Reply(200, reports)


def get_printed_part_scan_report(call: Call, views: Views) -> Reply:
    """Request a scan report; once it is made, its link is in the Location header."""
    printed = requested_printed_part(call, views.world)
    if printed.scan_asked_at is None:
        printed = views.world.printed_parts.put(replace(printed, scan_asked_at=views.world.now))
        effect = {"asked": "scan_report", "id": printed.id}
        return Reply(200, headers=_scan_report_headers(None), effect=effect)
    return Reply(200, headers=_scan_report_headers(views.scan_report_url(printed)))


def _scan_report_headers(url: str | None) -> Mapping[str, str]:
    """Return the header in which the contract puts an object, written as JSON (assumed)."""
    return {"Location": encode_json({"scan_report_url": url})}


def _requested_part(call: Call, world: World) -> Part:
    return require_row(world.parts, call.ids["part_id"], "part")


def _list_of(table: Callable[[World], Table[R]], show: Callable[[Views, R], View]) -> OperationFunction:
    return lambda call, views: list_reply(call, table(views.world), partial(show, views))


def _one(find: Callable[[Call, World], R], show: Callable[[Views, R], View]) -> OperationFunction:
    return lambda call, views: Reply(200, show(views, find(call, views.world)))


OPERATION_FUNCTIONS: Mapping[str, OperationFunction] = {
    "listBuilds": list_builds,
    "readBuild": _one(requested_build, Views.build_extended),
    "listApprovedBuilds": list_approved_builds,
    "approveBuilds": approve_builds,
    "disableApprovedBuilds": disable_approved_builds,
    "sendBuildToBacklog": send_build_to_backlog,
    "sendBuildToJobRequestQueue": send_build_to_job_request_queue,
    "removeBuildFromJobRequestQueue": remove_build_from_job_request_queue,
    "listDevices": list_devices,
    "readDevice": _one(requested_device, Views.device_extended),
    "printToPrinter": print_to_printer,
    "listDeviceQueue": list_device_queue,
    "appendToDeviceQueue": append_to_device_queue,
    "readDeviceQueue": read_device_queue,
    "removeFromDeviceQueue": remove_from_device_queue,
    "readPart": _one(_requested_part, Views.part),
    "getSliceStatus": get_slice_status,
    "getOrgSettingsPresets": get_org_settings_presets,
    "readPartVersion": _one(requested_part_version, Views.part_version),
    "readSignedURL": read_signed_url,
    "listUsers": _list_of(lambda world: world.users, Views.user),
    "listPrintJobs": _list_of(lambda world: world.print_jobs, Views.print_job_extended),
    "readPrintJob": _one(requested_print_job, Views.print_job_extended),
    "getPrintJobPartScanReport": get_print_job_part_scan_report,
    "listPrintedParts": _list_of(lambda world: world.printed_parts, Views.printed_part),
    "readPrintedPart": _one(requested_printed_part, Views.printed_part),
    "getPrintedPartScanReport": get_printed_part_scan_report,
}
"""By operationId, without `uploadStl`."""
