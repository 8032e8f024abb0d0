"""Where tables and progress are drawn: one bar for all submissions, one for each upload in progress."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from workflow.cli.watch import UploadProgress, is_at_rest
from workflow.model import Submission, SubmissionState

PLAIN_OUTPUT_WIDTH, PLAIN_TABLE_WIDTH = 180, 80


def result_console(plain_width: int = PLAIN_OUTPUT_WIDTH) -> Console:
    """Return the console for results, on stdout; into a file or a pipe lines are plain, and as long as
    COLUMNS says.
    """
    console, columns = Console(), os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() and int(columns) else plain_width
    return console if console.is_terminal else Console(width=width, no_color=True)


def table_console() -> Console:
    """Return the console for tables that fit any width; into a file or a pipe 80 columns."""
    return result_console(PLAIN_TABLE_WIDTH)


def progress_console() -> Console:
    """Return the console for progress, on stderr."""
    return Console(stderr=True)


NAME_WIDTH = 40


@contextmanager
def progress_bars(
    sent: UploadProgress, is_over: Callable[[Submission], bool] = is_at_rest
) -> Iterator[Callable[[Sequence[Submission]], None]]:
    """Show bars on stderr while the block runs; returns the function that brings them up to date."""
    console = progress_console()
    overall = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
    single = Progress(TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), console=console)
    everything = overall.add_task("files", total=None)
    shown: dict[int, TaskID] = {}

    def refresh(seen: Sequence[Submission]) -> None:
        overall.update(
            everything,
            description=_progress_text(seen),
            total=len(seen),
            completed=sum(map(is_over, seen)),
        )
        _refresh_uploads(single, shown, sent.under_way(), seen)
        live.update(Group(single, overall), refresh=True)

    with Live(Group(single, overall), console=console, auto_refresh=False, transient=True) as live:
        yield refresh


def _refresh_uploads(
    progress: Progress,
    shown: dict[int, TaskID],
    under_way: dict[int, tuple[int, int]],
    seen: Sequence[Submission],
) -> None:
    names = {submission.id: submission.path for submission in seen}
    for number in shown.keys() - under_way.keys():
        progress.remove_task(shown.pop(number))
    for number, (done, total) in under_way.items():
        if number not in shown:
            shown[number] = progress.add_task(escape(names.get(number, str(number))[-NAME_WIDTH:]))
        progress.update(shown[number], completed=done, total=total)


def _progress_text(seen: Sequence[Submission]) -> str:
    held = sum(submission.state is SubmissionState.HELD for submission in seen)
    rejected = sum(submission.state is SubmissionState.REJECTED for submission in seen)
    return f"files ({held} held, {rejected} rejected)"
