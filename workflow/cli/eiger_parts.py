"""`stlflow eiger parts`."""

from pathlib import Path

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_names import preset_id, user_id
from workflow.cli.eiger_tables import print_many, print_one
from workflow.cli.eiger_transfer import transfer
from workflow.cli.output import as_json


@click.group()
def parts() -> None:
    """Parts of the library: uploading and slicing."""


@parts.command("show")
@click.argument("part")
@as_json
def show(part: str, as_json: bool) -> None:
    """Show PART (its id) with the ids of its versions."""
    with cloud() as client:
        print_one(client.read_part(part), as_json=as_json)


@parts.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", help="Title or id; without it Eiger takes its own choice.")
@click.option("--user", help="Whose part it is: name, email or id; else the owner of the organization.")
@click.option("--folder", help="The id of a folder of the library.")
@as_json
def upload(file: Path, preset: str | None, user: str | None, folder: str | None, as_json: bool) -> None:
    """Upload FILE as it is, uninspected; slicing begins by itself.

    Look on with `slice-status` and the slice_job_id that is shown.
    """
    with cloud() as client:
        settings_preset_id = preset_id(client, preset) if preset else None
        owner_id = user_id(client, user) if user else None
        with transfer(file.name) as on_progress, file.open("rb") as stl:
            made = client.upload_stl(
                stl,
                file.name,
                settings_preset_id=settings_preset_id,
                user_id=owner_id,
                folder_id=folder,
                on_progress=on_progress,
            )
    print_one(made, as_json=as_json)


@parts.command("slice-status")
@click.argument("slice_job")
@as_json
def slice_status(slice_job: str, as_json: bool) -> None:
    """Show how far SLICE_JOB (its id) is."""
    with cloud() as client:
        print_one(client.get_slice_status(slice_job), as_json=as_json)


@parts.command("presets")
@as_json
def presets(as_json: bool) -> None:
    """Show the settings presets of the organization."""
    with cloud() as client:
        print_many(client.get_org_settings_presets(), {"title": "title", "id": "id"}, as_json=as_json)
