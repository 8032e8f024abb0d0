"""The client that the settings describe, and asking before something happens that can't be undone.

Files on their way to Eiger and back, with a bar on a terminal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from workflow.cli.terminal import progress_console
from workflow.eiger import EigerClient, make_client
from workflow.eiger.sanitize import strip_control_characters
from workflow.settings import load_settings

yes_option = click.option("--yes", is_flag=True, help="Do not ask first.")


@contextmanager
def open_client() -> Iterator[EigerClient]:
    """Open the client. Raises SettingsError."""
    with make_client(load_settings()) as client:
        yield client


def confirm_consequence(consequence: str, *, yes: bool) -> bool:
    """Say what will happen, and ask unless that was answered already. Raises Abort without an answer."""
    click.echo(consequence, err=True)
    if yes or click.confirm("Go on?", err=True):
        return True
    click.echo("Nothing was sent.", err=True)
    return False


@contextmanager
def transfer_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Give the function that hears of progress (bytes done, all); nothing is drawn without a terminal.

    Raises ClickException for what the file system refuses.
    """
    console = progress_console()
    text, speed = TextColumn("{task.description}"), TransferSpeedColumn()
    with Progress(
        text, BarColumn(), DownloadColumn(), speed, console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(escape(strip_control_characters(name)), total=None)
        try:
            yield lambda done, total: bar.update(task, completed=done, total=total)
        except (OSError, EOFError) as error:
            raise click.ClickException(str(error)) from None
