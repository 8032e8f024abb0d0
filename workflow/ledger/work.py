"""One step to run: which submission, which turn, which step."""

from workflow.frozen import frozen
from workflow.model import Step, Submission


@frozen
class Work:
    """A step to run; `turn` is its fencing token: nothing can be written under a turn that is over."""

    number: int
    turn: int
    step: Step


def work_of(submission: Submission) -> Work:
    """Return the present step of a submission that has one."""
    return Work(submission.id, submission.turn, submission.step or Step.FINISH)
