"""The nouns of stlflow: frozen values that every room may speak of.

Lengths are mm, volumes cm³, areas cm², durations seconds, times aware UTC datetimes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

FactValue = str | int | float | bool
Facts = Mapping[str, FactValue]
"""Flat facts that rules look at, by documented name; a fact that is not known is absent."""

NO_FACTS: Facts = MappingProxyType({})


class SubmissionState(StrEnum):
    """Where a submission stands."""

    CLAIMED = "claimed"
    INSPECTED = "inspected"
    UPLOADED = "uploaded"
    SLICING = "slicing"
    SLICED = "sliced"
    ROUTED = "routed"
    DISPATCHED = "dispatched"
    PRINTING = "printing"
    PRINTED = "printed"
    HELD = "held"
    REJECTED = "rejected"
    CANCELED = "canceled"


UNUSED_STATES = frozenset({SubmissionState.UPLOADED, SubmissionState.PRINTING, SubmissionState.PRINTED})
"""Words of the journey at which no submission stands in this version: no print is followed."""

ENDED_STATES = frozenset(
    {
        SubmissionState.DISPATCHED,
        SubmissionState.PRINTING,
        SubmissionState.PRINTED,
        SubmissionState.REJECTED,
        SubmissionState.CANCELED,
    }
)
"""States in which nothing more is to be done for the dropped file itself."""


class Destination(StrEnum):
    """Where a build can be sent."""

    BACKLOG = "backlog"
    JOB_REQUEST = "job_request"
    DEVICE_QUEUE = "device_queue"
    PRINT_NOW = "print_now"


@dataclass(frozen=True, slots=True)
class MeshReport:
    """What was measured in an STL file, and the defects found. Units: mm, cm³, cm².

    `verdict` is "accept" or "reject"; `reason` says why in shop words, with numbers and a next step,
    and is None when accepted. `warnings` tell what a slicer copes with. `volume_cm3` is None unless the
    mesh is closed and faces one way. Where a file can't be read as STL at all, `format` is None and the
    counts are 0. `sha256` is of the bytes inspected.
    """

    path: str
    verdict: str
    reason: str | None
    warnings: tuple[str, ...]
    format: str | None
    triangles: int
    size_mm: tuple[float, float, float]
    volume_cm3: float | None
    area_cm2: float
    watertight: bool
    open_edges: int
    seconds: float
    sha256: str
    solids: int = 0
    closes_at_mm: float | None = None
    """The widest gap that had to be closed to call the mesh closed; None if it needed none."""
    open_places: tuple[str, ...] = ()
    """Where the largest holes are, in words."""
    flipped_edges: int = 0
    """Edges at which facets face different ways."""
    shared_edges: int | None = None
    """Edges with four or more facets, such as where bodies touch; None where not counted."""
    repeated_facets: int | None = None
    """Facets with the same corners as another one; None where not counted."""
    degenerate_facets: int = 0
    """Facets with two equal corners."""
    has_colour: bool = False
    """Colours or other attribute bytes, which printing ignores."""
    defects: tuple[str, ...] = ()
    """Everything that speaks against printing it; the first is the `reason`."""
    oddities: tuple[str, ...] = ()
    """The names of the warnings, in their order: see `mesh.oddities`."""
    flat_facets: int = 0
    """Facets without area, degenerate ones among them."""
    inside_out: bool = False
    """All facets face inwards; the volume is told nevertheless."""
    unit_guess: str = "mm"
    """What the coordinates seem to be in: "mm", "inch", "metre", "inch or metre", "micrometre", "unclear"."""
    shells: int | None = None
    """Bodies that share no corner with another, cavities too; None where not counted."""
    cavities: int | None = None
    """Shells that face inwards within another one; None where not counted."""
    turned_shells: int | None = None
    """Shells that face inwards and are no cavity; None where not counted."""


def unmeasured_report(path: str, reason: str, format: str | None = None) -> MeshReport:
    """Give the report on a file that can't be measured, and why."""
    return MeshReport(
        path=path,
        verdict="reject",
        reason=reason,
        warnings=(),
        format=format,
        triangles=0,
        size_mm=(0.0, 0.0, 0.0),
        volume_cm3=None,
        area_cm2=0.0,
        watertight=False,
        open_edges=0,
        seconds=0.0,
        sha256="",
        defects=(reason,),
    )


