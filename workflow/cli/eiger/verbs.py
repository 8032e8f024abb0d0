"""Commands made from a description: one operation each, its arguments, and how its reply is printed."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import click
from pydantic import BaseModel

from workflow.cli.eiger.client import open_client
from workflow.cli.eiger.output import Columns, Output, output_options, print_many, print_one
from workflow.eiger import OPERATIONS, EigerClient
from workflow.eiger.operations import Operation

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
