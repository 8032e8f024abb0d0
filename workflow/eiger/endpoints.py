"""The 28 operations as typed calls, by resource: builds, devices and queues, parts, print jobs, users.

Only a build can be sent anywhere. Users are personal data: shown, never kept.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from workflow.eiger import operations as the
from workflow.eiger.download import download_stl
from workflow.eiger.models import (
    Build,
    BuildDetail,
    Device,
    DeviceQueue,
    Page,
    Part,
    PartScanReport,
    PartScanReports,
    PartVersion,
    Preset,
    Presets,
    PrintedPart,
    PrintJob,
    PrintJobDetail,
    QueuedPrintJob,
    ScanReport,
    SignedUrl,
    SliceStatus,
    UploadResult,
    User,
)
from workflow.eiger.operations import (
    BuildFilter,
    BuildSort,
    DeviceFilter,
    DeviceSort,
    PrintedPartFilter,
    PrintedPartSort,
    PrintJobFilter,
    PrintJobSort,
    SortOrder,
    UserFilter,
    UserSort,
    list_query,
    page_query,
)
from workflow.eiger.protocol import parse_response, parse_scan_report, raise_for_status
from workflow.eiger.request_body import BeforeSend, ProgressCallback, StlUpload
from workflow.eiger.resource import DEFAULT_PAGE_SIZE, WHOLE_LIST, ListTotals, Resource, paginate
from workflow.eiger.response import Response
from workflow.eiger.transport import Request

NO_CONTENT = 204


class BuildEndpoints(Resource):
    """The eight operations on builds."""

    def list_builds(
        self,
        filters: BuildFilter | None = None,
        *,
        sort_by: BuildSort = "created_at",
        order: SortOrder = "desc",
        page_size: int = DEFAULT_PAGE_SIZE,
    ) -> Iterator[Build]:
        """List builds, newest first by default; pages are read as they are needed."""
        return self._paginate(the.LIST_BUILDS, Page[Build], list_query(filters, sort_by, order), page_size)

    def read_build(self, build_id: str) -> BuildDetail:
        """Return a build with the part versions in it."""
        return self._get(the.READ_BUILD, BuildDetail, build_id=build_id)

    def list_approved_builds(self, *, page_size: int = DEFAULT_PAGE_SIZE) -> tuple[Build, ...] | None:
        """Return all approved builds; None when the organization does not use approvals."""
        totals = ListTotals(WHOLE_LIST)
        first = self._read_approved_page(1, page_size, totals)
        if first is None:
            return None

        def read_page(number: int) -> Page[Build]:
            page = first if number == 1 else self._read_approved_page(number, page_size, totals)
            return page or Page[Build](items=(), has_more_items=False)

        return tuple(paginate(read_page, the.LIST_APPROVED_BUILDS.id, totals))

    def approve_builds(self, build_ids: Iterable[str]) -> None:
        """Replace the set of approved builds: every other build loses its approval."""
        self._execute(the.APPROVE_BUILDS, {"builds": list(build_ids)})

    def disable_approved_builds(self) -> None:
        """Switch approvals off for the organization: every build may be printed."""
        self._execute(the.DISABLE_APPROVED_BUILDS)

    def send_build_to_backlog(
        self, build_id: str, due_date: date | None = None, *, before_send: BeforeSend | None = None
    ) -> PrintJob:
        """Put a build into the backlog; return the new print job, `Backlogged`."""
        body = _due_date_body(due_date)
        return self._post(the.SEND_BUILD_TO_BACKLOG, PrintJob, body, before_send, build_id=build_id)

    def send_build_to_job_request_queue(
        self, build_id: str, due_date: date | None = None, *, before_send: BeforeSend | None = None
    ) -> PrintJob:
        """Request a print of a build; return the new print job, `Backlogged`."""
        body = _due_date_body(due_date)
        return self._post(the.SEND_BUILD_TO_JOB_REQUEST_QUEUE, PrintJob, body, before_send, build_id=build_id)

    def remove_build_from_job_request_queue(self, build_id: str) -> None:
        """Remove a build from the job requests."""
        self._execute(the.REMOVE_BUILD_FROM_JOB_REQUEST_QUEUE, build_id=build_id)

    def _read_approved_page(self, number: int, page_size: int, totals: ListTotals) -> Page[Build] | None:
        def parse(response: Response, now: datetime) -> Page[Build] | None:
            totals.size_bytes += len(response.body)
            raise_for_status(the.LIST_APPROVED_BUILDS, response, now)
            if response.status == NO_CONTENT:
                return None
            return parse_response(the.LIST_APPROVED_BUILDS, Page[Build], response, now)

        place = the.LIST_APPROVED_BUILDS.place()
        request = Request(the.LIST_APPROVED_BUILDS, place, page_query(number, page_size))
        return self._exchange.call(request, parse)


def _due_date_body(due_date: date | None) -> dict[str, str]:
    """Write the body; `due_date` in the service's own spelling, for it refuses any other."""
    return {} if due_date is None else {"dueDate": due_date.isoformat()}


