"""What all commands share on the way out: JSON on stdout alone, and the option that asks for it."""

import json
from collections.abc import Callable
from typing import Any

import click

as_json: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def print_json(document: object) -> None:
    """Print one JSON document, readable and in UTF-8."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
