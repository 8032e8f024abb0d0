"""Waiting until submissions have ended, with the progress of uploads."""

import threading
from collections.abc import Callable, Sequence

from workflow.model import ENDED_STATES, SELF_RESOLVING_HOLDS, SENT_STATES, Submission, SubmissionState

POLL_SECONDS = 0.25
ShowSubmissions = Callable[[Sequence[Submission]], None]


def is_at_rest(submission: Submission) -> bool:
    """True if nothing more happens by itself, except for polls for what is missing."""
    if submission.state is SubmissionState.HELD:
        return submission.step is None or (
            submission.hold in SELF_RESOLVING_HOLDS and submission.due_at is not None
        )
    return submission.state in ENDED_STATES and submission.step is None


def is_print_over(submission: Submission) -> bool:
    """True if nothing more happens by itself, and no end of a print is awaited."""
    return is_at_rest(submission) and (submission.state not in SENT_STATES or submission.followed is not True)


def poll_until(
    look: Callable[[], Sequence[Submission]],
    enough: Callable[[Sequence[Submission]], bool],
    show: ShowSubmissions,
    wait: Callable[[float], object],
) -> Sequence[Submission]:
    """Poll and show submissions until a condition is met; returns the last ones."""
    while not enough(seen := look()):
        show(seen)
        wait(POLL_SECONDS)
    return seen


def show_nothing(_seen: Sequence[Submission]) -> None:
    """Show nothing: there is no terminal, and the log has the progress."""


class UploadProgress:
    """What the uploading threads report, by submission: bytes sent and bytes in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[int, tuple[int, int]] = {}

    def report(self, number: int, sent: int, total: int) -> None:
        """Record the progress of one upload; called by many threads."""
        with self._lock:
            self._sent[number] = (sent, total)

    def under_way(self) -> dict[int, tuple[int, int]]:
        """Return the uploads that have begun and not ended."""
        with self._lock:
            return {number: (sent, total) for number, (sent, total) in self._sent.items() if sent < total}