class DeviceEndpoints(Resource):
    """The seven operations on devices."""

    def list_devices(
        self,
        filters: DeviceFilter | None = None,
        *,
        sort_by: DeviceSort = "name",
        order: SortOrder = "asc",
        page_size: int = DEFAULT_PAGE_SIZE,
    ) -> Iterator[Device]:
        """List devices by name; each entry says as much as reading the device would."""
        return self._paginate(
            the.LIST_DEVICES, Page[Device], list_query(filters, sort_by, order), page_size, WHOLE_LIST
        )

    def read_device(self, device_id: str) -> Device:
        """Return a device; only its `active_job` has the live progress of a print."""
        return self._get(the.READ_DEVICE, Device, device_id=device_id)

    def print_to_printer(
        self, device_id: str, build_id: str, *, before_send: BeforeSend | None = None
    ) -> PrintJob:
        """Start a print: a machine will move. The answer does not mean that the printer took it.

        Watch `read_device(…).active_job` for the id of the print job that this gives. Raises Conflict
        when the printer is not ready.
        """
        body = {"build": build_id}
        return self._post(the.PRINT_TO_PRINTER, PrintJob, body, before_send, device_id=device_id)

    def list_device_queue(self, device_id: str) -> DeviceQueue:
        """Return a device and its whole queue."""
        return self._get(the.LIST_DEVICE_QUEUE, DeviceQueue, device_id=device_id)

    def append_to_device_queue(
        self, device_id: str, build_id: str, *, before_send: BeforeSend | None = None
    ) -> QueuedPrintJob:
        """Put a build at the end of a device's queue."""
        body = {"build": build_id}
        return self._post(the.APPEND_TO_DEVICE_QUEUE, QueuedPrintJob, body, before_send, device_id=device_id)

    def read_device_queue(self, device_id: str, queued_job_id: str) -> QueuedPrintJob:
        """Return one entry of a device's queue."""
        return self._get(
            the.READ_DEVICE_QUEUE, QueuedPrintJob, device_id=device_id, queued_job_id=queued_job_id
        )

    def remove_from_device_queue(self, device_id: str, queued_job_id: str) -> None:
        """Remove an entry from a device's queue."""
        self._execute(the.REMOVE_FROM_DEVICE_QUEUE, device_id=device_id, queued_job_id=queued_job_id)


