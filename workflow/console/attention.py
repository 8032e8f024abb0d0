"""Needs attention: what waits for a person, grouped by the reason."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from workflow.console.access import console_of
from workflow.ledger import Ledger
from workflow.model import Submission, SubmissionState


@dataclass(frozen=True, slots=True)
class WaitingPart:
    """One part that waits for a person."""

    id: int
    path: str
    reason: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class AttentionPage:
    """What waits for a person."""

    waiting: int
    parts: tuple[WaitingPart, ...]


def count_waiting(ledger: Ledger) -> int:
    """Return how many parts wait for a person."""
    return ledger.count_by_state().get(SubmissionState.HELD, 0)


def read_attention(request: Request) -> AttentionPage:
    """Return what waits for a person, the oldest first."""
    held = console_of(request).ledger.all([SubmissionState.HELD])
    return AttentionPage(len(held), tuple(map(_waiting_part, reversed(held))))


def _waiting_part(submission: Submission) -> WaitingPart:
    return WaitingPart(submission.id, submission.path, submission.reason or "", submission.opened_at)
