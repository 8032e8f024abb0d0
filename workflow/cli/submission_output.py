"""Submissions as rows for scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from workflow.cli.rules_output import decisions_document
from workflow.model import DecisionRecord, Submission, SubmissionEvent
from workflow.notes import Answer, PrintStatus, answer_document, print_status_document


def submission_row(
    submission: Submission, answer: Answer | None = None, status: PrintStatus | None = None
) -> dict[str, object]:
    """Return the row that scripts rely on; null where not reached."""
    return {
        "id": submission.id,
        "path": submission.path,
        "state": submission.state.value,
        "hold": submission.hold.value if submission.hold else None,
        "reason": submission.reason,
        "preset": submission.preset,
        "intake_rule": submission.intake_rule,
        "routing_rule": submission.routing_rule,
        "destination": submission.destination.value if submission.destination else None,
        "device": submission.device,
        "build_id": submission.build_id,
        "receipt_id": submission.receipt_id,
        "sha256": submission.sha256,
        "seconds": duration_seconds(submission),
        "due": submission.due_date and submission.due_date.isoformat(),
        "late_on": submission.late_on and submission.late_on.isoformat(),
        "answer": answer and answer_document(answer),
        "print": status and print_status_document(status),
    }


def submission_row_with_history(
    submission: Submission,
    events: Sequence[SubmissionEvent],
    decided: Mapping[str, DecisionRecord],
    receipts: Sequence[str],
    answer: Answer | None,
    status: PrintStatus | None,
) -> dict[str, object]:
    """Return the row with `mesh` (null if not measured), decisions, receipts, and `events`, oldest first."""
    return {
        **submission_row(submission, answer, status),
        "copies": submission.copies,
        "dropped_by": submission.dropped_by,
        "receipts": list(receipts),
        "decided": decisions_document(decided),
        "mesh": asdict(submission.mesh) if submission.mesh else None,
        "events": [
            {"at": event.at.isoformat(), "event": event.event, "detail": event.detail} for event in events
        ],
    }


def duration_seconds(submission: Submission) -> float | None:
    """Return how long the submission took from claim to end."""
    if submission.ended_at is None:
        return None
    return round((submission.ended_at - submission.opened_at).total_seconds(), 3)
