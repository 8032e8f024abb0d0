"""What Eiger answers, checked at the border: frozen values; other fields are dropped.

Rules learnt from the real service: enums are open strings; a key may be absent where the contract
requires it; the material `"None"` means none. Personal data of print jobs has no field here, and
signed links are secrets, so that no log or record can hold them by accident. Units: seconds, cm³
(`ccs_…`), percent (`progress`). Times are aware, in UTC. Texts are cleaned as they enter.
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    RootModel,
    SecretStr,
    ValidationInfo,
)

from workflow.eiger.response import MAX_TEXT_LENGTH, clean_text


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time that a calendar has") from None


def _material_or_none(material: object) -> object:
    return None if material == "None" or material == "" else material  # noqa: PLR1714  # may be a list


def _costs_or_none(costs: object) -> object:
    """Return costs with a total; the contract does not know them, so other forms are no error."""
    total = costs.get("total") if isinstance(costs, dict) else getattr(costs, "total", None)
    is_amount = isinstance(total, int | float) and not isinstance(total, bool) and 0 <= total <= 10**8
    return costs if is_amount else None


def _sane_or_none(number: float | None) -> float | None:
    """Return a time, or a count, that a shop may have: with others no date can be reckoned, nor stored."""
    return number if number is not None and 0 <= number <= MAX_NUMBERS[type(number)] else None


def _clean(text: str, info: ValidationInfo) -> str:
    """Return the text without what could harm a log, a terminal or a note; the context redacts keys."""
    return text if _is_clean(text, info) else clean_text(text, info.context)


def _clean_long(text: str, info: ValidationInfo) -> str:
    return clean_text(text, info.context, MAX_REMARK_LENGTH)


def _require_id(text: str, info: ValidationInfo) -> str:
    """Return the id unchanged: a cleaned id would be another id. Raises ValueError."""
    is_clean = _is_clean(text, info) or clean_text(text, info.context) == text
    if not 0 < len(text) <= MAX_ID_LENGTH or " " in text or not is_clean:
        raise ValueError("this is no id")
    return text


def _is_clean(text: str, info: ValidationInfo) -> bool:
    """True for nearly every text: nothing in it has to be redacted, replaced or cut."""
    return info.context is None and len(text) <= MAX_TEXT_LENGTH and text.isprintable() and "://" not in text


MAX_ID_LENGTH = 128
MAX_REMARK_LENGTH = 4000
Text = Annotated[str, AfterValidator(_clean)]
"""A name, a title or a word: on one line, limited, without keys and signed links."""
LongText = Annotated[str, AfterValidator(_clean_long)]
UtcTime = Annotated[datetime, AfterValidator(_to_utc)]
Material = Annotated[Text | None, BeforeValidator(_material_or_none)]
Id = Annotated[str, AfterValidator(_require_id)]
MAX_NUMBERS = {float: 1e8, int: 10**5}  # seconds: three years
Seconds = Annotated[float | None, AfterValidator(_sane_or_none)]
Count = Annotated[int | None, AfterValidator(_sane_or_none)]


class ApiModel(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True, protected_namespaces=()
    )

    def says(self, field: str) -> bool:
        """True if the key was present: an absent key means no data, null is a value of the service."""
        return field in self.model_fields_set


N = TypeVar("N", bound=ApiModel)


class Page(ApiModel, Generic[N]):
    """One page of a list."""

    items: tuple[N, ...]
    has_more_items: bool


class Preset(ApiModel):
    """A settings preset: material and slicing choices."""

    id: Id
    title: Text


class Presets(RootModel[tuple[Preset, ...]]):
    """All presets, which come as a bare list."""


class User(ApiModel):
    """A user of the organization; the contract promises none of the fields."""

    id: Text | None = None
    name: Text | None = None
    email: Text | None = None


class UploadResult(ApiModel):
    """What an upload made, and the server's clock at that moment (None if unsaid)."""

    part_version_id: Id
    slice_job_id: Id
    server_time: datetime | None = None


class SliceStatus(ApiModel):
    """The status of a slice job."""

    status: Text

    @property
    def ended(self) -> bool:
        """True if the slice job is over; an unknown word means that it is not."""
        return self.status.upper() in {"COMPLETED", "ERROR", "CANCELED"}

    @property
    def completed(self) -> bool:
        """True if slicing succeeded."""
        return self.status.upper() == "COMPLETED"


class Part(ApiModel):
    """A part and the ids of its versions."""

    id: Id
    created_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    cloned_from: Text | None = None
    latest_partversion: Text | None = None
    part_versions: tuple[Text, ...] = ()