@dataclass(frozen=True, slots=True)
class ConsideredRule:
    """One rule that was looked at: whether it matched, else the first condition that failed."""

    rule: str
    matched: bool
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class IntakeDecision:
    """How a part is uploaded, or not: exactly one of upload, reject, hold.

    `preset` is a title or an id; None lets the cloud use its own default. `reason` is set for
    reject and hold.
    """

    rule: str
    action: str
    preset: str | None = None
    owner: str | None = None
    folder: str | None = None
    reason: str | None = None
    considered: tuple[ConsideredRule, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of one device when a device has to be chosen; None where the cloud says nothing."""

    id: str
    name: str
    type: str
    series: str
    state: str | None = None
    material: str | None = None
    fiber: str | None = None
    primary_remaining_cm3: float | None = None
    queue_seconds: float | None = None
    queue_length: int | None = None
    fiber_remaining_cm3: float | None = None
    last_sent_at: datetime | None = None
    """When stlflow last sent something there; None for never."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a build goes and why: a value, no effect.

    `destination` None means held, and `reason` says why. `reasons` are the facts that decided,
    in words, one per device that was looked at where a device had to be chosen. `waits_for_device`:
    it is held only because no device qualifies, and may go on by itself.
    """

    rule: str
    destination: Destination | None
    device_id: str | None = None
    device: str | None = None
    due: date | None = None
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    considered: tuple[ConsideredRule, ...] = ()
    copies: int = 1
    approve_first: bool = False
    waits_for_device: bool = False
    send_window: tuple[int, int] | None = None
    """The minutes of the day between which it is sent; None for at once."""


class Step(StrEnum):
    """What is to be done next for a submission."""

    INTAKE = "intake"
    """Custody, inspection, intake rules, upload."""
    POLL = "poll"
    """Ask for the slice job: a row that waits, not a thread."""
    DELIVER = "deliver"
    """Find the build, routing rules, dispatch."""
    FINISH = "finish"
    """Put the file into its outcome folder and write the note."""


class HoldReason(StrEnum):
    """Why a submission is held: decides what retry and release do."""

    FILE = "file"
    RULE = "rule"
    PRESET = "preset"
    UPLOAD = "upload"
    SLICE = "slice"
    BUILD = "build"
    UNITS = "units"
    ROUTE = "route"
    DEVICE = "device"
    SEND = "send"
    FAULT = "fault"


SELF_RESOLVING_HOLDS = frozenset({HoldReason.BUILD, HoldReason.DEVICE})
"""What is missing is looked for while the file is held, and the submission goes on once it is there."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The durable journey of one part file, as the ledger knows it. None where not reached."""

    id: int
    path: str
    state: SubmissionState
    opened_at: datetime
    claimed_as: str | None = None
    """Where the bytes stand: a path under the share, or the file's own place when it was left there."""
    left_in_place: bool = False
    size: int | None = None
    sha256: str | None = None
    reason: str | None = None
    mesh: MeshReport | None = None
    preset: str | None = None
    intake_rule: str | None = None
    part_version_id: str | None = None
    slice_job_id: str | None = None
    uploaded_at: datetime | None = None
    build_id: str | None = None
    routing_rule: str | None = None
    destination: Destination | None = None
    device: str | None = None
    receipt_id: str | None = None
    ended_at: datetime | None = None

    preset_id: str | None = None
    owner_id: str | None = None
    folder_id: str | None = None
    device_id: str | None = None
    due_date: date | None = None
    slice_status: str | None = None
    """The cloud's last word on the slice job."""
    hold: HoldReason | None = None
    passed: tuple[str, ...] = ()
    """The rules whose hold a person lifted."""
    placed_as: str | None = None
    """Where in the outcome folders the file goes; written down before it is moved."""
    step: Step | None = None
    due_at: datetime | None = None
    """When the next step may begin; None while it runs, or when nothing is left to do."""
    turn: int = 0
    """Counts the steps begun; whoever works on an older turn is too late and changes nothing."""
    tries: int = 0
    """How often the present step failed in a row."""
    waiting_since: datetime | None = None
    reused: int | None = None
    """The submission whose build is sent once more; None for one that was sliced for this file."""
    worker: str | None = None
    """Which running stlflow has the present step in hands; None while it waits."""
    home: str | None = None
    """The machine whose disk holds a file that was left in its place; None for one in the share."""
    origin: str | None = None
    """Where a file that was left in its place stands, said the same way on every machine that sees it."""
    dropped_by: str | None = None
    """The owner of the file, where the file system tells."""
    copies: int | None = None
    """How many times the build is sent; None before it is routed."""
    approve_first: bool | None = None
    """The rule has the build approved in Eiger before it is sent."""
    taken_as: str | None = None
    """Unit and scale that Eiger took the part for; "" where it does not say, None before they were read."""
    units_released: bool = False
    """A person decided that the part goes on in the size that Eiger took it for."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision as it was taken: when, by which rules, and on what was known then.

    `stage` is "intake" or "routing"; `revision` names the text of the rules. `devices` is None where
    no device had to be chosen.
    """

    stage: str
    at: datetime
    revision: str
    rule: str
    facts: Facts
    passed: tuple[str, ...] = ()
    devices: tuple[DeviceFacts, ...] | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class SubmissionEvent:
    """One line of the ledger: what happened to a submission, when, and the detail in words."""

    at: datetime
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class Backpressure:
    """What the cloud gave a process to understand: complaints of its load, and a pause still to come."""

    complaints: int = 0
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Worker:
    """One running stlflow; times by the ledger's clock.

    `home` names its state folder and outlives restarts; `name` is new at each start."""

    name: str
    home: str
    host: str
    pid: int
    release: str
    since: datetime
    seen_at: datetime
