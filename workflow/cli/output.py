"""What all commands share on the way out: JSON on stdout alone, and the option that asks for it."""

import json
import shutil
import sys
import textwrap
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


def print_hanging(label: str, text: str) -> None:
    """Print a label and a text, on a terminal wrapped at words beside the label, elsewhere on one line."""
    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(label) + len(text) <= width:
        click.echo(f"{label}{text}")
        return
    indent = " " * len(label)
    wrapped = textwrap.wrap(text, max(width - len(label), 20), break_on_hyphens=False)
    for place, line in enumerate(wrapped):
        click.echo(f"{indent if place else label}{line}")


def user_name() -> str:
    """Return who types the command, for the record."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the process runs under a number without a name
        return "command line"
