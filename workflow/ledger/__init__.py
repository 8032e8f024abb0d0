"""The durable record: submissions and their events, append-only."""

from workflow.ledger.canary import CanaryFlight
from workflow.ledger.change_feed import ChangeFeed, list_newest
from workflow.ledger.changes import Draft, Superseded, draft_of
from workflow.ledger.commands import CommandEffect, SendState
from workflow.ledger.console_tokens import ConsoleToken
from workflow.ledger.database import CLOCK, IDLE_IN_TRANSACTION
from workflow.ledger.decisions import RecentSend
from workflow.ledger.due_polls import (
    NextPoll,
    count_waiting_for_slicing,
    filter_waiting_for_slicing,
    find_oldest_upload,
    find_waiting_by_part_version,
    next_poll_seconds,
    postpone_due_polls,
    schedule_next_polls,
    start_delivery,
)
from workflow.ledger.due_steps import (
    DueSteps,
    list_steps_in_progress,
    requeue_interrupted_steps,
    take_due_steps,
)
from workflow.ledger.handover import DELIVER_QUEUE, INTAKE_QUEUE, QUEUE_SCHEMA, STAGE_TASK, queue_of
from workflow.ledger.in_place import InPlaceFile, InPlaceRecord
from workflow.ledger.jobs import (
    QueueState,
    hand_over_due_steps,
    jobs_of,
    list_steps_of,
    read_queue_state,
    requeue_dropped_jobs,
    requeue_lost_steps,
    take_over_orphaned_steps,
)
from workflow.ledger.ledger import Ledger
from workflow.ledger.locks import APPROVAL_LOCK, DEVICE_CHOICE_LOCK
from workflow.ledger.metadata import LEDGER_NAME_KEY, RESTORED_KEY, RULES_ERROR_KEY, SHARE_ID_KEY
from workflow.ledger.notices import DELIVERED, GIVEN_UP, OUTDATED, UNCONFIRMED, OutboxCondition
from workflow.ledger.peers import (
    Heartbeats,
    deregister_worker,
    list_abandoned_claims,
    list_hanging,
    list_stray_queue_workers,
    list_workers,
    read_backpressure,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    remove_queue_workers,
    send_heartbeat,
)
from workflow.ledger.search import (
    LONGEST_COUNT,
    SORT_COLUMNS,
    Cursor,
    LatestEvent,
    SortOrder,
    SubmissionFilter,
)
from workflow.ledger.sends import (
    CHECKED_BY_OPERATOR,
    AlreadySent,
    SendInProgress,
    SendIntent,
    SharedBuild,
)
from workflow.ledger.vital_counts import VitalCounts
from workflow.ledger.work import Work, work_of

__all__ = [
    "APPROVAL_LOCK",
    "CHECKED_BY_OPERATOR",
    "CLOCK",
    "DELIVERED",
    "DELIVER_QUEUE",
    "DEVICE_CHOICE_LOCK",
    "GIVEN_UP",
    "IDLE_IN_TRANSACTION",
    "INTAKE_QUEUE",
    "LEDGER_NAME_KEY",
    "LONGEST_COUNT",
    "OUTDATED",
    "QUEUE_SCHEMA",
    "RESTORED_KEY",
    "RULES_ERROR_KEY",
    "SHARE_ID_KEY",
    "SORT_COLUMNS",
    "STAGE_TASK",
    "UNCONFIRMED",
    "AlreadySent",
    "CanaryFlight",
    "ChangeFeed",
    "CommandEffect",
    "ConsoleToken",
    "Cursor",
    "Draft",
    "DueSteps",
    "Heartbeats",
    "InPlaceFile",
    "InPlaceRecord",
    "LatestEvent",
    "Ledger",
    "NextPoll",
    "OutboxCondition",
    "QueueState",
    "RecentSend",
    "SendInProgress",
    "SendIntent",
    "SendState",
    "SharedBuild",
    "SortOrder",
    "SubmissionFilter",
    "Superseded",
    "VitalCounts",
    "Work",
    "count_waiting_for_slicing",
    "deregister_worker",
    "draft_of",
    "filter_waiting_for_slicing",
    "find_oldest_upload",
    "find_waiting_by_part_version",
    "hand_over_due_steps",
    "jobs_of",
    "list_abandoned_claims",
    "list_hanging",
    "list_newest",
    "list_steps_in_progress",
    "list_steps_of",
    "list_stray_queue_workers",
    "list_workers",
    "next_poll_seconds",
    "postpone_due_polls",
    "queue_of",
    "read_backpressure",
    "read_heartbeats",
    "read_queue_state",
    "register_worker",
    "remove_dead_worker",
    "remove_queue_workers",
    "requeue_dropped_jobs",
    "requeue_interrupted_steps",
    "requeue_lost_steps",
    "schedule_next_polls",
    "send_heartbeat",
    "start_delivery",
    "take_due_steps",
    "take_over_orphaned_steps",
    "work_of",
]
