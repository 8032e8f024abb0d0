"""The client that the settings describe, questions before an effect, and progress of file transfers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from workflow.cli.eiger.output import Output, print_raw
from workflow.cli.terminal import progress_console
from workflow.eiger import EigerClient, make_client
from workflow.eiger.operations import Operation
from workflow.eiger.response import Response
from workflow.eiger.sanitize import strip_control_characters
from workflow.settings import load_settings

yes_option = click.option("--yes", is_flag=True, help="Do not ask first.")


@contextmanager
def open_client(output: Output = Output.TEXT, operation: Operation | None = None) -> Iterator[EigerClient]:
    """Open the client; at the end, `--raw` prints Eiger's replies to `operation`. Raises SettingsError."""
    replies: list[Response] = []

    def keep(called: Operation, reply: Response) -> None:
        if output is Output.RAW and called == operation:
            replies.append(reply)

    with make_client(load_settings(), on_response=keep) as client:
        yield client
    for reply in replies:
        print_raw(reply)


def confirm_consequence(consequence: str, *, yes: bool) -> bool:
    """True if a person agrees to a consequence, or agreed with `--yes`. Raises Abort without an answer."""
    click.echo(consequence, err=True)
    if yes or click.confirm("Go on?", err=True):
        return True
    click.echo("Nothing was sent.", err=True)
    return False


@contextmanager
def transfer_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that draws progress (bytes done, bytes in all); without a terminal it draws nothing.

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
