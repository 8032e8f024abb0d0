"""Watching submissions until they have ended: a live table on a terminal, log lines elsewhere."""

import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live

from workflow.cli.table import submissions_table
from workflow.model import ENDED, Hold, State, Submission

REFRESH_SECONDS = 0.25


def at_rest(submission: Submission) -> bool:
    """Tell whether nothing more happens by itself, but for a look now and then for a missing build."""
    if submission.state is State.HELD:
        return submission.step is None or (submission.hold is Hold.BUILD and submission.due_at is not None)
    return submission.state in ENDED and submission.step is None


def watch(
    look: Callable[[], Sequence[Submission]],
    enough: Callable[[Sequence[Submission]], bool],
    wait: Callable[[float], object] = time.sleep,
) -> Sequence[Submission]:
    """Look until it is enough, showing what is seen; gives what was seen last."""
    console = Console(stderr=True)
    if not (console.is_terminal and sys.stderr.isatty()):
        while not enough(seen := look()):
            wait(REFRESH_SECONDS)
        return seen
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        while True:
            seen = look()
            live.update(submissions_table(seen), refresh=True)
            if enough(seen):
                return seen
            wait(REFRESH_SECONDS)
