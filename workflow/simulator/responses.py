"""Which function answers which of the contract's operations."""

from collections.abc import Mapping

from workflow.simulator import answer_builds, answer_devices, answer_parts, answer_prints
from workflow.simulator.call import Answer

ANSWERS: Mapping[str, Answer] = {
    "listBuilds": answer_builds.list_builds,
    "readBuild": answer_builds.read_build,
    "listApprovedBuilds": answer_builds.list_approved_builds,
    "approveBuilds": answer_builds.approve_builds,
    "disableApprovedBuilds": answer_builds.disable_approved_builds,
    "sendBuildToBacklog": answer_builds.send_build_to_backlog,
    "sendBuildToJobRequestQueue": answer_builds.send_build_to_job_request_queue,
    "removeBuildFromJobRequestQueue": answer_builds.remove_build_from_job_request_queue,
    "listDevices": answer_devices.list_devices,
    "readDevice": answer_devices.read_device,
    "printToPrinter": answer_devices.print_to_printer,
    "listDeviceQueue": answer_devices.list_device_queue,
    "appendToDeviceQueue": answer_devices.append_to_device_queue,
    "readDeviceQueue": answer_devices.read_device_queue,
    "removeFromDeviceQueue": answer_devices.remove_from_device_queue,
    "readPart": answer_parts.read_part,
    "getSliceStatus": answer_parts.get_slice_status,
    "getOrgSettingsPresets": answer_parts.get_org_settings_presets,
    "readPartVersion": answer_parts.read_part_version,
    "readSignedURL": answer_parts.read_signed_url,
    "listUsers": answer_parts.list_users,
    "listPrintJobs": answer_prints.list_print_jobs,
    "readPrintJob": answer_prints.read_print_job,
    "getPrintJobPartScanReport": answer_prints.get_print_job_part_scan_report,
    "listPrintedParts": answer_prints.list_printed_parts,
    "readPrintedPart": answer_prints.read_printed_part,
    "getPrintedPartScanReport": answer_prints.get_printed_part_scan_report,
}
"""By operationId; `uploadStl` has one of its own, in `answer_upload`."""
