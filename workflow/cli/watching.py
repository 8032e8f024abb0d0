"""Waiting until submissions have ended, and showing what is seen meanwhile."""

from collections.abc import Callable, Sequence

from workflow.model import ENDED, GOES_BY_ITSELF, State, Submission

LOOK_SECONDS = 0.25
Show = Callable[[Sequence[Submission]], None]


def at_rest(submission: Submission) -> bool:
    """Tell whether nothing more happens by itself, but for a look now and then for what is missing."""
    if submission.state is State.HELD:
        return submission.step is None or (
            submission.hold in GOES_BY_ITSELF and submission.due_at is not None
        )
    return submission.state in ENDED and submission.step is None


def watch(
    look: Callable[[], Sequence[Submission]],
    enough: Callable[[Sequence[Submission]], bool],
    show: Show,
    wait: Callable[[float], object],
) -> Sequence[Submission]:
    """Look until it is enough, showing what is seen; gives what was seen last."""
    while not enough(seen := look()):
        show(seen)
        wait(LOOK_SECONDS)
    return seen


def show_nothing(_seen: Sequence[Submission]) -> None:
    """Show nothing: there is no terminal, and the log tells."""
