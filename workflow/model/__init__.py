"""The values that each room may speak of: submissions, decisions, mesh reports. All are frozen."""

from workflow.model.decisions import (
    ConsideredRule,
    DecisionRecord,
    DeviceFacts,
    Facts,
    FactValue,
    IntakeDecision,
    Route,
)
from workflow.model.mesh_report import MM_PER_INCH, MeshReport, unmeasured_report
from workflow.model.notices import TOLD_EVENTS, Notice, NoticeEvent, NoticeText, TroubleState
from workflow.model.printers import (
    LoadedMaterial,
    PrinterOutage,
    PrinterSnapshot,
    RunningPrint,
    describe_printer_state,
    needed_action,
)
from workflow.model.prints import ENDED_PHASES, FollowedPrint, PrintPhase
from workflow.model.states import (
    ALLOWED_TRANSITIONS,
    ENDED_STATES,
    PRINT_EVENTS,
    SELF_RESOLVING_HOLDS,
    SENT_STATES,
    UNUSED_STATES,
    Destination,
    EventKind,
    HoldReason,
    IllegalTransition,
    Step,
    SubmissionState,
    check_transition,
    is_allowed_transition,
)
from workflow.model.submission import (
    NO_CHANGES,
    Backpressure,
    Submission,
    SubmissionChanges,
    SubmissionEvent,
    Worker,
    evolve,
)
from workflow.model.vitals import CloudVitals, WorkerVitals
