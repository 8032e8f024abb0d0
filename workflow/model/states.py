"""Where a submission is, why it is held, what can happen to it, and which changes of state are allowed."""

from collections.abc import Mapping
from enum import StrEnum


class SubmissionState(StrEnum):
    """Where a submission is on its way from the dropped file to the sent build, and to the print."""

    CLAIMED = "claimed"
    INSPECTED = "inspected"
    UPLOADED = "uploaded"
    SLICING = "slicing"
    SLICED = "sliced"
    ROUTED = "routed"
    DISPATCHED = "dispatched"
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    """The print failed, or was canceled at the printer."""
    LOST_TRACK = "lost_track"
    """What became of the print can't be known."""
    HELD = "held"
    REJECTED = "rejected"
    CANCELED = "canceled"


UNUSED_STATES = frozenset({SubmissionState.UPLOADED})
"""States that this release never sets: it uploads and slices in one step."""

SENT_STATES = frozenset(
    {
        SubmissionState.DISPATCHED,
        SubmissionState.PRINTING,
        SubmissionState.PRINTED,
        SubmissionState.FAILED,
        SubmissionState.LOST_TRACK,
    }
)
"""States of a submission whose build was sent; all but the first only if its print is followed."""

ENDED_STATES = SENT_STATES | {SubmissionState.REJECTED, SubmissionState.CANCELED}
"""States in which nothing more is to be done for the dropped file itself."""


class Destination(StrEnum):
    """Where a build can be sent."""

    BACKLOG = "backlog"
    JOB_REQUEST = "job_request"
    DEVICE_QUEUE = "device_queue"
    PRINT_NOW = "print_now"


class Step(StrEnum):
    """What is to be done next for a submission."""

    INTAKE = "intake"
    """Copy the file to the spool, inspect it, apply the intake rules, upload it."""
    POLL = "poll"
    """Poll the slice job: a row that waits, not a thread."""
    DELIVER = "deliver"
    """Find the build, apply the routing rules, send the build."""
    FINISH = "finish"
    """Move the file to its outcome folder and write the note."""


class HoldReason(StrEnum):
    """Why a submission is held; it decides what retry and release do."""

    FILE = "file"
    MESH = "mesh"
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
"""While the file is held, stlflow searches for what is missing and continues once it is there."""


class EventKind(StrEnum):
    """What can happen to a submission: one line of its history each. The values are stored."""

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    TAKEN_OVER = "taken over"
    TAKEN = "taken"
    DUPLICATE = "duplicate"
    REVISION = "revision"
    FILE_GONE = "file gone"
    INSPECTED = "inspected"
    DECIDED = "decided"
    UPLOADING = "uploading"
    UPLOAD_LOST = "upload lost"
    UPLOADED = "uploaded"
    SLICED = "sliced"
    LOOKING_FOR_BUILD = "looking for the build"
    BUILD_FOUND = "build found"
    BUILD_REUSED = "build reused"
    REORDERED = "ordered again"
    BUILD_ATTACHED = "build attached"
    FORECAST = "forecast"
    ROUTED = "routed"
    APPROVED = "approved"
    SENDING = "sending"
    PRINTER_TOLD = "printer told"
    SETTLED = "settled"
    DISPATCHED = "dispatched"
    WAITING = "waiting"
    HELD = "held"
    REJECTED = "rejected"
    RELEASED = "released"
    RETRIED = "retried"
    NOT_APPROVED = "not approved"
    CANCELED = "canceled"
    ADOPTED = "adopted"
    PRINTING = "printing"
    PRINTED = "printed"
    PRINT_FAILED = "print failed"
    PRINT_CANCELED = "print canceled"
    LOST_TRACK = "lost track"
    LATE = "late"
    ON_TIME = "on time again"


PRINT_EVENTS = frozenset(
    {
        EventKind.PRINTING,
        EventKind.PRINTED,
        EventKind.PRINT_FAILED,
        EventKind.PRINT_CANCELED,
        EventKind.LOST_TRACK,
        EventKind.LATE,
        EventKind.ON_TIME,
    }
)
"""What is told of a build after it was sent."""


_S = SubmissionState
_RESUMED = frozenset({_S.CLAIMED, _S.SLICED, _S.ROUTED, _S.DISPATCHED})
"""Where a retry continues: with the file, the sliced part, a send that may have worked, or the sent build."""
_STOPPED = frozenset({_S.HELD, _S.CANCELED})
_PRINT_ENDED = frozenset({_S.PRINTED, _S.FAILED, _S.LOST_TRACK})

ALLOWED_TRANSITIONS: Mapping[SubmissionState, frozenset[SubmissionState]] = {
    _S.CLAIMED: frozenset({_S.INSPECTED, _S.REJECTED}) | _STOPPED,
    _S.INSPECTED: frozenset({_S.UPLOADED, _S.SLICING, _S.SLICED, _S.REJECTED}) | _STOPPED,
    _S.UPLOADED: frozenset({_S.SLICING}) | _STOPPED,
    _S.SLICING: frozenset({_S.SLICED}) | _STOPPED,
    _S.SLICED: frozenset({_S.ROUTED}) | _STOPPED,
    _S.ROUTED: frozenset({_S.DISPATCHED}) | _STOPPED,
    _S.HELD: _RESUMED | {_S.CANCELED},
    _S.REJECTED: _RESUMED,
    _S.CANCELED: _RESUMED,
    _S.DISPATCHED: _PRINT_ENDED | {_S.PRINTING},
    _S.PRINTING: _PRINT_ENDED,
    _S.PRINTED: frozenset(),
    _S.FAILED: frozenset(),
    _S.LOST_TRACK: frozenset(),
}
"""From each state, the states that may follow. A change to the same state is always allowed."""


class IllegalTransition(ValueError):
    """A change of state that is not in the table: a fault of stlflow itself."""


def is_allowed_transition(before: SubmissionState, after: SubmissionState) -> bool:
    """True if a submission may go from one state to the other."""
    return before is after or after in ALLOWED_TRANSITIONS[before]


def check_transition(before: SubmissionState, after: SubmissionState) -> None:
    """Raise IllegalTransition if a submission may not go from one state to the other."""
    if not is_allowed_transition(before, after):
        raise IllegalTransition(f"A submission can't go from {before} to {after}.")
