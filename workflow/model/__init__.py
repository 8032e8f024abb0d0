"""The values that each room may speak of: submissions, decisions, mesh reports. All are frozen."""

from workflow.model.decisions import (
    NO_FACTS,
    ConsideredRule,
    DecisionRecord,
    DeviceFacts,
    Facts,
    FactValue,
    IntakeDecision,
    Route,
)
from workflow.model.mesh_report import (
    MM_PER_INCH,
    MeshReport,
    unmeasured_report,
)
from workflow.model.states import (
    ENDED_STATES,
    SELF_RESOLVING_HOLDS,
    UNUSED_STATES,
    Destination,
    EventKind,
    HoldReason,
    Step,
    SubmissionState,
)
from workflow.model.submission import (
    NO_CHANGES,
    Submission,
    SubmissionChanges,
    SubmissionEvent,
    evolve,
)
from workflow.model.transitions import (
    ALLOWED_TRANSITIONS,
    IllegalTransition,
    check_transition,
    is_allowed_transition,
)
from workflow.model.workers import (
    Backpressure,
    Worker,
)

__all__ = [
    "ALLOWED_TRANSITIONS",
    "ENDED_STATES",
    "MM_PER_INCH",
    "NO_CHANGES",
    "NO_FACTS",
    "SELF_RESOLVING_HOLDS",
    "UNUSED_STATES",
    "Backpressure",
    "ConsideredRule",
    "DecisionRecord",
    "Destination",
    "DeviceFacts",
    "EventKind",
    "FactValue",
    "Facts",
    "HoldReason",
    "IllegalTransition",
    "IntakeDecision",
    "MeshReport",
    "Route",
    "Step",
    "Submission",
    "SubmissionChanges",
    "SubmissionEvent",
    "SubmissionState",
    "Worker",
    "check_transition",
    "evolve",
    "is_allowed_transition",
    "unmeasured_report",
]
