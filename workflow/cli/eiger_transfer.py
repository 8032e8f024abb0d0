"""Files on their way to Eiger and back, with a bar on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from workflow.cli.console import progress_console
from workflow.eiger.wording import printable


@contextmanager
def transfer(name: str) -> Iterator[Callable[[int, int], None]]:
    """Give the function that hears of progress (bytes done, all); nothing is drawn without a terminal.

    Raises ClickException for what the file system refuses.
    """
    console = progress_console()
    text, speed = TextColumn("{task.description}"), TransferSpeedColumn()
    with Progress(
        text, BarColumn(), DownloadColumn(), speed, console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(escape(printable(name)), total=None)
        try:
            yield lambda done, total: bar.update(task, completed=done, total=total)
        except (OSError, EOFError) as error:
            raise click.ClickException(str(error)) from None
