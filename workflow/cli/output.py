"""What all commands share on the way out: JSON on stdout alone, and the option that asks for it."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on stdout."
)


def print_json(document: object) -> None:
    """Print one JSON document: readable in UTF-8, escaped where stdout has another encoding."""
    readable = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, ensure_ascii=not readable, indent=2))
