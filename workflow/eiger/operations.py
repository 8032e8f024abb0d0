"""The 28 operations of Eiger's API v3, and the filters and order of its six lists, as typed values.

Source: the published contract, 3.0.1. A filter that is None does not filter. `…_from` and `…_to` include the
limit, `…_after` and `…_before` do not; the same for counts: `…_min`, `…_max` include it, `…_over`, `…_under`
do not.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

from workflow.errors import BadRequest
from workflow.frozen import frozen

VALID_ID = re.compile(r"(?!approved$)[0-9A-Za-z_-]{1,64}")
"""Ids are uuids. Whatever could mean another path (empty, dots, slashes, `approved`) is no id."""


@frozen
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


SortOrder = Literal["asc", "desc"]
BuildSort = Literal["created_at", "title"]
DeviceSort = Literal["name", "created_at", "updated_at"]
PrintJobSort = Literal["created_at", "started_at", "updated_at", "ended_at"]
PrintedPartSort = Literal["printed_at", "updated_at"]
UserSort = Literal["name", "email", "created_at"]
Query = tuple[tuple[str, str], ...]

MAX_PAGE_SIZE = 1000
_type_hints = cache(get_type_hints)


@frozen
class FilterField:
    """Which field of the list is compared, and how; the contract's `filter[field][operator]`."""

    field: str
    operator: str = "eq"

    @property
    def parameter(self) -> str:
        """Return the name in the query."""
        return f"filter[{self.field}][{self.operator}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedFilter:
    """When something was made."""

    created_after: Annotated[datetime | None, FilterField("created_at", "gt")] = None
    created_from: Annotated[datetime | None, FilterField("created_at", "ge")] = None
    created_before: Annotated[datetime | None, FilterField("created_at", "lt")] = None
    created_to: Annotated[datetime | None, FilterField("created_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFilter(CreatedFilter):
    """When something was made, and changed last."""

    updated_after: Annotated[datetime | None, FilterField("updated_at", "gt")] = None
    updated_from: Annotated[datetime | None, FilterField("updated_at", "ge")] = None
    updated_before: Annotated[datetime | None, FilterField("updated_at", "lt")] = None
    updated_to: Annotated[datetime | None, FilterField("updated_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFilter(ChangedFilter):
    """Which builds."""

    title: Annotated[str | None, FilterField("title")] = None
    part_count: Annotated[int | None, FilterField("part_count")] = None
    part_count_not: Annotated[int | None, FilterField("part_count", "ne")] = None
    part_count_over: Annotated[int | None, FilterField("part_count", "gt")] = None
    part_count_min: Annotated[int | None, FilterField("part_count", "ge")] = None
    part_count_under: Annotated[int | None, FilterField("part_count", "lt")] = None
    part_count_max: Annotated[int | None, FilterField("part_count", "le")] = None
    sliced: Annotated[bool | None, FilterField("sliced")] = None
    blacksmith_enabled: Annotated[bool | None, FilterField("blacksmith_enabled")] = None
    approved: Annotated[bool | None, FilterField("approved")] = None
    approved_not: Annotated[bool | None, FilterField("approved", "ne")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter(ChangedFilter):
    """Which devices."""

    name: Annotated[str | None, FilterField("name")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter(ChangedFilter):
    """Which users."""

    name: Annotated[str | None, FilterField("name")] = None
    email: Annotated[str | None, FilterField("email")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintJobFilter(ChangedFilter):
    """Which print jobs. A filter on the end drops jobs that have not ended."""

    state: Annotated[str | None, FilterField("state")] = None
    state_not: Annotated[str | None, FilterField("state", "ne")] = None
    build: Annotated[str | None, FilterField("build")] = None
    device: Annotated[str | None, FilterField("device")] = None
    started_after: Annotated[datetime | None, FilterField("started_at", "gt")] = None
    started_from: Annotated[datetime | None, FilterField("started_at", "ge")] = None
    started_before: Annotated[datetime | None, FilterField("started_at", "lt")] = None
    started_to: Annotated[datetime | None, FilterField("started_at", "le")] = None
    ended_after: Annotated[datetime | None, FilterField("ended_at", "gt")] = None
    ended_from: Annotated[datetime | None, FilterField("ended_at", "ge")] = None
    ended_before: Annotated[datetime | None, FilterField("ended_at", "lt")] = None
    ended_to: Annotated[datetime | None, FilterField("ended_at", "le")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedPartFilter:
    """Which printed parts."""

    state: Annotated[str | None, FilterField("state")] = None
    state_not: Annotated[str | None, FilterField("state", "ne")] = None
    notes: Annotated[str | None, FilterField("notes")] = None
    notes_not: Annotated[str | None, FilterField("notes", "ne")] = None


Filter = CreatedFilter | PrintedPartFilter


def filter_fields(kind: type[Filter]) -> dict[str, FilterField]:
    """Return what each field of a filter compares."""
    hashable: Any = kind  # mypy takes a union of classes for unhashable
    hints = _type_hints(hashable, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def filter_query(filters: Filter) -> Query:
    """Write a filter as query parameters. Raises ValueError for a time without a zone."""
    chosen = ((where, getattr(filters, name)) for name, where in filter_fields(type(filters)).items())
    return tuple(
        (where.parameter, _format_filter_value(value, where)) for where, value in chosen if value is not None
    )


def list_query(filters: Filter | None, sort_by: str, order: SortOrder) -> Query:
    """Write filter and sorting; the order is always said, for the contract's defaults contradict its text."""
    sorting = (("sort[by]", sort_by), ("sort[order]", order))
    return sorting if filters is None else (*filter_query(filters), *sorting)


def page_query(number: int, size: int) -> Query:
    """Write which page. Raises ValueError outside 1 to 1000 entries."""
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise ValueError(f"A page holds 1 to {MAX_PAGE_SIZE} entries, not {size}.")
    return (("page[number]", str(number)), ("page[size]", str(size)))


def _format_filter_value(value: object, where: FilterField) -> str:
    if isinstance(value, datetime):
        return _format_time(value, round_up=where.operator in {"lt", "le"})
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _format_time(moment: datetime, *, round_up: bool) -> str:
    """Whole seconds, the only form seen on the real service, rounded so that nothing is left out."""
    if moment.tzinfo is None:
        raise ValueError("A time to filter by needs a time zone.")
    whole = moment.astimezone(UTC).replace(microsecond=0)
    if round_up and moment.microsecond:
        whole += timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
