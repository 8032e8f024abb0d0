"""Submissions and their history, and the workers that process them. Times are aware and in UTC."""

from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import TypedDict, Unpack

from workflow.frozen import frozen
from workflow.model.mesh_report import MeshReport
from workflow.model.states import Destination, EventKind, HoldReason, Step, SubmissionState
from workflow.model.vitals import NO_VITALS, WorkerVitals


@frozen
class Submission:
    """The durable record of one part file. A field is None until its step was reached."""

    id: int
    path: str
    state: SubmissionState
    opened_at: datetime
    claimed_as: str | None = None
    """Where the file is: a path under the share, or its own path if it was left in place."""
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
    """The last status of the slice job, as Eiger writes it."""
    hold: HoldReason | None = None
    passed: tuple[str, ...] = ()
    """The rules whose hold a person released."""
    placed_as: str | None = None
    """Where the file goes in the outcome folders; recorded before it is moved."""
    step: Step | None = None
    due_at: datetime | None = None
    """When the next step may begin; None while it runs, or when nothing is left to do."""
    turn: int = 0
    """The fencing token: it grows with each step, and a worker with an older turn can change nothing."""
    tries: int = 0
    """How many times in a row the current step failed."""
    waiting_since: datetime | None = None
    reused: int | None = None
    """The submission whose build is sent again; None if the build was sliced for this file."""
    home: str | None = None
    """The machine whose disk holds a file that was left in place; None for a file in the share."""
    origin: str | None = None
    """The path of a file that was left in place, written the same way on each machine that sees it."""
    dropped_by: str | None = None
    """The owner of the file, if the file system says."""
    copies: int | None = None
    """How many times the build is sent; None before it is routed."""
    approve_first: bool | None = None
    """True if the rule has the build approved in Eiger before it is sent."""
    taken_as: str | None = None
    """The unit and scale that Eiger took the part for: "" if it does not say, None before they were read."""
    spread_ids: tuple[str, ...] = ()
    """The device of each copy, where the copies go to several; `device_id` is the first."""
    units_released: bool = False
    """True if a person released the part in the size that Eiger took it for."""
    followed: bool | None = None
    """True from the route on until the end of its print is known, if that is followed at all."""
    late_on: date | None = None
    """When it is ready by queue and estimate, if that is after its due date."""
    retried_hold: str | None = None
    """What held it before a person retried it, as a release names it among the passed rules; "" if that can't
    be released. An approval that comes later still lifts it."""


class SubmissionChanges(TypedDict, total=False):
    """New values for some fields of a submission; a test holds it to the fields of `Submission`."""

    id: int
    path: str
    state: SubmissionState
    opened_at: datetime
    claimed_as: str | None
    left_in_place: bool
    size: int | None
    sha256: str | None
    reason: str | None
    mesh: MeshReport | None
    preset: str | None
    intake_rule: str | None
    part_version_id: str | None
    slice_job_id: str | None
    uploaded_at: datetime | None
    build_id: str | None
    routing_rule: str | None
    destination: Destination | None
    device: str | None
    receipt_id: str | None
    ended_at: datetime | None
    preset_id: str | None
    owner_id: str | None
    folder_id: str | None
    device_id: str | None
    due_date: date | None
    slice_status: str | None
    hold: HoldReason | None
    passed: tuple[str, ...]
    placed_as: str | None
    step: Step | None
    due_at: datetime | None
    turn: int
    tries: int
    waiting_since: datetime | None
    reused: int | None
    home: str | None
    origin: str | None
    dropped_by: str | None
    copies: int | None
    approve_first: bool | None
    taken_as: str | None
    spread_ids: tuple[str, ...]
    units_released: bool
    followed: bool | None
    late_on: date | None
    retried_hold: str | None


NO_CHANGES: SubmissionChanges = {}

_PLACES = {field.name: place for place, field in enumerate(fields(Submission))}
_values_of = attrgetter(*_PLACES)


def evolve(submission: Submission, **changes: Unpack[SubmissionChanges]) -> Submission:
    """Return the submission with new values for some fields: `dataclasses.replace`, in half its time."""
    values = list(_values_of(submission))
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return Submission(*values)


@frozen
class SubmissionEvent:
    """One line of the history: what happened, when, and the detail in words.

    `event` is an `EventKind`, or what another release wrote.
    """

    at: datetime
    event: str
    detail: str

    @property
    def label(self) -> str:
        """Return the event in the words of people; documents for scripts have `event`."""
        return _LABELS.get(self.event, self.event)


_LABELS = {EventKind.DISPATCHED.value: "sent", EventKind.SETTLED.value: "confirmed"}


@frozen
class Backpressure:
    """How much a process is slowed down: complaints by Eiger about its load, and the rest of a pause."""

    complaints: int = 0
    pause_seconds: float = 0.0


@frozen
class Worker:
    """One running stlflow; times by the ledger's clock.

    `home` names its state folder and survives restarts; `name` is new at each start.
    """

    name: str
    home: str
    host: str
    pid: int
    release: str
    since: datetime
    seen_at: datetime
    queue_workers: tuple[int, ...] = ()
    """On Postgres: its ids in procrastinate's table of workers."""
    vitals: WorkerVitals = NO_VITALS