class EulerAngles(ApiModel):
    """The rotation of a part."""

    x: float | None = None
    y: float | None = None
    z: float | None = None


class PartSettings(ApiModel):
    """Scale, turn and unit that Eiger took an STL for; STL itself has no unit."""

    scale: float | None = None
    euler: EulerAngles | None = None
    units: Text | None = None


class PartVersion(ApiModel):
    """One version of a part: what an upload makes."""

    id: Id
    part_id: Text | None = None
    title: Text
    description: LongText | None = None
    version_number: float | None = None
    preview_url: SecretStr | None = None
    sliced: bool | None = None
    device_series: Text | None = None
    primary_material: Material = None
    secondary_material: Material = None
    settings: PartSettings | None = None


class Pose(ApiModel):
    """Where a part is on the bed of a build."""

    id: Text | None = None
    x: float | None = None
    y: float | None = None
    theta: float | None = None


class BuildCosts(ApiModel):
    """What a build costs at list prices, in USD."""

    total: float


Costs = Annotated[BuildCosts | None, BeforeValidator(_costs_or_none)]


class Build(ApiModel):
    """The sliced, printable result. All amounts are the slicer's estimates.

    `approved` None: the organization does not use approvals. `ccs_fiber_required` is newer than the
    contract and belongs to `secondary_material`.
    """

    id: Id
    title: Text
    created_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    part_count: int
    preview_url: SecretStr | None = None
    device_series: Text | None = None
    primary_material: Material = None
    secondary_material: Material = None
    ccs_primary_required: float | None = None
    ccs_secondary_required: float | None = None
    ccs_tertiary_required: float | None = None
    ccs_fiber_required: float | None = None
    standard_costs: Costs = None
    estimated_print_seconds: Seconds = None
    sliced: bool
    blacksmith_enabled: bool | None = None
    approved: bool | None = None


class BuildDetail(Build):
    """A build with the part versions it is made of."""

    part_versions: tuple[PartVersion, ...]
    poses: tuple[Pose, ...] = ()


class PrintJob(ApiModel):
    """A print job by itself. `Printing` may be months old: only a device's `active_job` is live."""

    id: Id
    state: Text
    queued_at: UtcTime | None = None
    created_at: UtcTime | None = None
    started_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    ended_at: UtcTime | None = None
    source: Text | None = None


class BuildPrintJob(PrintJob):
    """A print job with its build."""

    build: Build | None = None


class ActivePrintJob(BuildPrintJob):
    """A print job with its build and how far it is; it is live only where a device shows it."""

    printing_state: Text | None = None
    current_layer: Count = None
    layer_count: Count = None
    progress: float | None = None
    estimated_seconds_remaining: Seconds = None


class Device(ApiModel):
    """A printer or furnace. Offline, it says nothing of materials: no data is not "0 left"."""

    id: Id
    name: Text
    device_type: Text
    device_series: Text
    created_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    queue_estimated_time_seconds: Seconds = None
    queue_length: Count = None
    loaded_primary_material: Material = None
    loaded_secondary_material: Material = None
    ccs_primary_remaining: float | None = None
    ccs_secondary_remaining: float | None = None
    state: Text | None = None
    active_job: ActivePrintJob | None = None


class PrintJobDetail(ActivePrintJob):
    """A print job with its build and, if the service names one, its device."""

    device: Device | None = None


class QueuedPrintJob(ApiModel):
    """An entry in the queue of a device; the build is only in the reply for one entry."""

    id: Id
    state: Text
    queued_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    build: Build | None = None


class QueueEntry(QueuedPrintJob):
    """An entry of a whole queue: it always has its build."""

    build: Build


class DeviceQueue(ApiModel):
    """A device and what waits for it."""

    device: Device
    queue: tuple[QueueEntry, ...]


class PrintedPart(ApiModel):
    """One part that came out of a print job."""

    id: Id
    state: Text | None = None
    notes: LongText | None = None
    printed_at: UtcTime | None = None
    updated_at: UtcTime | None = None
    print_job: BuildPrintJob | None = None


class ScanReport(ApiModel):
    """Where the scan report of a printed part can be fetched for about an hour; None: not made yet."""

    scan_report_url: SecretStr | None


class PartScanReport(ScanReport):
    """The scan report of one part of a print job."""

    printed_part_id: Id


class PartScanReports(RootModel[tuple[PartScanReport, ...]]):
    """The scan reports of all parts of a print job, which come as a bare list."""


class SignedUrl(ApiModel):
    """A link that is good for about 30 seconds, for anyone who holds it."""

    url: SecretStr
