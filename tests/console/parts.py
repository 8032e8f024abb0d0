"""Submissions in every state, written straight into the ledger: pages show them, nothing runs them."""

from datetime import UTC, datetime
from typing import Unpack

from tests.states import put_in_state
from workflow.ledger import Ledger, SendIntent
from workflow.model import Destination, EventKind, HoldReason, SubmissionChanges, SubmissionState

BUILD = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"


def add_part(ledger: Ledger, path: str, /, **changes: Unpack[SubmissionChanges]) -> int:
    """Return the number of a submission in the state that the changes say."""
    number = ledger.open(path)
    ledger.claimed(number, f"processing/{number}~part.stl")
    at_rest: SubmissionChanges = {"sha256": f"{number:064x}", "step": None, "due_at": None, **changes}
    put_in_state(ledger, ledger.get(number), **at_rest)
    return number


def hold_part(
    ledger: Ledger, path: str, kind: HoldReason = HoldReason.RULE, reason: str = "A rule holds it."
) -> int:
    """Return the number of a submission that a person has to decide about."""
    number = add_part(
        ledger, path, state=SubmissionState.HELD, hold=kind, reason=reason, intake_rule="by hand"
    )
    ledger.record_event(ledger.get(number), EventKind.HELD, reason)
    return number


def send_part(ledger: Ledger, path: str, device: str | None = None) -> int:
    """Return the number of a submission that was sent just now."""
    return add_part(
        ledger, path, state=SubmissionState.DISPATCHED, build_id=BUILD, receipt_id="receipt", preset="Onyx",
        destination=Destination.DEVICE_QUEUE if device else Destination.JOB_REQUEST, device=device,
        routing_rule="everything else", ended_at=datetime.now(UTC),
    )  # fmt: skip


def doubt_send(ledger: Ledger, path: str) -> int:
    """Return the number of a submission whose send was begun and never confirmed."""
    number = add_part(ledger, path, state=SubmissionState.ROUTED, build_id=BUILD)
    intent = ledger.sends.begin(ledger.get(number), 1, 0)
    assert isinstance(intent, SendIntent)
    reason = "It may have been sent."
    ledger.record_event(
        ledger.get(number), EventKind.HELD, reason,
        state=SubmissionState.HELD, hold=HoldReason.SEND, reason=reason,
    )  # fmt: skip
    return number
