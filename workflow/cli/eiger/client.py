"""The client that the settings describe, and commands made from one operation of it each."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from pydantic import BaseModel
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from workflow.cli.eiger.output import Columns, Output, output_options, print_many, print_one, print_raw
from workflow.cli.progress import progress_console
from workflow.eiger import OPERATIONS, EigerClient, make_client
from workflow.eiger.operations import Operation
from workflow.eiger.response import Response, strip_control_characters
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


ResolveId = Callable[[EigerClient, str], str]
CAPITAL = re.compile("([A-Z]+)")


def operation_of(call: Callable[..., object]) -> Operation:
    """Return the operation of a client's method, which has its name: `readBuild` for `read_build`."""
    names = {CAPITAL.sub(r"_\1", operation.id).lower(): operation for operation in OPERATIONS}
    return names[call.__name__]


def as_typed(_client: EigerClient, word: str) -> str:
    """Return an id as it was typed: for what has no name."""
    return word


def add_verb(
    group: click.Group,
    name: str,
    call: Callable[..., BaseModel | Iterable[BaseModel]],
    says: str,
    columns: Columns | None = None,
    **arguments: ResolveId,
) -> None:
    """Add a command that resolves its arguments to ids, calls the client once, and prints the reply.

    `columns` are those of a reply that is a list.
    """

    def run(output: Output, **words: str) -> None:
        with open_client(output, operation_of(call)) as client:
            reply = call(client, *(resolve(client, words[word]) for word, resolve in arguments.items()))
            if isinstance(reply, BaseModel):
                print_one(reply, output)
            else:
                print_many(reply, columns or {}, output)

    command: Callable[..., Any] = output_options(run)
    for word in reversed(arguments):
        command = click.argument(word)(command)
    group.command(name, help=says)(command)
