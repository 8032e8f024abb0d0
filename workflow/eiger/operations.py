"""The 28 operations of Eiger's API v3: name, method, path. Source: the published contract, 3.0.1."""

import re
from dataclasses import dataclass

from workflow.errors import BadRequest

VALID_ID = re.compile(r"(?!approved$)[0-9A-Za-z_-]{1,64}")
"""Ids are uuids. Whatever could mean another path (empty, dots, slashes, `approved`) is no id."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `id` is the contract's operationId, `path` has its parameters in braces.

    `answers_in_location`: the contract puts the answer into the Location header instead of a body.
    """

    id: str
    method: str
    path: str
    answers_in_location: bool = False

    @property
    def reads(self) -> bool:
        """True for GET: safe to retry."""
        return self.method == "GET"

    @property
    def hides_not_found(self) -> bool:
        """True if the contract has no 404 for it and maps 500 to "resource not found"."""
        return self.path.startswith(("/parts/", "/part_versions/"))

    def place(self, **ids: str) -> str:
        """Return the path with the ids filled in. Raises BadRequest for what can't be an id."""
        for name, value in ids.items():
            if not VALID_ID.fullmatch(value):
                noun = name.removesuffix("_id").replace("_", " ")
                raise BadRequest(
                    f"'{value[:64]}' is no {noun} id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab.",
                    operation=self.id,
                )
        return self.path.format(**ids)


SEND_BUILD_TO_BACKLOG = Operation("sendBuildToBacklog", "POST", "/backlog/{build_id}")
LIST_BUILDS = Operation("listBuilds", "GET", "/builds")
READ_BUILD = Operation("readBuild", "GET", "/builds/{build_id}")
LIST_APPROVED_BUILDS = Operation("listApprovedBuilds", "GET", "/builds/approved")
APPROVE_BUILDS = Operation("approveBuilds", "PUT", "/builds/approved")
DISABLE_APPROVED_BUILDS = Operation("disableApprovedBuilds", "DELETE", "/builds/approved")
LIST_DEVICES = Operation("listDevices", "GET", "/devices")
READ_DEVICE = Operation("readDevice", "GET", "/devices/{device_id}")
PRINT_TO_PRINTER = Operation("printToPrinter", "POST", "/devices/{device_id}")
LIST_DEVICE_QUEUE = Operation("listDeviceQueue", "GET", "/devices/{device_id}/queue")
APPEND_TO_DEVICE_QUEUE = Operation("appendToDeviceQueue", "POST", "/devices/{device_id}/queue")
REMOVE_FROM_DEVICE_QUEUE = Operation(
    "removeFromDeviceQueue", "DELETE", "/devices/{device_id}/queue/{queued_job_id}"
)
READ_DEVICE_QUEUE = Operation("readDeviceQueue", "GET", "/devices/{device_id}/queue/{queued_job_id}")
SEND_BUILD_TO_JOB_REQUEST_QUEUE = Operation("sendBuildToJobRequestQueue", "POST", "/job-requests/{build_id}")
REMOVE_BUILD_FROM_JOB_REQUEST_QUEUE = Operation(
    "removeBuildFromJobRequestQueue", "DELETE", "/job-requests/{build_id}"
)
READ_PART = Operation("readPart", "GET", "/parts/{part_id}")
UPLOAD_STL = Operation("uploadStl", "POST", "/parts/upload_stl")
GET_SLICE_STATUS = Operation("getSliceStatus", "GET", "/parts/slice_status/{slice_job_id}")
GET_ORG_SETTINGS_PRESETS = Operation("getOrgSettingsPresets", "GET", "/parts/settings_presets")
READ_PART_VERSION = Operation("readPartVersion", "GET", "/part_versions/{part_version_id}")
READ_SIGNED_URL = Operation("readSignedURL", "GET", "/part_versions/{part_version_id}/download")
LIST_PRINT_JOBS = Operation("listPrintJobs", "GET", "/print_jobs")
READ_PRINT_JOB = Operation("readPrintJob", "GET", "/print_jobs/{print_job_id}")
GET_PRINT_JOB_PART_SCAN_REPORT = Operation(
    "getPrintJobPartScanReport", "GET", "/print_jobs/{print_job_id}/scan_report"
)
LIST_PRINTED_PARTS = Operation("listPrintedParts", "GET", "/printed_parts")
READ_PRINTED_PART = Operation("readPrintedPart", "GET", "/printed_parts/{printed_part_id}")
GET_PRINTED_PART_SCAN_REPORT = Operation(
    "getPrintedPartScanReport",
    "GET",
    "/printed_parts/{printed_part_id}/scan_report",
    answers_in_location=True,
)
LIST_USERS = Operation("listUsers", "GET", "/users")

OPERATIONS = tuple(value for value in globals().values() if isinstance(value, Operation))
"""All of them, in the contract's order."""
