"""Eiger's replies on stdout: tables for people, JSON for scripts, or Eiger's own document."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any

import click
from pydantic import BaseModel, SecretStr
from rich.table import Table
from rich.text import Text

from workflow.cli.output import json_option, print_json
from workflow.cli.progress import result_console
from workflow.eiger.response import Response, strip_control_characters

Columns = Mapping[str, str]
"""Heading to field; a dot leads into a field of a field, as in `build.title`."""
OMITTED_FIELDS = frozenset({"preview_url"})
"""Signed links that every reply carries; Eiger's own page shows the pictures."""


class Output(StrEnum):
    """How a command prints what Eiger replied."""

    TEXT = "text"
    JSON = "json"
    RAW = "raw"


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with `--json` and `--raw`, which decide its `output`."""

    @wraps(command)
    def with_output(*, as_json: bool, as_raw: bool, **given: Any) -> Any:
        output = Output.RAW if as_raw else Output.JSON if as_json else Output.TEXT
        return command(output=output, **given)

    raw_option = click.option(
        "--raw", "as_raw", is_flag=True, help="Print Eiger's own replies, one JSON document per line."
    )
    decorated: Callable[..., Any] = json_option(raw_option(with_output))
    return decorated


def print_many(models: Iterable[BaseModel], columns: Columns, output: Output) -> None:
    """Print a list as a table or as JSON; nothing for `--raw`, whose replies are printed at the end."""
    contents = [plain_values(model) for model in models]
    if output is Output.JSON:
        print_json([json_values(each) for each in contents])
    if output is not Output.TEXT:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for each in contents:
        table.add_row(*(Text(format_value(_field_at(each, path))) for path in columns.values()))
    result_console().print(table)


def print_one(model: BaseModel, output: Output) -> None:
    """Print one reply as JSON, or a line for each field that has a value; nothing for `--raw`."""
    values = plain_values(model)
    if output is Output.JSON:
        print_json(json_values(values))
    if output is not Output.TEXT:
        return
    rows = list(_flat_rows(values))
    width = max((len(name) for name, _ in rows), default=0)
    console = result_console()
    for name, text in rows:
        console.print(Text(f"{name:>{width}}  {text}"))


def report(document: object, sentence: str, output: Output) -> None:
    """Print what a command did: a sentence for people, a document for scripts."""
    if output is Output.JSON:
        print_json(document)
    elif output is Output.TEXT:
        click.echo(sentence)


def print_raw(reply: Response) -> None:
    """Print a reply as one line of JSON, with the fields that Eiger sent; null for an empty reply."""
    content = reply.body or reply.headers.get("location", "").encode() or b"null"
    click.echo(reply.redact(json.dumps(json.loads(content), separators=(",", ":"))))


def plain_values(model: BaseModel) -> object:
    """Return a reply as plain values, without the links that were not asked for."""
    return _unwrap_values(model.model_dump())


def json_values(value: object) -> object:
    """Return plain values as JSON has them: times in ISO 8601, in UTC."""
    if isinstance(value, dict):
        return {name: json_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_values(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def format_value(value: object) -> str:
    """Return a value as text for people: local times, yes and no, nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M}"
    return strip_control_characters(str(value))


def _unwrap_values(value: object) -> object:
    if isinstance(value, dict):
        return {name: _unwrap_values(inner) for name, inner in value.items() if name not in OMITTED_FIELDS}
    if isinstance(value, tuple | list):
        return [_unwrap_values(inner) for inner in value]
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _field_at(value: object, path: str) -> object:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _flat_rows(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _flat_rows(inner, f"{name}.{inner_name}" if name else str(inner_name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _flat_rows(inner, f"{name}[{number}]")
    elif value is not None:
        yield name, format_value(value)
