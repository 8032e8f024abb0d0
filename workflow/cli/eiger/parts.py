"""`stlflow eiger parts` and `stlflow eiger part-versions`."""

from pathlib import Path

import click

from workflow.cli.eiger.client import open_client, transfer_progress
from workflow.cli.eiger.output import Output, output_options, print_one, report
from workflow.cli.eiger.resolve import resolve_preset_id, resolve_user_id
from workflow.cli.eiger.verbs import add_verb, as_typed
from workflow.eiger import EigerClient, operations


@click.group()
def parts() -> None:
    """Parts of the library: uploading and slicing."""


@click.group("part-versions")
def part_versions() -> None:
    """Uploaded shapes: each upload makes a version of a part."""


GROUPS = (parts, part_versions)

add_verb(
    parts, "show", EigerClient.read_part, "Show PART (its id) with the ids of its versions.", part=as_typed
)
add_verb(
    parts,
    "slice-status",
    EigerClient.get_slice_status,
    "Show the status of SLICE_JOB (its id).",
    slice_job=as_typed,
)
add_verb(
    parts,
    "presets",
    EigerClient.get_org_settings_presets,
    "Show the settings presets of the organization.",
    {"title": "title", "id": "id"},
)
add_verb(
    part_versions,
    "show",
    EigerClient.read_part_version,
    "Show PART_VERSION (its id): title, unit, scale, materials.",
    part_version=as_typed,
)


@parts.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", help="Title or id; without it Eiger chooses the settings.")
@click.option("--user", help="The owner: name, email or id; without it the owner of the organization.")
@click.option("--folder", help="The id of a folder of the library.")
@output_options
def upload_part(file: Path, preset: str | None, user: str | None, folder: str | None, output: Output) -> None:
    """Upload FILE unchecked; Eiger slices it by itself.

    Follow it with `slice-status` and the slice_job_id that is shown.
    """
    with open_client(output, operations.UPLOAD_STL) as client:
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
    print_one(made, output)


@part_versions.command("download")
@click.argument("part_version")
@click.argument("target", type=click.Path(path_type=Path))
@output_options
def download_stl(part_version: str, target: Path, output: Output) -> None:
    """Write the STL of PART_VERSION (its id) to TARGET.

    An existing file is never replaced.
    """
    with (
        open_client(output, operations.READ_SIGNED_URL) as client,
        transfer_progress(target.name) as on_progress,
    ):
        size = client.download_part_version(part_version, target, on_progress)
    report({"path": str(target), "bytes": size}, f"{target}: {size:,} bytes.", output)
