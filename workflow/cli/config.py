"""Which settings are used, and where each comes from."""

from collections.abc import Iterator
from typing import Any

import click

from workflow.cli.output import json_option, print_json


@click.group()
def config() -> None:
    """See which settings are used."""


@config.command("show")
@click.option("--all", "everything", is_flag=True, help="Also settings that have their default.")
@json_option
def show_config(everything: bool, as_json: bool) -> None:
    """Show each setting's value and where it comes from.

    Of keys, and of passwords in addresses, it only says that they are set. JSON always has all settings.
    """
    rows = [row for row in _rows() if everything or as_json or row["source"] != "default"]
    if as_json:
        print_json(rows)
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        value = "" if row["value"] is None else row["value"]
        click.echo(f"{row['name']:<{width}}  {value}  ({row['source']})")
    if not rows:
        click.echo("Nothing is set: every setting has its default. `stlflow config show --all` lists them.")


def _rows() -> Iterator[dict[str, object]]:
    from workflow.settings import Settings, load_settings, read_effective_values

    settings, sources = load_settings(), read_effective_values()
    for name in Settings.model_fields:
        source = sources[name].place if name in sources else "default"
        yield {"name": name, "value": _shown_value(name, getattr(settings, name)), "source": source}


def _shown_value(name: str, value: Any) -> object:
    """Return the value as JSON has it; a key or an address with a password is never shown."""
    from pathlib import Path
    from urllib.parse import urlsplit

    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else None
    if name == "database_url" and value is not None:
        address = urlsplit(value)
        return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"
    return str(value.absolute()) if isinstance(value, Path) else value
