"""What the simulated Eiger keeps: frozen rows. Times are aware UTC, volumes cm³, durations seconds."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

NO_FIBER = "None"
"""The service's word for a material that is not there."""
ULTEM = "ULTEM™ 9085 Filament"


@dataclass(frozen=True, slots=True)
class Preset:
    """A settings preset: which series and materials a part is sliced for."""

    id: str
    title: str
    series: str
    primary: str
    secondary: str = NO_FIBER


@dataclass(frozen=True, slots=True)
class User:
    """An invented person of the organization."""

    id: str
    name: str
    email: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StlMeasurement:
    """What was measured in an STL; `flaw` says why it can't be sliced, None if it can."""

    format: str
    triangles: int
    size_mm: tuple[float, float, float]
    volume_cm3: float
    flaw: str | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The bytes of an upload, on disk."""

    path: Path
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the library, with the ids of its versions."""

    id: str
    created_at: datetime
    updated_at: datetime
    version_ids: tuple[str, ...]
    folder_id: str | None = None
    owner_id: str | None = None
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class PartVersion:
    """One uploaded shape of a part; `stl` is None for the parts that ship with the simulator."""

    id: str
    part_id: str
    title: str
    preset: Preset
    measured: StlMeasurement
    slice_job_id: str
    stl: StoredFile | None
    shipped: bool = False
    number: int = 1
    units: str = "mm"
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class SliceJob:
    """The slicing of one part version; `ended_as` is set when a person in Eiger ended it early."""

    id: str
    part_version_id: str
    requested_at: datetime
    ended_as: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A sliced, printable result."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    part_version_ids: tuple[str, ...]
    series: str
    primary: str
    secondary: str
    primary_cm3: float
    fiber_cm3: float
    support_cm3: float
    layers: int
    print_seconds: float
    sliced: bool = True
    blacksmith_enabled: bool = False
    shipped: bool = False

    @property
    def part_count(self) -> int:
        """Number of parts on the bed."""
        return len(self.part_version_ids)


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A build that was sent: to the backlog or the job requests, where it waits, or to a device.

    `asked_for` is backlog, job_request, print or queue. `source` is Eiger or Device: where it was started.
    `origin` is the entry of a queue, or the request, that it was started from.
    """

    id: str
    state: str
    asked_for: str
    build: str
    created_at: datetime
    updated_at: datetime
    device: str | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_date: date | None = None
    source: str = "Eiger"
    shipped: bool = False
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A build that waits in a device's queue."""

    id: str
    state: str
    device: str
    build: str
    queued_at: datetime
    updated_at: datetime
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A machine; `job` is the print job that it works on. An offline one reports no materials.

    One that is not `listed` is missing in the list of devices.
    """

    id: str
    name: str
    type: str
    series: str
    state: str
    primary: str
    secondary: str
    primary_cm3: float
    secondary_cm3: float
    created_at: datetime
    updated_at: datetime
    job: str | None = None
    listed: bool = True

    @property
    def online(self) -> bool:
        """True if the cloud is in contact with the machine."""
        return self.state != "Offline"


@dataclass(frozen=True, slots=True)
class PrintedPart:
    """One printed copy of a part."""

    id: str
    state: str
    print_job: str
    printed_at: datetime | None
    updated_at: datetime
    notes: str | None = None
    scan_asked_at: datetime | None = None
