"""What the status page shows, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from workflow.frozen import frozen
from workflow.model import HoldReason, PrinterSnapshot, Submission, SubmissionState
from workflow.notes.answer import Answer
from workflow.notes.prints import PrintStatus


@frozen
class StatusRow:
    """One submission on the page: its thumbnail is a PNG, and `status` how far its print is."""

    submission: Submission
    answer: Answer | None = None
    thumbnail: bytes | None = None
    status: PrintStatus | None = None


@frozen
class StatusPage:
    """What the page shows. `trouble` is why Eiger can't be used now; `warnings` are for who runs stlflow.

    `hosts` are the machines of the workers, one entry for each.
    """

    written_at: datetime
    stopped: bool = False
    scanned_at: datetime | None = None
    waiting_in_inbox: int = 0
    replied_at: datetime | None = None
    trouble: str = ""
    hosts: Sequence[str] = ()
    counts: Mapping[SubmissionState, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    undecided: Sequence[StatusRow] = ()
    undecided_count: int = 0
    printers: Sequence[PrinterSnapshot] = ()
    recent: Sequence[StatusRow] = ()


def is_undecided(submission: Submission) -> bool:
    """True if a person has to do something: a file that waits for a printer goes on by itself."""
    return submission.state is SubmissionState.HELD and submission.hold is not HoldReason.DEVICE
