"""Progress of many submissions on a terminal: one bar for all, and one for each upload under way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from workflow.cli.terminal import progress_console
from workflow.cli.watch import UploadProgress, is_at_rest
from workflow.model import Submission, SubmissionState

NAME_WIDTH = 40


@contextmanager
def progress_bars(sent: UploadProgress) -> Iterator[Callable[[Sequence[Submission]], None]]:
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
            completed=sum(map(is_at_rest, seen)),
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
