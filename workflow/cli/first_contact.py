"""The first contact with a real account: it reads, and uploads one cube only when asked."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import WholeNumber
from workflow.errors import EXIT_OK, SettingsError, error_reason

OBSERVED_FILE = "observed.json"


@click.command("first-contact")
@click.option(
    "--upload", is_flag=True, help="Also upload one cube of 20 mm, and watch whether a build appears."
)
@click.option("--preset", metavar="TITLE", help="The preset of the cube; default: the first one.")
@click.option("--minutes", type=WholeNumber(1), default=10, show_default=True, help="How long to watch it.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=OBSERVED_FILE, show_default=True
)
@click.option("--yes", is_flag=True, help="Do not ask before the upload.")
@json_option
def first_contact(
    upload: bool, preset: str | None, minutes: int, output: Path, yes: bool, as_json: bool
) -> int:
    """Check a real account: what it has, and how it behaves.

    Without --upload it only reads. What was learnt goes to observed.json: for `stlflow simulator --like`,
    and with the settings that follow from it. It holds no key and no name of a person.
    """
    from workflow.cli.eiger.client import confirm_consequence
    from workflow.doctor.first_contact import observe_account, observed_document
    from workflow.doctor.first_upload import CUBE_MM
    from workflow.eiger import make_client
    from workflow.settings import load_settings

    settings, seen = load_settings(), []
    try:
        with make_client(settings, reads_only=not upload) as client:
            for each in observe_account(client):
                seen.append(each)
                click.echo(each.says, err=as_json)
            consequence = (
                f"Next, a cube of {CUBE_MM:g} mm becomes a real part in {settings.eiger_url}. Nothing is "
                "printed. The API can't delete it: delete the part 'stlflow first contact …' in Eiger "
                "afterwards."
            )
            if upload and confirm_consequence(consequence, yes=yes):
                for each in _watch_upload(client, preset, 60 * minutes):
                    seen.append(each)
                    click.echo(each.says, err=as_json)
    finally:  # a cube that is uploaded, and an hour of watching, are not for nothing if Eiger goes away
        document = observed_document(seen, datetime.now(UTC).isoformat(timespec="seconds"))
        if seen:
            _write(document, output)
    if as_json:
        print_json(document)
    else:
        for line in _closing_lines(document, output, uploaded=upload):
            click.echo(line)
    return EXIT_OK


def _watch_upload(client: Any, title: str | None, limit_seconds: float) -> Iterator[Any]:
    from workflow.doctor.first_upload import Pace, observe_upload
    from workflow.pipeline.cloud_cache import CloudCache, NotInCloud

    catalog = CloudCache(client)
    try:
        preset = catalog.preset(title) if title else next(iter(catalog.presets()), None)
    except NotInCloud as missing:
        raise SettingsError(str(missing)) from None
    yield from observe_upload(client, preset.id if preset else None, Pace(limit_seconds))


def _write(document: dict[str, object], output: Path) -> None:
    try:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise SettingsError(f"{output} can't be written: {error_reason(error)}.") from None


def _closing_lines(document: dict[str, object], output: Path, *, uploaded: bool) -> Iterator[str]:
    settings = document["settings"]
    yield ""
    yield f"Written to {output}. `stlflow simulator --like {output}` behaves like this account."
    if isinstance(settings, dict) and settings:
        yield "Add to stlflow.toml:"
        yield from (f"  {name} = {json.dumps(value)}" for name, value in settings.items())
    if not uploaded:
        yield "Whether an upload becomes a build is still unknown: `stlflow first-contact --upload` shows it."
