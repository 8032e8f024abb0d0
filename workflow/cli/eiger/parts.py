"""`stlflow eiger parts`.

`stlflow eiger part-versions`.
"""

from pathlib import Path

import click

from workflow.cli.eiger.client import open_client, transfer_progress
from workflow.cli.eiger.output import print_many, print_one
from workflow.cli.eiger.resolve import resolve_preset_id, resolve_user_id
from workflow.cli.output import json_option, print_json


@click.group()
def parts() -> None:
    """Parts of the library: uploading and slicing."""


@parts.command("show")
@click.argument("part")
@json_option
def show_part(part: str, as_json: bool) -> None:
    """Show PART (its id) with the ids of its versions."""
    with open_client() as client:
        print_one(client.read_part(part), as_json=as_json)


@parts.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", help="Title or id; without it Eiger takes its own choice.")
@click.option("--user", help="Whose part it is: name, email or id; else the owner of the organization.")
@click.option("--folder", help="The id of a folder of the library.")
@json_option
def upload_part(file: Path, preset: str | None, user: str | None, folder: str | None, as_json: bool) -> None:
    """Upload FILE as it is, uninspected; slicing begins by itself.

    Look on with `slice-status` and the slice_job_id that is shown.
    """
    with open_client() as client:
        settings_preset_id = resolve_preset_id(client, preset) if preset else None
        owner_id = resolve_user_id(client, user) if user else None
        with transfer_progress(file.name) as on_progress, file.open("rb") as stl:
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
@json_option
def show_slice_status(slice_job: str, as_json: bool) -> None:
    """Show how far SLICE_JOB (its id) is."""
    with open_client() as client:
        print_one(client.get_slice_status(slice_job), as_json=as_json)


@parts.command("presets")
@json_option
def list_presets(as_json: bool) -> None:
    """Show the settings presets of the organization."""
    with open_client() as client:
        print_many(client.get_org_settings_presets(), {"title": "title", "id": "id"}, as_json=as_json)


@click.group("part-versions")
def part_versions() -> None:
    """Uploaded shapes: each upload makes a version of a part."""


@part_versions.command("show")
@click.argument("part_version")
@json_option
def show_part_version(part_version: str, as_json: bool) -> None:
    """Show PART_VERSION (its id): title, unit, scale, materials."""
    with open_client() as client:
        print_one(client.read_part_version(part_version), as_json=as_json)


@part_versions.command("download")
@click.argument("part_version")
@click.argument("target", type=click.Path(path_type=Path))
@json_option
def download_stl(part_version: str, target: Path, as_json: bool) -> None:
    """Write the STL of PART_VERSION (its id) to TARGET.

    Nothing that exists is replaced.
    """
    with open_client() as client, transfer_progress(target.name) as on_progress:
        size = client.download_part_version(part_version, target, on_progress)
    if as_json:
        print_json({"path": str(target), "bytes": size})
    else:
        click.echo(f"{target}: {size:,} bytes.")
