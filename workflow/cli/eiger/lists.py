"""The `list` commands: their options come from the typed filters and sort orders of the client's calls."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from inspect import signature
from itertools import islice
from types import NoneType
from typing import Any, get_args, get_type_hints

import click

from workflow.cli.eiger.client import ResolveId, open_client, operation_of
from workflow.cli.eiger.output import Columns, Output, output_options, print_many
from workflow.cli.param_types import ListCommand, OneOf, WholeNumber
from workflow.eiger.models import ApiModel
from workflow.eiger.operations import Filter, filter_fields
from workflow.eiger.resource import DEFAULT_PAGE_SIZE

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
