"""`stlflow init` writes the first settings; `stlflow config` shows those that are used, and their source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.resources import resource_folder
from workflow.state_folder import PRIVATE_FOLDER


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
    from workflow.settings import NOTICES, Settings, load_settings, read_effective_values

    settings, sources = load_settings(), read_effective_values()
    for name in Settings.model_fields:
        source = sources[name].place if name in sources else "default"
        yield {"name": name, "value": _shown_value(getattr(settings, name)), "source": source}
    for name, target in settings.notices.targets.items():
        source = sources[NOTICES].place if NOTICES in sources else "default"
        yield {"name": f"notices.targets.{name}", "value": f"{target.channel} (set)", "source": source}


def _shown_value(value: Any) -> object:
    """Return the value as JSON has it; a key or an address with a password is never shown."""
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else None
    if isinstance(value, str) and "://" in value:
        scheme, _, rest = value.partition("://")
        place = rest.partition("?")[0]
        return f"{scheme}://{place.rpartition('@')[2]}"
    return str(value.absolute()) if isinstance(value, Path) else value


SETTINGS_TEMPLATE = """\
# stlflow settings. Every name can also be set as STLFLOW_NAME in the environment or in .env.
# Keys belong into the environment, .env (readable by you alone) or secret files, not in here.

share = "share"                  # holds inbox/, done/, rejected/, held/
state = "state"                  # database, spool and logs: a local disk, never the share
rules = "rules/default.yaml"
eiger_url = "https://www.eiger.io/api/v3"
"""

ENV_TEMPLATE = """\
# The access key and secret key of your organization (Eiger: settings, API keys).
STLFLOW_ACCESS_KEY=
STLFLOW_SECRET_KEY=
"""


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(directory: Path) -> None:
    """Write stlflow.toml, rules and folders into DIRECTORY.

    Nothing that exists is changed.
    """
    from workflow.intake import Share
    from workflow.notes import write_how_to

    (directory / "rules").mkdir(parents=True, exist_ok=True)
    (directory / "state").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    (directory / "share").mkdir(exist_ok=True)
    Share((directory / "share").absolute(), decides_by_moving=True).prepare()
    write_how_to((directory / "share").absolute(), decides_by_moving=True, with_status_page=True)
    _write_new(directory / "stlflow.toml", SETTINGS_TEMPLATE)
    _write_new(directory / ".env.example", ENV_TEMPLATE)
    for rules in sorted(resource_folder("rules").iterdir()):
        _write_new(directory / "rules" / rules.name, rules.read_text("utf-8"))
    click.echo(
        "Next: copy .env.example to .env, fill in the keys, check rules/default.yaml, then `stlflow run`."
    )


def _write_new(place: Path, text: str) -> None:
    try:
        with place.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        click.echo(f"{place} exists: left as it is.")
    else:
        click.echo(f"{place} written.")
