"""Writing what a new installation needs."""

from pathlib import Path

import click

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
    from workflow.resources import resource_folder
    from workflow.state_folder import PRIVATE_FOLDER

    (directory / "rules").mkdir(parents=True, exist_ok=True)
    (directory / "state").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    (directory / "share").mkdir(exist_ok=True)
    Share((directory / "share").absolute()).prepare()
    _write_new(directory / "stlflow.toml", SETTINGS_TEMPLATE)
    _write_new(directory / ".env.example", ENV_TEMPLATE)
    for rules in sorted(resource_folder("rules").iterdir()):
        _write_new(directory / "rules" / rules.name, rules.read_text("utf-8"))
    click.echo(
        "Next: copy .env.example to .env, fill in the keys, look at rules/default.yaml, `stlflow run`."
    )


def _write_new(place: Path, text: str) -> None:
    try:
        with place.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        click.echo(f"{place} exists: left as it is.")
    else:
        click.echo(f"{place} written.")
