"""`stlflow eiger parts`, `part-versions` and `builds`."""

from pathlib import Path

import click

from workflow.cli.eiger.client import (
    add_verb,
    as_typed,
    confirm_consequence,
    make_list_command,
    open_client,
    transfer_progress,
    yes_option,
)
from workflow.cli.eiger.output import (
    Output,
    json_values,
    output_options,
    plain_values,
    print_many,
    print_one,
    report,
)
from workflow.cli.eiger.resolve import resolve_build_id, resolve_preset_id, resolve_user_id
from workflow.eiger import EigerClient, add_approvals, operations
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, format_count


@click.group()
def parts() -> None:
    """Parts of the library: uploading and slicing."""


@click.group("part-versions")
def part_versions() -> None:
    """Uploaded shapes: each upload makes a version of a part."""


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


BUILD_COLUMNS = {
    "title": "title",
    "series": "device_series",
    "material": "primary_material",
    "fiber": "secondary_material",
    "parts": "part_count",
    "seconds": "estimated_print_seconds",
    "approved": "approved",
    "created": "created_at",
    "id": "id",
}


@click.group()
def builds() -> None:
    """Sliced, printable results, which can be sent somewhere."""


GROUPS = (builds, parts, part_versions)

builds.add_command(make_list_command(EigerClient.list_builds, "Show builds, newest first.", BUILD_COLUMNS))
add_verb(
    builds,
    "show",
    EigerClient.read_build,
    "Show BUILD (title or id) with its part versions.",
    build=resolve_build_id,
)


@builds.command("approved")
@output_options
def show_approved_builds(output: Output) -> None:
    """Show the approved builds."""
    with open_client(output, operations.LIST_APPROVED_BUILDS) as client:
        approved = client.list_approved_builds()
    if output is Output.TEXT and approved is not None:
        print_many(approved, BUILD_COLUMNS, output)
        return
    listed = [json_values(plain_values(build)) for build in approved or ()]
    report(
        {"in_use": approved is not None, "builds": listed},
        "Approvals are not in use: every build may be printed.",
        output,
    )


@builds.command("approve")
@click.argument("builds", nargs=-1, required=True)
@click.option("--switch-on", is_flag=True, help="Switch approvals on: all other builds are then forbidden.")
@output_options
def approve_builds(builds: tuple[str, ...], switch_on: bool, output: Output) -> None:
    """Approve BUILDS (titles or ids).

    Every other approval is kept.
    """
    with open_client(output, operations.APPROVE_BUILDS) as client:
        build_ids = [resolve_build_id(client, each) for each in builds]
        approved = add_approvals(client, build_ids, switch_on=switch_on)
    report({"approved": sorted(approved)}, f"Approved now: {format_count(len(approved), 'build')}.", output)


@builds.command("disable-approvals")
@yes_option
@output_options
def disable_approvals(yes: bool, output: Output) -> int:
    """Switch approvals off for the whole organization.

    The list of approved builds is lost.
    """
    consequence = "Every build may be printed then, and the list of approved builds is lost."
    if not confirm_consequence(consequence, yes=yes):
        return EXIT_SOME_FAILED
    with open_client(output, operations.DISABLE_APPROVED_BUILDS) as client:
        client.disable_approved_builds()
    report({"in_use": False}, "Approvals are off: every build may be printed.", output)
    return EXIT_OK
