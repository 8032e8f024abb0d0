"""Submissions put into a state by allowed changes alone, as the product would get there."""

from typing import Unpack

from workflow.ledger import Ledger
from workflow.model import ALLOWED_TRANSITIONS, Submission, SubmissionChanges, SubmissionState


def put_in_state(ledger: Ledger, submission: Submission, **changes: Unpack[SubmissionChanges]) -> Submission:
    """Return the submission with these changes, written after the states on the way to the new one."""
    for state in path_between(submission.state, changes.get("state", submission.state))[:-1]:
        submission = ledger.update_submission(submission, state=state)
    return ledger.update_submission(submission, **changes)


def path_between(start: SubmissionState, end: SubmissionState) -> tuple[SubmissionState, ...]:
    """Return the states after `start` on a shortest allowed way, `end` included."""
    if start is end:
        return (end,)
    ways: list[tuple[SubmissionState, ...]] = [()]
    for way in ways:  # grows while it is read: nearest states first
        at = way[-1] if way else start
        if at is end:
            return way
        ways.extend((*way, state) for state in sorted(ALLOWED_TRANSITIONS[at]) if state not in way)
    raise AssertionError(f"{end} can't be reached from {start}")