class PartEndpoints(Resource):
    """The six operations on parts and part versions, and the download that one of them opens."""

    def upload_stl(
        self,
        stl: BinaryIO,
        filename: str,
        *,
        settings_preset_id: str | None = None,
        user_id: str | None = None,
        folder_id: str | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> UploadResult:
        """Upload a file from its present position to its end, in a stream; slicing starts by itself.

        Without a preset Eiger takes its own choice, without a user the owner of the organization,
        without a folder the library. Raises CloudError, OSError from the file, and EOFError when the
        file shrinks meanwhile.
        """
        fields = {"settingsPresetId": settings_preset_id, "userId": user_id, "folderId": folder_id}
        chosen = {name: value for name, value in fields.items() if value is not None}
        upload = StlUpload(stl, filename, chosen, on_progress)

        def parse(response: Response, now: datetime) -> UploadResult:
            made = parse_response(the.UPLOAD_STL, UploadResult, response, now)
            return made.model_copy(update={"server_time": response.date})

        return self._exchange.call(Request(the.UPLOAD_STL, the.UPLOAD_STL.place(), upload=upload), parse)

    def get_slice_status(self, slice_job_id: str) -> SliceStatus:
        """Return the status of a slice job."""
        return self._get(the.GET_SLICE_STATUS, SliceStatus, slice_job_id=slice_job_id)

    def get_org_settings_presets(self) -> tuple[Preset, ...]:
        """Return all settings presets of the organization."""
        return self._get(the.GET_ORG_SETTINGS_PRESETS, Presets).root

    def read_part(self, part_id: str) -> Part:
        """Return a part with the ids of its versions."""
        return self._get(the.READ_PART, Part, part_id=part_id)

    def read_part_version(self, part_version_id: str) -> PartVersion:
        """Return a version of a part: its title, and the unit and scale that Eiger assumed."""
        return self._get(the.READ_PART_VERSION, PartVersion, part_version_id=part_version_id)

    def download_part_version(
        self, part_version_id: str, target: Path, on_progress: ProgressCallback | None = None
    ) -> int:
        """Write the STL of a part version to `target`; return its size in bytes. Nothing is replaced.

        The file has a temporary name until it is whole. Raises CloudError, OSError, and
        FileExistsError when `target` exists.
        """
        return download_stl(self._exchange, part_version_id, target, on_progress)

    def read_signed_url(self, part_version_id: str) -> SignedUrl:
        """Return a link to the STL of a part version, good for about 30 seconds."""
        return self._get(the.READ_SIGNED_URL, SignedUrl, part_version_id=part_version_id)


class PrintEndpoints(Resource):
    """The six operations on print jobs and printed parts."""

    def list_print_jobs(
        self,
        filters: PrintJobFilter | None = None,
        *,
        sort_by: PrintJobSort = "created_at",
        order: SortOrder = "desc",
        page_size: int = DEFAULT_PAGE_SIZE,
    ) -> Iterator[PrintJobDetail]:
        """List print jobs, newest first. `Printing` in this list may be months old."""
        return self._paginate(
            the.LIST_PRINT_JOBS, Page[PrintJobDetail], list_query(filters, sort_by, order), page_size
        )

    def read_print_job(self, print_job_id: str) -> PrintJobDetail:
        """Return a print job with its build and, if the service names one, its device."""
        return self._get(the.READ_PRINT_JOB, PrintJobDetail, print_job_id=print_job_id)

    def get_print_job_part_scan_report(self, print_job_id: str) -> tuple[PartScanReport, ...]:
        """Return the link to the scan report of each part of a print job; None where none exists yet."""
        return self._get(the.GET_PRINT_JOB_PART_SCAN_REPORT, PartScanReports, print_job_id=print_job_id).root

    def list_printed_parts(
        self,
        filters: PrintedPartFilter | None = None,
        *,
        sort_by: PrintedPartSort = "printed_at",
        order: SortOrder = "desc",
        page_size: int = DEFAULT_PAGE_SIZE,
    ) -> Iterator[PrintedPart]:
        """List printed parts, the latest first."""
        return self._paginate(
            the.LIST_PRINTED_PARTS, Page[PrintedPart], list_query(filters, sort_by, order), page_size
        )

    def read_printed_part(self, printed_part_id: str) -> PrintedPart:
        """Return one printed part."""
        return self._get(the.READ_PRINTED_PART, PrintedPart, printed_part_id=printed_part_id)

    def get_printed_part_scan_report(self, printed_part_id: str) -> ScanReport:
        """Return the link to a scan report, None at first: the first request makes Eiger create it."""
        operation = the.GET_PRINTED_PART_SCAN_REPORT

        def parse(response: Response, now: datetime) -> ScanReport:
            return parse_scan_report(operation, response, now)

        request = Request(operation, operation.place(printed_part_id=printed_part_id))
        return self._exchange.call(request, parse)


class UserEndpoints(Resource):
    """The one operation on users."""

    def list_users(
        self,
        filters: UserFilter | None = None,
        *,
        sort_by: UserSort = "name",
        order: SortOrder = "asc",
        page_size: int = DEFAULT_PAGE_SIZE,
    ) -> Iterator[User]:
        """List the users of the organization by name."""
        return self._paginate(
            the.LIST_USERS, Page[User], list_query(filters, sort_by, order), page_size, WHOLE_LIST
        )
