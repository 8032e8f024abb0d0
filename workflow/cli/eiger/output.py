"""Eiger's answers as documents for scripts, and as tables for people."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from pydantic import BaseModel, SecretStr
from rich.table import Table
from rich.text import Text

from workflow.cli.output import print_json
from workflow.cli.terminal import result_console
from workflow.eiger.sanitize import strip_control_characters

Columns = Mapping[str, str]
"""Heading to field; a dot leads into a field of a field, as in `build.title`."""
OMITTED_FIELDS = frozenset({"preview_url"})
"""Signed links that come along unasked; whoever wants a picture asks Eiger's own page."""


def print_many(nouns: Iterable[BaseModel], columns: Columns, *, as_json: bool) -> None:
    """Print a list on stdout."""
    contents = [plain_values(noun) for noun in nouns]
    if as_json:
        print_json([json_values(each) for each in contents])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for each in contents:
        table.add_row(*(Text(format_value(_field_at(each, path))) for path in columns.values()))
    result_console().print(table)


def print_one(noun: BaseModel, *, as_json: bool) -> None:
    """Print all that one answer says on stdout; what it does not say is null in JSON, and no line else."""
    said = plain_values(noun)
    if as_json:
        print_json(json_values(said))
        return
    rows = list(_flat_rows(said))
    width = max((len(name) for name, _ in rows), default=0)
    console = result_console()
    for name, text in rows:
        console.print(Text(f"{name:>{width}}  {text}"))


def plain_values(noun: BaseModel) -> object:
    """Give an answer as plain values, without links that nobody asked for."""
    return _unwrap_values(noun.model_dump())


def json_values(value: object) -> object:
    """Give plain values as JSON has them: times in ISO 8601, in UTC."""
    if isinstance(value, dict):
        return {name: json_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_values(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def format_value(value: object) -> str:
    """Write one value for people: local times, nothing for null, nothing that drives a terminal."""
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
