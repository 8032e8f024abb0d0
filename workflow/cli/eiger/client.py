"""The client that the settings describe, and commands made from one operation of it each.

The options of a `list` command come from the typed filters and sort orders of the client's call.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from inspect import signature
from itertools import islice
from types import NoneType
from typing import Any, get_args, get_type_hints

import click
from pydantic import BaseModel
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from workflow.cli.eiger.output import Columns, Output, output_options, print_many, print_one, print_raw
from workflow.cli.param_types import ListCommand, OneOf, WholeNumber
from workflow.cli.progress import progress_console
from workflow.eiger import OPERATIONS, EigerClient, make_client
from workflow.eiger.models import ApiModel
from workflow.eiger.operations import Filter, Operation, filter_fields
from workflow.eiger.resource import DEFAULT_PAGE_SIZE
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


COMPARISON_SIGNS = {"eq": "=", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time; without a zone it is local. Raises BadParameter."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        message = f"'{text}' is not a time such as 2026-11-23, 2026-11-23T18:30 or 2026-11-23T18:30Z."
        raise click.BadParameter(message) from None


FILTER_TYPES: Mapping[type, tuple[Callable[[str], object], str]] = {
    datetime: (parse_time, "TIME"),
    int: (int, "N"),
    bool: (bool, "YES|NO"),
    str: (str, "TEXT"),
}
"""How click reads the value of a filter, and what the help calls it."""


def make_list_command(
    walk: Callable[..., Iterator[ApiModel]],
    says: str,
    columns: Columns,
    **resolvers: ResolveId,
) -> click.Command:
    """Return the command for one list of the client; `resolvers` turn names into ids, by filter."""
    hints, defaults = get_type_hints(walk), signature(walk).parameters
    filters: type[Filter] = _type_without_none(hints["filters"])

    def run(limit: int | None, sort: str, order: str, output: Output, **given: Any) -> None:
        with open_client(output, operation_of(walk)) as client:
            for name, resolve in resolvers.items():
                given[name] = given[name] and resolve(client, given[name])
            page_size = min(limit or DEFAULT_PAGE_SIZE, DEFAULT_PAGE_SIZE)
            walked = walk(client, filters(**given), sort_by=sort, order=order, page_size=page_size)
            print_many(islice(walked, limit), columns, output)

    command = output_options(run)
    command = _choice_option("--order", hints["order"], defaults["order"].default)(command)
    command = _choice_option("--sort", hints["sort_by"], defaults["sort_by"].default)(command)
    command = click.option("--limit", type=WholeNumber(1), help="Only the first N.")(command)
    for option in reversed(_filter_options(filters)):
        command = option(command)
    return click.command("list", ListCommand, help=says)(command)


def _filter_options(filters: type[Filter]) -> list[Callable[[Any], Any]]:
    hints, options = get_type_hints(filters), []
    for name, where in filter_fields(filters).items():
        kind, metavar = FILTER_TYPES[_type_without_none(hints[name])]
        text = f"Only where {where.field} {COMPARISON_SIGNS[where.operator]} {metavar}."
        options.append(
            click.option(f"--{name.replace('_', '-')}", name, type=kind, metavar=metavar, help=text)
        )
    return options


def _choice_option(name: str, choices: object, default: str) -> Callable[[Any], Any]:
    return click.option(name, type=OneOf(get_args(choices)), default=default, show_default=True)


def _type_without_none(hint: object) -> Any:
    return next(each for each in get_args(hint) if each is not NoneType)
