"""The durable record: submissions and their events, append-only."""

from workflow.ledger.backup import back_up, restore_into, restore_sqlite
from workflow.ledger.changes import Draft, Superseded, draft_of
from workflow.ledger.commands import CommandEffect, SendState
from workflow.ledger.copy import copy_ledger
from workflow.ledger.database import CLOCK
from workflow.ledger.decisions import RecentSend
from workflow.ledger.due_polls import next_poll_seconds, postpone_due_polls
from workflow.ledger.due_steps import DueSteps, requeue_interrupted_steps, take_due_steps
from workflow.ledger.in_place import InPlaceFile, InPlaceRecord
from workflow.ledger.integrity import IntegrityReport, check_integrity, check_writable
from workflow.ledger.leases import (
    WaitingForSlicing,
    acquire_due_steps,
    count_waiting_for_slicing,
    filter_waiting_for_slicing,
    find_due_steps,
    find_waiting_by_part_version,
    list_abandoned_claims,
    list_leased_steps,
    start_delivery,
    take_over_orphaned_steps,
)
from workflow.ledger.ledger import Ledger
from workflow.ledger.locks import APPROVAL_LOCK, DEVICE_CHOICE_LOCK
from workflow.ledger.metadata import HANGING_KEY, LEDGER_NAME_KEY, RESTORED_KEY, RULES_ERROR_KEY, SHARE_ID_KEY
from workflow.ledger.sends import (
    CHECKED_BY_OPERATOR,
    AlreadySent,
    SendInProgress,
    SendIntent,
    SharedBuild,
)
from workflow.ledger.work import Work, work_of
from workflow.ledger.workers import (
    Heartbeats,
    deregister_worker,
    list_workers,
    read_backpressure,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    send_heartbeat,
)

__all__ = [
    "APPROVAL_LOCK",
    "CHECKED_BY_OPERATOR",
    "CLOCK",
    "DEVICE_CHOICE_LOCK",
    "HANGING_KEY",
    "LEDGER_NAME_KEY",
    "RESTORED_KEY",
    "RULES_ERROR_KEY",
    "SHARE_ID_KEY",
    "AlreadySent",
    "CommandEffect",
    "Draft",
    "DueSteps",
    "Heartbeats",
    "InPlaceFile",
    "InPlaceRecord",
    "IntegrityReport",
    "Ledger",
    "RecentSend",
    "SendInProgress",
    "SendIntent",
    "SendState",
    "SharedBuild",
    "Superseded",
    "WaitingForSlicing",
    "Work",
    "acquire_due_steps",
    "back_up",
    "check_integrity",
    "check_writable",
    "copy_ledger",
    "count_waiting_for_slicing",
    "deregister_worker",
    "draft_of",
    "filter_waiting_for_slicing",
    "find_due_steps",
    "find_waiting_by_part_version",
    "list_abandoned_claims",
    "list_leased_steps",
    "list_workers",
    "next_poll_seconds",
    "postpone_due_polls",
    "read_backpressure",
    "read_heartbeats",
    "register_worker",
    "remove_dead_worker",
    "requeue_interrupted_steps",
    "restore_into",
    "restore_sqlite",
    "send_heartbeat",
    "start_delivery",
    "take_due_steps",
    "take_over_orphaned_steps",
    "work_of",
]
