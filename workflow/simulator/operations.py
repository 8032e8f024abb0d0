"""One function for each operation of the contract: the reply to a call. The upload is in `upload.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from workflow.simulator import parts, printers
from workflow.simulator.connection import Reply, encode_json
from workflow.simulator.contract import Operation
from workflow.simulator.models import Build, Device, PrintJob, QueuedJob
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


def read_build(call: Call, views: Views) -> Reply:
    """Return one build with its part versions."""
    return Reply(200, views.build_extended(requested_build(call, views.world)))


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


def read_device(call: Call, views: Views) -> Reply:
    """Return one device with the job that runs on it."""
    return Reply(
        200, views.device_extended(require_row(views.world.devices, call.ids["device_id"], "device"))
    )


def print_to_printer(call: Call, views: Views) -> Reply:
    """Start a print on a device; 201 is no proof that the device takes the job."""
    device = require_row(views.world.devices, call.ids["device_id"], "device")
    job = printers.print_now(views.world, device, requested_build(call, views.world))
    return Reply(201, views.print_job(job), effect=print_job_effect(job))


def list_device_queue(call: Call, views: Views) -> Reply:
    """Return a device and its queue."""
    device = require_row(views.world.devices, call.ids["device_id"], "device")
    queue = [views.queued_job_extended(queued) for queued in printers.waiting_jobs(views.world, device)]
    return Reply(200, {"device": views.device_extended(device), "queue": queue})


def append_to_device_queue(call: Call, views: Views) -> Reply:
    """Put a build at the end of a device's queue."""
    device = require_row(views.world.devices, call.ids["device_id"], "device")
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
    device = require_row(world.devices, call.ids["device_id"], "device")
    queued = require_row(world.queued_jobs, call.ids["queued_job_id"], "queued job")
    if queued.device != device.id:
        raise NotFound(f"The queued job {queued.id} is not in the queue of {device.name}.")
    return queued


def read_part(call: Call, views: Views) -> Reply:
    """Return one part."""
    return Reply(200, views.part(require_row(views.world.parts, call.ids["part_id"], "part")))


def get_slice_status(call: Call, views: Views) -> Reply:
    """Return the status of a slice job."""
    slicing = require_row(views.world.slice_jobs, call.ids["slice_job_id"], "slice job")
    return Reply(200, {"status": parts.slice_status(views.world, slicing)})


def get_org_settings_presets(_call: Call, views: Views) -> Reply:
    """Return all settings presets, as a bare array."""
    return Reply(200, [{"title": preset.title, "id": preset.id} for preset in views.world.presets])


def read_part_version(call: Call, views: Views) -> Reply:
    """Return one part version."""
    version = require_row(views.world.part_versions, call.ids["part_version_id"], "part version")
    return Reply(200, views.part_version(version))


def read_signed_url(call: Call, views: Views) -> Reply:
    """Return a link to the part version's STL that works for 30 seconds."""
    version = require_row(views.world.part_versions, call.ids["part_version_id"], "part version")
    if version.stl is None:
        raise NotFound(f"{version.title} ships with the simulator: there is no file for it.")
    url = views.links.sign(f"stl/{version.id}", views.world.now, DOWNLOAD_SECONDS)
    return Reply(200, {"url": url})


def list_users(call: Call, views: Views) -> Reply:
    """Return all users."""
    return list_reply(call, views.world.users, views.user)


def list_print_jobs(call: Call, views: Views) -> Reply:
    """Return all print jobs."""
    return list_reply(call, views.world.print_jobs, views.print_job_extended)


def read_print_job(call: Call, views: Views) -> Reply:
    """Return one print job."""
    job = require_row(views.world.print_jobs, call.ids["print_job_id"], "print job")
    return Reply(200, views.print_job_extended(job))


def get_print_job_part_scan_report(call: Call, views: Views) -> Reply:
    """Return links to the scan reports of a print's parts; null until a report was requested and made."""
    job = require_row(views.world.print_jobs, call.ids["print_job_id"], "print job")
    printed_parts = views.world.printed_parts.prefiltered({"print_job": job.id})
    reports = [
        {"printed_part_id": printed.id, "scan_report_url": views.scan_report_url(printed)}
        for printed in printed_parts
    ]
    return Reply(200, reports)


def list_printed_parts(call: Call, views: Views) -> Reply:
    """Return all printed parts."""
    return list_reply(call, views.world.printed_parts, views.printed_part)


def read_printed_part(call: Call, views: Views) -> Reply:
    """Return one printed part."""
    printed = require_row(views.world.printed_parts, call.ids["printed_part_id"], "printed part")
    return Reply(200, views.printed_part(printed))


def get_printed_part_scan_report(call: Call, views: Views) -> Reply:
    """Request a scan report; once it is made, its link is in the Location header."""
    printed = require_row(views.world.printed_parts, call.ids["printed_part_id"], "printed part")
    if printed.scan_asked_at is None:
        printed = views.world.printed_parts.put(replace(printed, scan_asked_at=views.world.now))
        effect = {"asked": "scan_report", "id": printed.id}
        return Reply(200, headers=_scan_report_headers(None), effect=effect)
    return Reply(200, headers=_scan_report_headers(views.scan_report_url(printed)))


def _scan_report_headers(url: str | None) -> Mapping[str, str]:
    """Return the header in which the contract puts an object, written as JSON (assumed)."""
    return {"Location": encode_json({"scan_report_url": url})}


OPERATION_FUNCTIONS: Mapping[str, OperationFunction] = {
    "listBuilds": list_builds,
    "readBuild": read_build,
    "listApprovedBuilds": list_approved_builds,
    "approveBuilds": approve_builds,
    "disableApprovedBuilds": disable_approved_builds,
    "sendBuildToBacklog": send_build_to_backlog,
    "sendBuildToJobRequestQueue": send_build_to_job_request_queue,
    "removeBuildFromJobRequestQueue": remove_build_from_job_request_queue,
    "listDevices": list_devices,
    "readDevice": read_device,
    "printToPrinter": print_to_printer,
    "listDeviceQueue": list_device_queue,
    "appendToDeviceQueue": append_to_device_queue,
    "readDeviceQueue": read_device_queue,
    "removeFromDeviceQueue": remove_from_device_queue,
    "readPart": read_part,
    "getSliceStatus": get_slice_status,
    "getOrgSettingsPresets": get_org_settings_presets,
    "readPartVersion": read_part_version,
    "readSignedURL": read_signed_url,
    "listUsers": list_users,
    "listPrintJobs": list_print_jobs,
    "readPrintJob": read_print_job,
    "getPrintJobPartScanReport": get_print_job_part_scan_report,
    "listPrintedParts": list_printed_parts,
    "readPrintedPart": read_printed_part,
    "getPrintedPartScanReport": get_printed_part_scan_report,
}
"""By operationId, without `uploadStl`."""
